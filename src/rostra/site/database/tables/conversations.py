"""Talks as people know them: what was announced, who hosts, who wants to be reminded, what the host made known."""

from datetime import datetime

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from rostra.site.database.tables.columns import Id, Table, link


class Conversation(Table):
    """What was announced. Its state is not here: that is on the bus, which the stage keeps (DESIGN §2)."""

    __tablename__ = "conversations"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(64), unique=True)  # its id on the bus and in addresses
    host_id: Mapped[int] = link("accounts.id", index=True)
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    picture: Mapped[str | None] = mapped_column(String(80), default=None)  # a name in the media store
    picture_description: Mapped[str] = mapped_column(Text, default="")
    language: Mapped[str] = mapped_column(String(8))
    time_zone: Mapped[str] = mapped_column(String(60))
    visibility: Mapped[str] = mapped_column(String(10))  # public, unlisted
    starts_at: Mapped[datetime]
    doors_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(default=0)  # RFC 5545 SEQUENCE
    status_id: Mapped[int | None] = mapped_column(default=None)  # the post that announces it
    cancelled_at: Mapped[datetime | None] = mapped_column(default=None)
    cancelled_why: Mapped[str] = mapped_column(Text, default="")
    published_revision: Mapped[int] = mapped_column(default=-1)  # what the bus has been told
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (Index("ix_conversations_starts_at_id", "starts_at", "id"),)


class ConversationGuest(Table):
    """Who may come on the stage, and as what; whom `person` names in the invitation."""

    __tablename__ = "conversation_guests"

    id: Mapped[Id]
    conversation_id: Mapped[int] = link("conversations.id")
    account_id: Mapped[int] = link("accounts.id", index=True)
    role: Mapped[str] = mapped_column(String(10))  # host, cohost, speaker
    person: Mapped[str] = mapped_column(String(16))  # core.invitation: who they are on the stage, each time

    __table_args__ = (UniqueConstraint("conversation_id", "account_id"),)


class Reminder(Table):
    """Somebody wants to be told, and is a registered listener at the door."""

    __tablename__ = "conversation_reminders"

    id: Mapped[Id]
    conversation_id: Mapped[int] = link("conversations.id")
    account_id: Mapped[int] = link("accounts.id", index=True)
    by_email: Mapped[bool] = mapped_column(default=True)
    by_push: Mapped[bool] = mapped_column(default=True)
    sent_revision: Mapped[int] = mapped_column(default=-1)  # the schedule of which somebody has been told
    created_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("conversation_id", "account_id"),)


class HostNotice(Table):
    """What a host let everybody know about a talk; `starts_at` if it moved the announced instant."""

    __tablename__ = "host_notices"

    id: Mapped[Id]
    conversation_id: Mapped[int] = link("conversations.id", index=True)
    account_id: Mapped[int] = link("accounts.id")
    status_id: Mapped[int | None] = link("statuses.id", cascade=False)
    text: Mapped[str] = mapped_column(Text)
    starts_at: Mapped[datetime | None] = mapped_column(default=None)
    created_at: Mapped[datetime]
