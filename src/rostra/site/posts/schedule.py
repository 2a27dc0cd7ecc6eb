"""Posts for later: kept as drafts, moved, withdrawn, and posted when they are due."""

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
import structlog
from sqlalchemy import func, select

from rostra.core.limits import SCHEDULED_POSTS_MAX
from rostra.site.answers import RefusedError, invalid, not_found
from rostra.site.database.tables.posts import ScheduledStatus
from rostra.site.mastodon.paging import Page
from rostra.site.posts.compose import claim, post
from rostra.site.posts.draft import Draft
from rostra.site.work import Site, Work

_log = structlog.get_logger()
_AHEAD_MIN: Final = timedelta(minutes=5, seconds=-10)  # a request may have waited for its turn that long


async def schedule(
    work: Work, account_id: int, draft: Draft, at: datetime, *, app_id: int | None = None, key: str = ""
) -> ScheduledStatus:
    """Have `draft` posted at an instant that is at least five minutes ahead. With a `key` used before, that one."""
    _check(work, at)
    scheduled_id = work.make_id()
    before = await claim(work, account_id, key, scheduled_id)
    if before is not None:
        return await the_scheduled(work, account_id, before)
    count = select(func.count()).select_from(ScheduledStatus).where(ScheduledStatus.account_id == account_id)
    if (await work.session.scalar(count) or 0) >= SCHEDULED_POSTS_MAX:
        raise invalid(f"Validation failed: You have exceeded the limit of {SCHEDULED_POSTS_MAX} scheduled posts")
    row = ScheduledStatus(
        id=scheduled_id, account_id=account_id, scheduled_at=at, params=msgspec.to_builtins(draft), app_id=app_id
    )
    work.session.add(row)
    work.later("post.scheduled", {"scheduled_id": row.id}, due_at=at)
    return row


async def move(work: Work, account_id: int, scheduled_id: int, at: datetime) -> ScheduledStatus:
    _check(work, at)
    row = await the_scheduled(work, account_id, scheduled_id)
    row.scheduled_at = at
    work.later("post.scheduled", {"scheduled_id": row.id}, due_at=at)
    return row


async def withdraw(work: Work, account_id: int, scheduled_id: int) -> None:
    await work.session.delete(await the_scheduled(work, account_id, scheduled_id))


async def the_scheduled(work: Work, account_id: int, scheduled_id: int) -> ScheduledStatus:
    row = await work.session.get(ScheduledStatus, scheduled_id)
    if row is None or row.account_id != account_id:
        raise not_found()
    return row


async def scheduled(work: Work, account_id: int, page: Page) -> list[ScheduledStatus]:
    query = page.of(select(ScheduledStatus).where(ScheduledStatus.account_id == account_id), ScheduledStatus.id)
    return page.ordered(list(await work.session.scalars(query)))


def draft_of(row: ScheduledStatus) -> Draft:
    return msgspec.convert(row.params, Draft)


async def publish(site: Site, payload: dict[str, Any]) -> None:
    """A job: post what is due. What cannot be posted any more stays in its author's list, where they see it."""
    try:
        async with site.writing() as work:
            query = select(ScheduledStatus).where(ScheduledStatus.id == payload["scheduled_id"])
            row = await work.session.scalar(query.with_for_update())
            if row is None or row.scheduled_at > work.now:
                return
            await work.session.delete(row)
            await post(work, row.account_id, draft_of(row), app_id=row.app_id)
    except RefusedError as error:
        _log.warning("scheduled_post.refused", scheduled=payload["scheduled_id"], reason=error.message)


async def awaited_at(work: Work, account_id: int, media_id: int) -> datetime | None:
    """When the post for later that holds this attachment is due; None if there is no such post."""
    rows = await work.session.scalars(select(ScheduledStatus).where(ScheduledStatus.account_id == account_id))
    return max((row.scheduled_at for row in rows if media_id in draft_of(row).media_ids), default=None)


def _check(work: Work, at: datetime) -> None:
    if at < work.now + _AHEAD_MIN:
        raise invalid("Validation failed: Scheduled at must be at least 5 minutes in the future")
