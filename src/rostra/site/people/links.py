"""Links that prove something once: that somebody reads an e-mail address, or that somebody is the operator."""

import secrets
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, func, select

from rostra.site.database.tables.people import Account, EmailToken, User
from rostra.site.events import AccountChanged
from rostra.site.mail.post import send
from rostra.site.oauth.bearer import digest
from rostra.site.work import Work

# Purpose: how long its link is good. A new password is asked for by who waits for the mail.
LIFETIMES: Final = {
    "confirm": timedelta(days=7),
    "change": timedelta(days=1),
    "reset": timedelta(hours=1),
    "owner": timedelta(days=1),
}
_OPEN_MAX: Final = 5  # links of one account and purpose: who asks for more has not looked into the mailbox


async def make(work: Work, purpose: str, *, account_id: int | None, email: str = "") -> str | None:
    """The token of a new link, which is not kept; None if too many were made lately."""
    made = await work.session.scalar(
        select(func.count())
        .select_from(EmailToken)
        .where(
            EmailToken.purpose == purpose,
            EmailToken.account_id == account_id,
            EmailToken.created_at > work.now - timedelta(hours=1),
        )
    )
    if account_id is not None and (made or 0) >= _OPEN_MAX:
        return None
    token = secrets.token_urlsafe(32)
    work.session.add(
        EmailToken(
            id=work.make_id(),
            token_hash=digest(token),
            purpose=purpose,
            account_id=account_id,
            email=email,
            created_at=work.now,
            expires_at=work.now + LIFETIMES[purpose],
        )
    )
    return token


async def find(work: Work, purpose: str, token: str) -> EmailToken | None:
    """The link, if it is good: to show a form. None if it is unknown, used or too old."""
    return await work.session.scalar(
        select(EmailToken).where(
            EmailToken.token_hash == digest(token),
            EmailToken.purpose == purpose,
            EmailToken.used_at.is_(None),
            EmailToken.expires_at > work.now,
        )
    )


async def take(work: Work, purpose: str, token: str) -> EmailToken | None:
    """As `find`, and nobody can take it again, also not at the same instant."""
    return await work.session.scalar(
        delete(EmailToken)
        .where(
            EmailToken.token_hash == digest(token),
            EmailToken.purpose == purpose,
            EmailToken.used_at.is_(None),
            EmailToken.expires_at > work.now,
        )
        .returning(EmailToken)
        .execution_options(synchronize_session=False)
    )


async def send_confirmation(work: Work, user: User, account: Account, *, email: str | None = None) -> bool:
    """Send the link that confirms the address, or the new one `email`. False if too many were sent lately."""
    purpose = "confirm" if email is None else "change"
    token = await make(work, purpose, account_id=user.account_id, email=email or user.email)
    if token is None:
        return False
    values = {"username": account.username, "url": f"{work.settings.url}/confirm?token={token}"}
    send(work, purpose, to=email or user.email, locale=user.locale, values=values)
    return True


async def confirm(work: Work, token: str) -> User | None:
    """Whose address is confirmed by this link: that of a new account, or a new address. None if it is not good.

    A new address that somebody else has taken meanwhile is not.
    """
    link = await take(work, "confirm", token) or await take(work, "change", token)
    if link is None or link.account_id is None:
        return None
    user = await work.session.get(User, link.account_id)
    if user is None:
        return None
    if link.purpose == "change":
        others = select(User.account_id).where(User.email_key == link.email.lower())
        if await work.session.scalar(others) not in {None, user.account_id}:
            return None
        account = await work.session.get_one(Account, user.account_id)
        values = {"username": account.username, "contact": work.settings.contact}
        send(work, "email_changed", to=user.email, locale=user.locale, values=values)
        user.email, user.email_key = link.email, link.email.lower()
    elif user.email != link.email:
        return None
    user.confirmed_at = user.confirmed_at or work.now
    work.tell(AccountChanged(user.account_id))
    return user


async def send_reset(work: Work, email: str) -> None:
    """Send a link for a new password, if the address is somebody's; nobody is told whether it is."""
    query = select(User).join(Account, Account.id == User.account_id)
    user = await work.session.scalar(
        query.where(User.email_key == email.strip().lower(), Account.deleted_at.is_(None))
    )
    token = None if user is None else await make(work, "reset", account_id=user.account_id, email=user.email)
    if user is not None and token is not None:
        values = {"url": f"{work.settings.url}/reset?token={token}"}
        send(work, "reset", to=user.email, locale=user.locale, values=values)
