"""Who asks: the bearer of a token (RFC 6750), and whether the token goes so far."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import select

from rostra.site.answers import RefusedError
from rostra.site.app import TheSite
from rostra.site.database.tables.authorization import Token
from rostra.site.database.tables.people import User
from rostra.site.oauth.scopes import allows
from rostra.site.work import Work


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who is logged in, through an application (`app_id`) or a browser of ours (none)."""

    account_id: int
    role: str
    locale: str
    scopes: tuple[str, ...]
    app_id: int | None = None
    token_id: int | None = None

    @property
    def moderates(self) -> bool:
        return self.role in {"owner", "moderator"}


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token that is valid; `viewer` is empty for one of client credentials."""

    app_id: int
    scopes: tuple[str, ...]
    viewer: Viewer | None


def digest(secret: str) -> str:
    """How tokens, codes and secrets of 256 random bits are kept: without salt, since nobody can guess them."""
    return sha256(secret.encode()).hexdigest()


async def find_bearer(work: Work, token: str) -> Bearer | None:
    """Whose token this is, or None if it is unknown, revoked, or its account may not be used."""
    found = (
        await work.session.execute(
            select(Token, User)
            .outerjoin(User, User.account_id == Token.account_id)
            .where(Token.token_hash == digest(token), Token.revoked_at.is_(None))
        )
    ).one_or_none()
    if found is None:
        return None
    row: Token = found[0]
    user: User | None = found[1]
    scopes = tuple(row.scopes.split())
    if row.account_id is None:
        return Bearer(row.app_id, scopes, None)
    if user is None:
        return None
    return Bearer(row.app_id, scopes, Viewer(row.account_id, user.role, user.locale, scopes, row.app_id, row.id))


def token_of(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token.strip() else None


async def the_bearer(request: Request, site: TheSite) -> Bearer | None:
    """Whose token came with the request; RefusedError (401) for one that is not valid."""
    token = token_of(request)
    if token is None:
        return None
    async with site.reading() as work:
        bearer = await find_bearer(work, token)
    if bearer is None:
        raise RefusedError(
            HTTPStatus.UNAUTHORIZED,
            "The access token is invalid",
            headers={"WWW-Authenticate": 'Bearer realm="Rostra", error="invalid_token"'},
        )
    return bearer


TheBearer = Annotated[Bearer | None, Depends(the_bearer)]


async def anybody(bearer: TheBearer) -> Viewer | None:
    return None if bearer is None else bearer.viewer


Anybody = Annotated[Viewer | None, Depends(anybody)]


def signed_in(*scopes: str) -> Callable[[Bearer | None], Awaitable[Viewer]]:
    """A dependency: the viewer, whose token holds one of `scopes`. 401 without a user's token, 403 beyond it."""

    async def check(bearer: TheBearer) -> Viewer:
        if bearer is None or bearer.viewer is None:
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "This method requires an authenticated user")
        if scopes and not any(allows(bearer.scopes, scope) for scope in scopes):
            raise RefusedError(HTTPStatus.FORBIDDEN, "This action is outside the authorized scopes")
        return bearer.viewer

    return check
