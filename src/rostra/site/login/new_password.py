"""A new password: by who knows the old one, or by a link that was sent; it ends what others may have opened."""

import asyncio

from sqlalchemy import update

from rostra.site.database.tables.authorization import Token
from rostra.site.database.tables.people import User
from rostra.site.events import TokenRevoked
from rostra.site.login import sessions
from rostra.site.mail.post import send
from rostra.site.people import links, lookup, passwords
from rostra.site.work import Site, Work


async def by_link(site: Site, token: str, password: str) -> int | None:
    """Whose password it is now; None if the link is not good (any more). Also ends what applications may do."""
    async with site.reading() as work:  # hashing costs: not for links that are none
        if await links.find(work, "reset", token) is None:
            return None
    password_hash = await asyncio.to_thread(passwords.hashed, password)
    async with site.writing() as work:
        link = await links.take(work, "reset", token)
        if link is None or link.account_id is None:
            return None
        user = await lookup.user(work, link.account_id)
        if user.email != link.email:
            return None
        user.confirmed_at = user.confirmed_at or work.now  # who reads the letter has the address
        await _change(work, user, password_hash, keep=None)
        revoked = await work.session.scalars(
            update(Token)
            .where(Token.account_id == user.account_id, Token.revoked_at.is_(None))
            .values(revoked_at=work.now)
            .returning(Token.id)
        )
        for token_id in revoked:
            work.tell(TokenRevoked(token_id))
    return user.account_id


async def by_old(site: Site, account_id: int, password: str, *, keep_session: int) -> None:
    """The old one is checked already."""
    password_hash = await asyncio.to_thread(passwords.hashed, password)
    async with site.writing() as work:
        await _change(work, await lookup.user(work, account_id), password_hash, keep=keep_session)


async def _change(work: Work, user: User, password_hash: str, *, keep: int | None) -> None:
    user.password_hash = password_hash
    await sessions.end_all(work, user.account_id, but=keep)
    account = await lookup.account(work, user.account_id)
    values = {"username": account.username, "url": f"{work.settings.url}/password"}
    send(work, "password_changed", to=user.email, locale=user.locale, values=values)
