"""Log-in by password: how often it may be tried, and what is kept of it (an address only in its keyed form)."""

import asyncio
import hmac
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address
from typing import Final

from sqlalchemy import delete, func, select

from rostra.site.answers import RefusedError
from rostra.site.database.tables.people import Account, LoginEvent, User
from rostra.site.login.sessions import USER_AGENT_LENGTH_MAX
from rostra.site.people import passwords
from rostra.site.work import Site, Work

_WINDOW: Final = timedelta(minutes=15)
_FAILURES_ACCOUNT_MAX: Final = 10  # a window; who guesses gets a thousand tries a day, of a password of eight signs
_FAILURES_ADDRESS_MAX: Final = 30  # a whole household, or an office behind one address
KEPT: Final = timedelta(days=28)  # long enough for somebody to see that it was not they


@dataclass(frozen=True, slots=True)
class Attempt:
    """Where somebody tries from."""

    address: str
    user_agent: str


async def by_password(site: Site, email: str, password: str, attempt: Attempt) -> User | None:
    """Whose e-mail address and password these are. It takes as long for addresses that nobody has.

    RefusedError (429) after too many failures with this account or from this address.
    """
    async with site.reading() as work:
        user = await _user_of(work, email)
        await _check_failures(work, None if user is None else user.account_id, attempt)
    known = None if user is None else user.password_hash
    right = await asyncio.to_thread(passwords.matches, known, password[: passwords.LENGTH_MAX])
    if user is not None and right:
        return user
    async with site.writing() as work:
        note(work, None if user is None else user.account_id, "wrong_password", attempt)
    return None


async def check(site: Site, account_id: int, attempt: Attempt) -> None:
    """RefusedError (429) after too many failures: for second factors, which are shorter than passwords."""
    async with site.reading() as work:
        await _check_failures(work, account_id, attempt)


def note(work: Work, account_id: int | None, outcome: str, attempt: Attempt) -> None:
    """`outcome`: logged_in, wrong_password, wrong_code."""
    work.session.add(
        LoginEvent(
            id=work.make_id(),
            account_id=account_id,
            outcome=outcome,
            address_key=address_key(attempt.address, work.settings.key),
            user_agent=attempt.user_agent[:USER_AGENT_LENGTH_MAX],
            at=work.now,
        )
    )


async def forget_old(work: Work) -> None:
    await work.session.execute(delete(LoginEvent).where(LoginEvent.at < work.now - KEPT))


def address_key(address: str, key: bytes) -> str:
    """The same for the same network (IPv6: a /64, which one household has), and of no use without the key."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return ""
    packed = parsed.packed[:8] if isinstance(parsed, IPv6Address) else parsed.packed
    return hmac.digest(key, b"address\0" + packed, sha256).hex()


async def _user_of(work: Work, email: str) -> User | None:
    query = select(User).join(Account, Account.id == User.account_id)
    return await work.session.scalar(
        query.where(User.email_key == email.strip().lower(), Account.deleted_at.is_(None))
    )


async def _check_failures(work: Work, account_id: int | None, attempt: Attempt) -> None:
    failures = select(func.count()).where(LoginEvent.at > work.now - _WINDOW, LoginEvent.outcome != "logged_in")
    key = address_key(attempt.address, work.settings.key)
    of_address = await work.session.scalar(failures.where(LoginEvent.address_key == key)) if key else 0
    of_account = await work.session.scalar(failures.where(LoginEvent.account_id == account_id)) if account_id else 0
    if (of_address or 0) >= _FAILURES_ADDRESS_MAX or (of_account or 0) >= _FAILURES_ACCOUNT_MAX:
        raise RefusedError(
            HTTPStatus.TOO_MANY_REQUESTS,
            "Too many attempts to log in",
            headers={"Retry-After": str(int(_WINDOW.total_seconds()))},
        )
