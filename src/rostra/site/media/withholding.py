"""Files of posts that nobody sees now are at their addresses no longer, and are again when the posts are."""

import asyncio
from typing import Any, Final

from sqlalchemy import and_, select

from rostra.site.database.tables.media import MediaAttachment
from rostra.site.database.tables.people import Account
from rostra.site.database.tables.posts import Status
from rostra.site.media.store import Store
from rostra.site.moderation.restrictions import not_hidden
from rostra.site.work import Site

WITHHOLD: Final = "media.withhold"


async def withhold(site: Site, payload: dict[str, Any]) -> None:
    """Job: have the files of a post (`status_id`) or of an account's posts (`account_id`) be as it is now."""
    async with site.reading() as work:
        is_seen = and_(not_hidden(Status, work.now), Status.deleted_at.is_(None), Account.deleted_at.is_(None))
        query = (
            select(MediaAttachment.file, MediaAttachment.preview, is_seen)
            .join(Status, Status.id == MediaAttachment.status_id)
            .join(Account, Account.id == Status.account_id)
        )
        if "status_id" in payload:
            query = query.where(Status.id == payload["status_id"])
        else:
            query = query.where(Status.account_id == payload["account_id"])
        rows = (await work.session.execute(query)).all()
    store = Store(site.settings.media)
    shown = [name for file, preview, seen in rows if seen for name in (file, preview)]
    hidden = [name for file, preview, seen in rows if not seen for name in (file, preview)]
    await asyncio.to_thread(store.withhold, *hidden)
    await asyncio.to_thread(store.release, *shown)
