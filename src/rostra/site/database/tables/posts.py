"""What people say in writing: statuses (the Mastodon API's word for posts) and all that hangs on them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from rostra.site.database.tables.columns import Id, Table, link


class Status(Table):
    """A post, or a boost of one (`reblog_of_id`). What was deleted stays, marked, until its appeal window ends."""

    __tablename__ = "statuses"

    id: Mapped[Id]
    account_id: Mapped[int] = link("accounts.id")
    text: Mapped[str] = mapped_column(Text, default="")  # as it was written
    content: Mapped[str] = mapped_column(Text, default="")  # HTML made of it when it was written
    spoiler_text: Mapped[str] = mapped_column(Text, default="")
    visibility: Mapped[str] = mapped_column(String(10))  # public, unlisted, private, direct
    sensitive: Mapped[bool] = mapped_column(default=False)
    language: Mapped[str | None] = mapped_column(String(8), default=None)
    in_reply_to_id: Mapped[int | None] = mapped_column(index=True, default=None)
    in_reply_to_account_id: Mapped[int | None] = mapped_column(default=None)
    thread_id: Mapped[int] = mapped_column()  # the id of the post that began the thread
    reblog_of_id: Mapped[int | None] = link("statuses.id")
    card_id: Mapped[int | None] = link("preview_cards.id", cascade=False)
    app_id: Mapped[int | None] = link("oauth_apps.id", cascade=False)
    conversation_id: Mapped[int | None] = mapped_column(index=True, default=None)  # which talk this announces
    notice: Mapped[bool] = mapped_column(default=False)  # a host's notice about that talk
    replies_count: Mapped[int] = mapped_column(default=0)
    reblogs_count: Mapped[int] = mapped_column(default=0)
    favourites_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    edited_at: Mapped[datetime | None] = mapped_column(default=None)
    deleted_at: Mapped[datetime | None] = mapped_column(default=None)

    __table_args__ = (
        Index("ix_statuses_account_id_id", "account_id", "id"),
        Index("ix_statuses_thread_id_id", "thread_id", "id"),
        Index(
            "ix_statuses_public_id",
            "id",
            postgresql_where=sql("visibility = 'public' AND deleted_at IS NULL"),
            sqlite_where=sql("visibility = 'public' AND deleted_at IS NULL"),
        ),
        UniqueConstraint("account_id", "reblog_of_id"),
    )


class StatusEdit(Table):
    """A post as it was before an edit."""

    __tablename__ = "status_edits"

    id: Mapped[Id]
    status_id: Mapped[int] = link("statuses.id", index=True)
    text: Mapped[str] = mapped_column(Text)
    content: Mapped[str] = mapped_column(Text)
    spoiler_text: Mapped[str] = mapped_column(Text, default="")
    sensitive: Mapped[bool] = mapped_column(default=False)
    media: Mapped[list[Any]] = mapped_column(default=list)  # the attachments' entities as they were
    poll_options: Mapped[list[Any] | None] = mapped_column(default=None)
    created_at: Mapped[datetime]


class Mention(Table):
    __tablename__ = "mentions"

    status_id: Mapped[int] = link("statuses.id", primary_key=True)
    account_id: Mapped[int] = link("accounts.id", primary_key=True, index=True)
    silent: Mapped[bool] = mapped_column(default=False)  # an addressee of a direct thread, not written in the text


class Tag(Table):
    __tablename__ = "tags"

    id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(100), unique=True)  # lower case
    display_name: Mapped[str] = mapped_column(String(100))  # as it was first written


class StatusTag(Table):
    __tablename__ = "status_tags"

    tag_id: Mapped[int] = link("tags.id", primary_key=True)
    status_id: Mapped[int] = link("statuses.id", primary_key=True, index=True)


class Poll(Table):
    __tablename__ = "polls"

    id: Mapped[Id]
    status_id: Mapped[int | None] = link("statuses.id", index=True)
    options: Mapped[list[Any]]  # texts
    votes: Mapped[list[Any]]  # counts, in the same order
    voters_count: Mapped[int] = mapped_column(default=0)
    multiple: Mapped[bool] = mapped_column(default=False)
    hide_totals: Mapped[bool] = mapped_column(default=False)
    expires_at: Mapped[datetime]


class PollVote(Table):
    __tablename__ = "poll_votes"

    poll_id: Mapped[int] = link("polls.id", primary_key=True)
    account_id: Mapped[int] = link("accounts.id", primary_key=True)
    choice: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    voted_at: Mapped[datetime]


class PreviewCard(Table):
    """What a linked page says of itself (Open Graph, oEmbed), fetched once for all posts that link to it."""

    __tablename__ = "preview_cards"

    id: Mapped[Id]
    url: Mapped[str] = mapped_column(Text)
    url_hash: Mapped[str] = mapped_column(String(64), unique=True)
    entity: Mapped[dict[str, Any]]  # the API's PreviewCard, without what depends on the reader
    image: Mapped[str | None] = mapped_column(String(80), default=None)  # a name in the media store
    fetched_at: Mapped[datetime]


class Favourite(Table):
    __tablename__ = "favourites"

    id: Mapped[Id]
    account_id: Mapped[int] = link("accounts.id")
    status_id: Mapped[int] = link("statuses.id", index=True)

    __table_args__ = (UniqueConstraint("account_id", "status_id"), Index("ix_favourites_page", "account_id", "id"))


class Bookmark(Table):
    __tablename__ = "bookmarks"

    id: Mapped[Id]
    account_id: Mapped[int] = link("accounts.id")
    status_id: Mapped[int] = link("statuses.id", index=True)

    __table_args__ = (UniqueConstraint("account_id", "status_id"), Index("ix_bookmarks_page", "account_id", "id"))


class StatusPin(Table):
    __tablename__ = "status_pins"

    id: Mapped[Id]
    account_id: Mapped[int] = link("accounts.id", index=True)
    status_id: Mapped[int] = link("statuses.id", index=True)

    __table_args__ = (UniqueConstraint("account_id", "status_id"),)


class ThreadMute(Table):
    """A thread of which somebody wants no more notifications."""

    __tablename__ = "thread_mutes"

    account_id: Mapped[int] = link("accounts.id", primary_key=True)
    thread_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class DirectThread(Table):
    """A thread of direct posts as one of those in it sees it (the API's Conversation)."""

    __tablename__ = "direct_threads"

    id: Mapped[Id]
    account_id: Mapped[int] = link("accounts.id")
    thread_id: Mapped[int]
    last_status_id: Mapped[int] = link("statuses.id", index=True)
    participants: Mapped[list[Any]]  # account ids, without one's own
    unread: Mapped[bool] = mapped_column(default=False)

    __table_args__ = (UniqueConstraint("account_id", "thread_id"),)


class ScheduledStatus(Table):
    __tablename__ = "scheduled_statuses"

    id: Mapped[Id]
    account_id: Mapped[int] = link("accounts.id", index=True)
    scheduled_at: Mapped[datetime]
    params: Mapped[dict[str, Any]]  # the request, checked when it was made
    app_id: Mapped[int | None] = mapped_column(default=None)
