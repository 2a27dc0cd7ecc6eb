"""Who asks: the bearer of a token (RFC 6750), and whether the token goes so far."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Depends, Request
from sqlalchemy import String, bindparam, select, update

from rostra.site.answers import RefusedError
from rostra.site.app import TheSite
from rostra.site.database.tables.authorization import Token
from rostra.site.database.tables.columns import Instant
from rostra.site.database.tables.people import Account, User
from rostra.site.envelope import count_account
from rostra.site.moderation.restrictions import account_is
from rostra.site.oauth.scopes import allows
from rostra.site.work import Work

_USED_STEP: Final = timedelta(days=1)  # how exactly it is known when a token was last used: not a write a request


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
    """A token that is valid. `viewer` is empty for one of client credentials, and where `refused` says why not."""

    app_id: int
    scopes: tuple[str, ...]
    viewer: Viewer | None
    account_id: int | None = None
    token_id: int | None = None
    refused: str | None = None
    stale: bool = False  # not noted as used for a day


def digest(secret: str) -> str:
    """How tokens, codes and secrets of 256 random bits are kept: without salt, since nobody can guess them."""
    return sha256(secret.encode()).hexdigest()


_NOW: Final = bindparam("now", type_=Instant)
# Written once: every request asks it, and writing it takes longer than asking.
_BEARER: Final = (
    select(
        Token,
        User,
        Account.deleted_at,
        account_is("suspend", Account.id, _NOW) | account_is("disable", Account.id, _NOW),
    )
    .outerjoin(User, User.account_id == Token.account_id)
    .outerjoin(Account, Account.id == Token.account_id)
    .where(Token.token_hash == bindparam("token_hash", type_=String), Token.revoked_at.is_(None))
)


async def find_bearer(work: Work, token: str) -> Bearer | None:
    """Whose token this is, or None if it is unknown or revoked, or its account is no more."""
    found = (await work.session.execute(_BEARER, {"token_hash": digest(token), "now": work.now})).one_or_none()
    if found is None:
        return None
    row: Token = found[0]
    user: User | None = found[1]
    deleted_at, closed = found[2:]
    scopes = tuple(row.scopes.split())
    stale = row.used_at is None or work.now - row.used_at > _USED_STEP
    if row.account_id is None:
        return Bearer(row.app_id, scopes, None, token_id=row.id, stale=stale)
    if user is None or deleted_at is not None:
        return None
    refused = why_not(user, closed=bool(closed))
    viewer = Viewer(row.account_id, user.role, user.locale, scopes, row.app_id, row.id)
    return Bearer(row.app_id, scopes, None if refused else viewer, row.account_id, row.id, refused, stale)


async def still_good(work: Work, token_ids: Iterable[int]) -> set[int]:
    """Those of the tokens that somebody may still use."""
    query = (
        select(Token.id)
        .join(Account, Account.id == Token.account_id)
        .where(
            Token.id.in_(list(token_ids)),
            Token.revoked_at.is_(None),
            Account.deleted_at.is_(None),
            ~account_is("suspend", Account.id, work.now),
            ~account_is("disable", Account.id, work.now),
        )
    )
    return set(await work.session.scalars(query))


def why_not(user: User, *, closed: bool) -> str | None:
    """Why somebody may not use their account, in Mastodon's words; None if they may."""
    if closed:
        return "Your login is currently disabled"
    if user.confirmed_at is None:
        return "Your login is missing a confirmed e-mail address"
    if user.approved_at is None:
        return "Your login is currently pending approval"
    return None


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
    if bearer.account_id is not None:
        count_account(request, bearer.account_id)
    if bearer.stale:
        async with site.writing() as work:
            await work.session.execute(update(Token).where(Token.id == bearer.token_id).values(used_at=work.now))
    return bearer


TheBearer = Annotated[Bearer | None, Depends(the_bearer)]


async def anybody(bearer: TheBearer) -> Viewer | None:
    return None if bearer is None else bearer.viewer


Anybody = Annotated[Viewer | None, Depends(anybody)]


def signed_in(*scopes: str) -> Callable[[Bearer | None], Awaitable[Viewer]]:
    """A dependency: the viewer, whose token holds one of `scopes`. 401 without a user's token, 403 beyond it."""

    async def check(bearer: TheBearer) -> Viewer:
        if bearer is not None and bearer.refused:
            raise RefusedError(HTTPStatus.FORBIDDEN, bearer.refused)
        if bearer is None or bearer.viewer is None:
            raise RefusedError(HTTPStatus.UNAUTHORIZED, "This method requires an authenticated user")
        check_scopes(bearer, *scopes)
        return bearer.viewer

    return check


def check_scopes(bearer: Bearer, *scopes: str) -> None:
    """RefusedError (403) if there are `scopes` and the token holds none of them."""
    if scopes and not any(allows(bearer.scopes, scope) for scope in scopes):
        raise RefusedError(HTTPStatus.FORBIDDEN, "This action is outside the authorized scopes")


async def an_app(bearer: TheBearer) -> Bearer:
    """Whoever brings a token, an application by itself too, or somebody who may not use their account yet."""
    if bearer is None:
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "The access token is invalid")
    return bearer


AnApp = Annotated[Bearer, Depends(an_app)]
