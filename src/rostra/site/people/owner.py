"""How a new installation gets its owner: by a link that only who started it can read. Good once, for a day."""

from datetime import UTC, datetime
from typing import Final

from sqlalchemy import select

from rostra.site.database.engine import Database
from rostra.site.database.migrate import migrate
from rostra.site.database.tables.people import Account, User
from rostra.site.events import AccountChanged
from rostra.site.people import links, lookup
from rostra.site.settings import SiteSettings
from rostra.site.snowflake import Snowflakes
from rostra.site.work import Work

_SHARD: Final = 255  # ids of nobody's process: a machine runs 16 at most


async def there_is_one(work: Work) -> bool:
    query = select(User.account_id).join(Account, Account.id == User.account_id)
    found = await work.session.scalar(query.where(User.role == "owner", Account.deleted_at.is_(None)).limit(1))
    return found is not None


async def offer(work: Work) -> str | None:
    """The address of a new link; None if there is an owner."""
    if await there_is_one(work):
        return None
    token = await links.make(work, "owner", account_id=None)
    return f"{work.settings.url}/owner?token={token}"


async def claim(work: Work, token: str, account_id: int) -> bool:
    """Make somebody the owner; False if the link is not good, or there is an owner by now."""
    if await links.take(work, "owner", token) is None or await there_is_one(work):
        return False
    user = await lookup.user(work, account_id)
    user.role = "owner"
    user.confirmed_at = user.confirmed_at or work.now
    user.approved_at = user.approved_at or work.now
    work.tell(AccountChanged(account_id))
    return True


async def offer_link(settings: SiteSettings) -> str | None:
    """As `offer`, for whoever starts the site: beside its processes, on its database."""
    database = Database(settings.database)
    try:
        await migrate(database)
        async with database.write() as session:
            return await offer(Work(session, datetime.now(UTC), settings, Snowflakes(_SHARD)))
    finally:
        await database.close()
