"""OAuth 2 (RFC 6749): the applications, their grants and tokens. Secrets, codes and tokens are kept hashed."""

from datetime import datetime
from typing import Any

from sqlalchemy import String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from rostra.site.database.tables.columns import Id, Table, link


class App(Table):
    __tablename__ = "oauth_apps"

    id: Mapped[Id]
    client_id: Mapped[str] = mapped_column(String(64), unique=True)
    secret_hash: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(60))
    website: Mapped[str | None] = mapped_column(String(2000), default=None)
    redirect_uris: Mapped[list[Any]]
    scopes: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]


class Grant(Table):
    """An authorization code, good once and for ten minutes (RFC 6749 §4.1.2)."""

    __tablename__ = "oauth_grants"

    id: Mapped[Id]
    code_hash: Mapped[str] = mapped_column(String(64), unique=True)
    app_id: Mapped[int] = link("oauth_apps.id")
    account_id: Mapped[int] = link("accounts.id")
    redirect_uri: Mapped[str] = mapped_column(Text)
    scopes: Mapped[str] = mapped_column(Text)
    challenge: Mapped[str | None] = mapped_column(String(128), default=None)  # RFC 7636
    challenge_method: Mapped[str | None] = mapped_column(String(8), default=None)
    expires_at: Mapped[datetime]


class Token(Table):
    """A bearer token. `account_id` is empty for one of client credentials."""

    __tablename__ = "oauth_tokens"

    id: Mapped[Id]
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    app_id: Mapped[int] = link("oauth_apps.id", index=True)
    account_id: Mapped[int | None] = link("accounts.id", index=True)
    scopes: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None] = mapped_column(default=None)  # to the day
    revoked_at: Mapped[datetime | None] = mapped_column(default=None)


class IdempotencyKey(Table):
    """What a request with this key has made, so that it is not made twice."""

    __tablename__ = "idempotency_keys"

    id: Mapped[Id]
    account_id: Mapped[int] = link("accounts.id")
    key: Mapped[str] = mapped_column(String(200))
    status_id: Mapped[int]
    expires_at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("account_id", "key"),)
