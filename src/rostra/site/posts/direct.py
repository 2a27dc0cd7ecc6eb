"""Threads of direct posts as those who take part see them: who is in, what came last, whether it was read."""

from collections.abc import Sequence

from sqlalchemy import select

from rostra.site.answers import not_found
from rostra.site.database.insert import insert_once
from rostra.site.database.tables.posts import DirectThread, Mention, Status
from rostra.site.events import DirectThreadChanged
from rostra.site.mastodon.paging import Page
from rostra.site.posts.visibility import seen
from rostra.site.work import Work


async def posted(work: Work, status: Status, mentioned: Sequence[int]) -> None:
    """A direct post was made: it is the newest of its thread for its author and for all whom it mentions."""
    everybody = sorted({status.account_id, *mentioned})
    for account_id in everybody:
        others = [each for each in everybody if each != account_id]
        is_new = await insert_once(
            work.session,
            DirectThread,
            id=work.make_id(),
            account_id=account_id,
            thread_id=status.thread_id,
            last_status_id=status.id,
            participants=others,
            unread=account_id != status.account_id,
        )
        thread = await _of(work, account_id, status.thread_id)
        if not is_new:
            thread.last_status_id = max(thread.last_status_id, status.id)
            thread.participants = sorted({*thread.participants, *others})
            thread.unread = account_id != status.account_id
        work.tell(DirectThreadChanged(thread.id, account_id))


async def deleted(work: Work, status: Status) -> None:
    """A direct post went: the one before it is the last, or the thread is gone."""
    query = select(DirectThread).where(DirectThread.last_status_id == status.id)
    for thread in await work.session.scalars(query):
        before = await work.session.scalar(
            select(Status.id)
            .outerjoin(Mention, (Mention.status_id == Status.id) & (Mention.account_id == thread.account_id))
            .where(
                Status.thread_id == status.thread_id,
                Status.id < status.id,
                Status.visibility == "direct",
                Status.deleted_at.is_(None),
                (Status.account_id == thread.account_id) | Mention.status_id.is_not(None),
            )
            .order_by(Status.id.desc())
            .limit(1)
        )
        if before is None:
            await work.session.delete(thread)
        else:
            thread.last_status_id = before


async def threads(work: Work, account_id: int, page: Page) -> list[DirectThread]:
    """The newest first: paged by their last posts, as Mastodon's are."""
    query = (
        seen(account_id, work.now)
        .join(DirectThread, DirectThread.last_status_id == Status.id)
        .where(DirectThread.account_id == account_id)
        .with_only_columns(DirectThread)
    )
    return page.ordered(list(await work.session.scalars(page.of(query, DirectThread.last_status_id))))


async def read(work: Work, account_id: int, direct_thread_id: int, *, unread: bool = False) -> DirectThread:
    thread = await _own(work, account_id, direct_thread_id)
    thread.unread = unread
    return thread


async def forget(work: Work, account_id: int, direct_thread_id: int) -> None:
    """Take the thread out of one's own list; its posts stay, and the next one brings it back."""
    await work.session.delete(await _own(work, account_id, direct_thread_id))


async def _own(work: Work, account_id: int, direct_thread_id: int) -> DirectThread:
    thread = await work.session.get(DirectThread, direct_thread_id)
    if thread is None or thread.account_id != account_id:
        raise not_found()
    return thread


async def _of(work: Work, account_id: int, thread_id: int) -> DirectThread:
    query = select(DirectThread).where(DirectThread.account_id == account_id, DirectThread.thread_id == thread_id)
    return (await work.session.scalars(query.with_for_update())).one()
