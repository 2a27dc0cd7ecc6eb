"""What is still to be done: written in the transaction that made it necessary, so that none is lost."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from rostra.site.database.tables.columns import Id, Table


class Job(Table):
    __tablename__ = "jobs"

    id: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(40))
    payload: Mapped[dict[str, Any]]
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0)
    claimed_until: Mapped[datetime | None] = mapped_column(default=None)
    failed_at: Mapped[datetime | None] = mapped_column(default=None)  # given up; an operator looks at it
    error: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (Index("ix_jobs_failed_at_due_at", "failed_at", "due_at"),)
