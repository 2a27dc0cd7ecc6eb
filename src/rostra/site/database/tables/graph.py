"""Who has to do with whom: follows, blocks, mutes, lists, followed tags, filters."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from rostra.site.database.tables.columns import Id, Table, link


class Follow(Table):
    __tablename__ = "follows"

    id: Mapped[Id]
    account_id: Mapped[int] = link("accounts.id")
    target_id: Mapped[int] = link("accounts.id")
    reblogs: Mapped[bool] = mapped_column(default=True)  # whether their boosts are shown
    notify: Mapped[bool] = mapped_column(default=False)
    languages: Mapped[list[Any] | None] = mapped_column(default=None)

    __table_args__ = (
        UniqueConstraint("account_id", "target_id"),
        Index("ix_follows_target_id_id", "target_id", "id"),
    )


class FollowRequest(Table):
    __tablename__ = "follow_requests"

    id: Mapped[Id]
    account_id: Mapped[int] = link("accounts.id")
    target_id: Mapped[int] = link("accounts.id", index=True)
    reblogs: Mapped[bool] = mapped_column(default=True)
    notify: Mapped[bool] = mapped_column(default=False)
    languages: Mapped[list[Any] | None] = mapped_column(default=None)

    __table_args__ = (UniqueConstraint("account_id", "target_id"),)


class Block(Table):
    __tablename__ = "blocks"

    id: Mapped[Id]
    account_id: Mapped[int] = link("accounts.id")
    target_id: Mapped[int] = link("accounts.id", index=True)

    __table_args__ = (UniqueConstraint("account_id", "target_id"),)


class Mute(Table):
    __tablename__ = "mutes"

    id: Mapped[Id]
    account_id: Mapped[int] = link("accounts.id")
    target_id: Mapped[int] = link("accounts.id", index=True)
    notifications: Mapped[bool] = mapped_column(default=True)  # whether those are hidden too
    expires_at: Mapped[datetime | None] = mapped_column(default=None)

    __table_args__ = (UniqueConstraint("account_id", "target_id"),)


class DomainBlock(Table):
    """A server of which somebody wants to see nothing."""

    __tablename__ = "user_domain_blocks"

    id: Mapped[Id]
    account_id: Mapped[int] = link("accounts.id")
    domain: Mapped[str] = mapped_column(String(253))

    __table_args__ = (UniqueConstraint("account_id", "domain"),)


class List(Table):
    __tablename__ = "lists"

    id: Mapped[Id]
    account_id: Mapped[int] = link("accounts.id", index=True)
    title: Mapped[str] = mapped_column(String(200))
    replies_policy: Mapped[str] = mapped_column(String(10), default="list")  # followed, list, none
    exclusive: Mapped[bool] = mapped_column(default=False)  # whether its members leave the home timeline


class ListMember(Table):
    __tablename__ = "list_members"

    id: Mapped[Id]
    list_id: Mapped[int] = link("lists.id")
    account_id: Mapped[int] = link("accounts.id", index=True)

    __table_args__ = (UniqueConstraint("list_id", "account_id"),)


class TagFollow(Table):
    __tablename__ = "tag_follows"

    id: Mapped[Id]
    account_id: Mapped[int] = link("accounts.id")
    tag_id: Mapped[int] = link("tags.id", index=True)

    __table_args__ = (UniqueConstraint("account_id", "tag_id"),)


class FeaturedTag(Table):
    __tablename__ = "featured_tags"

    id: Mapped[Id]
    account_id: Mapped[int] = link("accounts.id")
    tag_id: Mapped[int] = link("tags.id")

    __table_args__ = (UniqueConstraint("account_id", "tag_id"),)


class Filter(Table):
    __tablename__ = "filters"

    id: Mapped[Id]
    account_id: Mapped[int] = link("accounts.id", index=True)
    title: Mapped[str] = mapped_column(String(200))
    contexts: Mapped[list[Any]]  # home, notifications, public, thread, account
    action: Mapped[str] = mapped_column(String(6), default="warn")  # warn, hide, blur
    expires_at: Mapped[datetime | None] = mapped_column(default=None)


class FilterKeyword(Table):
    __tablename__ = "filter_keywords"

    id: Mapped[Id]
    filter_id: Mapped[int] = link("filters.id", index=True)
    keyword: Mapped[str] = mapped_column(String(512))
    whole_word: Mapped[bool] = mapped_column(default=True)


class FilterStatus(Table):
    __tablename__ = "filter_statuses"

    id: Mapped[Id]
    filter_id: Mapped[int] = link("filters.id", index=True)
    status_id: Mapped[int] = link("statuses.id")

    __table_args__ = (UniqueConstraint("filter_id", "status_id"),)
