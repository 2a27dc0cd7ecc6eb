"""What asks for somebody's attention: notifications, read markers, announcements, web push."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from rostra.site.database.tables.columns import Id, Table, link


class Notification(Table):
    __tablename__ = "notifications"

    id: Mapped[Id]
    account_id: Mapped[int] = link("accounts.id")
    kind: Mapped[str] = mapped_column(String(24))  # the API's type: mention, reblog, follow…
    from_id: Mapped[int] = link("accounts.id", index=True)
    status_id: Mapped[int | None] = link("statuses.id", index=True)
    report_id: Mapped[int | None] = link("reports.id")
    decision_id: Mapped[int | None] = link("decisions.id")
    group_key: Mapped[str] = mapped_column(String(60))
    filtered: Mapped[bool] = mapped_column(default=False)  # kept apart by the policy, until somebody accepts it
    created_at: Mapped[datetime]

    __table_args__ = (
        Index("ix_notifications_account_id_id", "account_id", "id"),
        Index("ix_notifications_account_id_group_key", "account_id", "group_key"),
    )


class Marker(Table):
    """How far somebody has read a timeline; `version` guards against two clients writing at once."""

    __tablename__ = "markers"

    account_id: Mapped[int] = link("accounts.id", primary_key=True)
    timeline: Mapped[str] = mapped_column(String(20), primary_key=True)
    last_read_id: Mapped[int]
    version: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime]


class Announcement(Table):
    """What the operator tells everybody."""

    __tablename__ = "announcements"

    id: Mapped[Id]
    text: Mapped[str] = mapped_column(Text)
    conversation_id: Mapped[int | None] = mapped_column(default=None)
    starts_at: Mapped[datetime | None] = mapped_column(default=None)
    ends_at: Mapped[datetime | None] = mapped_column(default=None)
    all_day: Mapped[bool] = mapped_column(default=False)
    published_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class AnnouncementRead(Table):
    __tablename__ = "announcement_reads"

    announcement_id: Mapped[int] = link("announcements.id", primary_key=True)
    account_id: Mapped[int] = link("accounts.id", primary_key=True)


class AnnouncementReaction(Table):
    __tablename__ = "announcement_reactions"

    id: Mapped[Id]
    announcement_id: Mapped[int] = link("announcements.id")
    account_id: Mapped[int] = link("accounts.id")
    name: Mapped[str] = mapped_column(String(40))  # an emoji

    __table_args__ = (UniqueConstraint("announcement_id", "account_id", "name"),)


class PushSubscription(Table):
    """A browser or client that wants notifications pushed (RFC 8030, 8291)."""

    __tablename__ = "push_subscriptions"

    id: Mapped[Id]
    account_id: Mapped[int] = link("accounts.id", index=True)
    token_id: Mapped[int | None] = link("oauth_tokens.id", index=True)  # empty: a browser of our own pages
    endpoint: Mapped[str] = mapped_column(Text)
    key_p256dh: Mapped[str] = mapped_column(String(120))
    key_auth: Mapped[str] = mapped_column(String(40))
    alerts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    policy: Mapped[str] = mapped_column(String(10), default="all")
    standard: Mapped[bool] = mapped_column(default=True)


class NotificationPolicy(Table):
    """Whose notifications somebody accepts, filters or drops (the API's for_not_following and the like)."""

    __tablename__ = "notification_policies"

    account_id: Mapped[int] = link("accounts.id", primary_key=True)
    choices: Mapped[dict[str, Any]]


class NotificationPermission(Table):
    """Somebody whose notifications are accepted, whatever the policy says."""

    __tablename__ = "notification_permissions"

    account_id: Mapped[int] = link("accounts.id", primary_key=True)
    from_id: Mapped[int] = link("accounts.id", primary_key=True)
