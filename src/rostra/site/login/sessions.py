"""Sessions: the browsers in which somebody is logged in. A cookie holds the token, the table its hash."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select, update

from rostra.site.database.tables.people import Account, User, WebSession
from rostra.site.oauth.bearer import Viewer, digest
from rostra.site.work import Work

LIFETIME: Final = timedelta(days=90)  # since it was last used
USED_STEP: Final = timedelta(hours=1)  # how exactly it is known when a session was last used: not a write a page
USER_AGENT_LENGTH_MAX: Final = 300
_SCOPES: Final = ("read", "write", "follow", "push", "admin:read", "admin:write")  # our own pages may do everything


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Who is logged in in a browser, and what its pages show of them."""

    viewer: Viewer
    session: WebSession
    account: Account
    user: User


async def begin(work: Work, account_id: int, *, user_agent: str, second_factor: bool) -> str:
    """The token of a new session. Each log-in makes a new one, so that a token set by others is never used."""
    token = secrets.token_urlsafe(32)
    work.session.add(
        WebSession(
            id=work.make_id(),
            token_hash=digest(token),
            account_id=account_id,
            user_agent=user_agent[:USER_AGENT_LENGTH_MAX],
            second_factor_at=work.now if second_factor else None,
            created_at=work.now,
            used_at=work.now,
            expires_at=work.now + LIFETIME,
        )
    )
    return token


async def find(work: Work, token: str) -> LoggedIn | None:
    """Whose session this is, or None if it has ended."""
    found = (
        await work.session.execute(
            select(WebSession, Account, User)
            .join(Account, Account.id == WebSession.account_id)
            .join(User, User.account_id == WebSession.account_id)
            .where(
                WebSession.token_hash == digest(token),
                WebSession.expires_at > work.now,
                Account.deleted_at.is_(None),
            )
        )
    ).one_or_none()
    if found is None:
        return None
    session, account, user = found
    return LoggedIn(Viewer(account.id, user.role, user.locale, _SCOPES), session, account, user)


def is_stale(session: WebSession, work: Work) -> bool:
    """Whether it should be noted again that the session is used."""
    return work.now - session.used_at > USED_STEP


async def note_use(work: Work, session_id: int) -> None:
    await work.session.execute(
        update(WebSession)
        .where(WebSession.id == session_id)
        .values(used_at=work.now, expires_at=work.now + LIFETIME)
    )


async def sessions_of(work: Work, account_id: int) -> Sequence[WebSession]:
    """The open sessions, last used first."""
    query = select(WebSession).where(WebSession.account_id == account_id, WebSession.expires_at > work.now)
    return (await work.session.scalars(query.order_by(WebSession.used_at.desc()))).all()


async def end(work: Work, account_id: int, session_id: int) -> None:
    await work.session.execute(
        delete(WebSession).where(WebSession.id == session_id, WebSession.account_id == account_id)
    )


async def end_all(work: Work, account_id: int, *, but: int | None = None) -> None:
    query = delete(WebSession).where(WebSession.account_id == account_id)
    await work.session.execute(query if but is None else query.where(WebSession.id != but))
