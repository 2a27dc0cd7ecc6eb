"""Who there is: accounts (what others see), users (who logs in), and how they prove it."""

from datetime import datetime
from typing import Any

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from rostra.site.database.tables.columns import Id, Table, link


class Account(Table):
    """What others see of somebody. Restrictions are not here: they are the open rows of account_restrictions."""

    __tablename__ = "accounts"

    id: Mapped[Id]
    username: Mapped[str] = mapped_column(String(30))
    username_key: Mapped[str] = mapped_column(String(30), unique=True)  # in lower case
    display_name: Mapped[str] = mapped_column(String(60), default="")
    note: Mapped[str] = mapped_column(Text, default="")  # as it was written; the API renders it
    fields: Mapped[list[Any]] = mapped_column(default=list)  # [{"name": …, "value": …}], four at most
    avatar: Mapped[str | None] = mapped_column(String(80), default=None)  # a name in the media store
    avatar_description: Mapped[str] = mapped_column(Text, default="")
    header: Mapped[str | None] = mapped_column(String(80), default=None)
    header_description: Mapped[str] = mapped_column(Text, default="")
    locked: Mapped[bool] = mapped_column(default=False)
    bot: Mapped[bool] = mapped_column(default=False)
    discoverable: Mapped[bool] = mapped_column(default=True)
    indexable: Mapped[bool] = mapped_column(default=True)
    hide_collections: Mapped[bool] = mapped_column(default=False)
    followers_count: Mapped[int] = mapped_column(default=0)
    following_count: Mapped[int] = mapped_column(default=0)
    statuses_count: Mapped[int] = mapped_column(default=0)
    last_status_at: Mapped[datetime | None] = mapped_column(default=None)
    created_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None] = mapped_column(default=None)


class User(Table):
    """Who logs in to an account; nobody else sees any of it."""

    __tablename__ = "users"

    account_id: Mapped[int] = link("accounts.id", primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)  # in lower case
    password_hash: Mapped[str] = mapped_column(String(200))  # Argon2id, with its own salt and parameters
    role: Mapped[str] = mapped_column(String(12), default="member")  # core.roles: owner, moderator, member
    locale: Mapped[str] = mapped_column(String(8), default="en")
    time_zone: Mapped[str] = mapped_column(String(60), default="UTC")
    confirmed_at: Mapped[datetime | None] = mapped_column(default=None)
    approved_at: Mapped[datetime | None] = mapped_column(default=None)
    invite_request: Mapped[str | None] = mapped_column(Text, default=None)  # why somebody wants to join
    totp_secret: Mapped[str | None] = mapped_column(String(200), default=None)  # sealed with the site's key
    totp_last_step: Mapped[int] = mapped_column(default=0)  # a code is taken once (RFC 6238 §5.2)
    recovery_codes: Mapped[list[Any]] = mapped_column(default=list)  # their hashes
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)  # posting:default:visibility and the like
    created_by_app_id: Mapped[int | None] = mapped_column(default=None)
    created_at: Mapped[datetime]


class WebSession(Table):
    """A browser in which somebody is logged in. The cookie's token is kept hashed."""

    __tablename__ = "web_sessions"

    id: Mapped[Id]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256: the token has 256 random bits
    account_id: Mapped[int] = link("accounts.id", index=True)
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    second_factor_at: Mapped[datetime | None] = mapped_column(default=None)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class Passkey(Table):
    """A WebAuthn credential (W3C WebAuthn Level 3)."""

    __tablename__ = "passkeys"

    id: Mapped[Id]
    account_id: Mapped[int] = link("accounts.id", index=True)
    credential_id: Mapped[str] = mapped_column(String(1400), unique=True)  # base64url
    public_key: Mapped[str] = mapped_column(Text)
    sign_count: Mapped[int] = mapped_column(default=0)
    name: Mapped[str] = mapped_column(String(60), default="")
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None] = mapped_column(default=None)


class EmailToken(Table):
    """A link that was sent by e-mail (to confirm it, for a new password), or printed for the first owner."""

    __tablename__ = "email_tokens"

    id: Mapped[Id]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    purpose: Mapped[str] = mapped_column(String(20))  # confirm, change, reset, owner
    account_id: Mapped[int | None] = link("accounts.id", index=True)
    email: Mapped[str] = mapped_column(String(254), default="")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None] = mapped_column(default=None)


class EmailDomainBlock(Table):
    """A provider of e-mail from which nobody may join."""

    __tablename__ = "email_domain_blocks"

    id: Mapped[Id]
    domain: Mapped[str] = mapped_column(String(253), unique=True)
    created_at: Mapped[datetime]


class LoginEvent(Table):
    """When and how somebody logged in or failed to; kept for a few weeks. The address only in its keyed form."""

    __tablename__ = "login_events"

    id: Mapped[Id]
    account_id: Mapped[int | None] = link("accounts.id", index=True)  # empty: nobody has that e-mail address
    outcome: Mapped[str] = mapped_column(String(20))
    address_key: Mapped[str] = mapped_column(String(64), index=True)
    user_agent: Mapped[str] = mapped_column(String(300), default="")
    at: Mapped[datetime] = mapped_column(index=True)


class AccountNote(Table):
    """What somebody wrote down about an account, for themselves."""

    __tablename__ = "account_notes"

    account_id: Mapped[int] = link("accounts.id", primary_key=True)
    about_id: Mapped[int] = link("accounts.id", primary_key=True)
    text: Mapped[str] = mapped_column(Text)


class Endorsement(Table):
    """An account that somebody shows on their profile."""

    __tablename__ = "endorsements"

    id: Mapped[Id]
    account_id: Mapped[int] = link("accounts.id")
    endorsed_id: Mapped[int] = link("accounts.id")

    __table_args__ = (UniqueConstraint("account_id", "endorsed_id"),)
