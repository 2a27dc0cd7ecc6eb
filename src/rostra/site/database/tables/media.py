"""What is attached to posts: pictures, sound and video, made anew from what was uploaded."""

from datetime import datetime
from typing import Any

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from rostra.site.database.tables.columns import Id, Table, link


class MediaAttachment(Table):
    __tablename__ = "media_attachments"

    id: Mapped[Id]
    account_id: Mapped[int] = link("accounts.id", index=True)
    status_id: Mapped[int | None] = link("statuses.id", index=True)
    position: Mapped[int] = mapped_column(default=0)  # among those of its post
    kind: Mapped[str] = mapped_column(String(10))  # image, gifv, video, audio, unknown
    state: Mapped[str] = mapped_column(String(10))  # processing, ready, failed
    file: Mapped[str | None] = mapped_column(String(80), default=None)  # names in the media store
    preview: Mapped[str | None] = mapped_column(String(80), default=None)
    custom_preview: Mapped[bool] = mapped_column(default=False)
    meta: Mapped[dict[str, Any]] = mapped_column(default=dict)  # the API's: original, small, focus
    blurhash: Mapped[str | None] = mapped_column(String(100), default=None)
    description: Mapped[str | None] = mapped_column(Text, default=None)
    created_at: Mapped[datetime]
