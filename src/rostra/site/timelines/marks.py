"""What a reader has done with the posts of a page: favourited, boosted, bookmarked, pinned, muted."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from rostra.site.database.tables.posts import Bookmark, Favourite, Status, StatusPin, ThreadMute
from rostra.site.work import Work


@dataclass(frozen=True, slots=True)
class Marks:
    """Ids of posts; of threads in `muted`."""

    favourited: frozenset[int] = frozenset()
    reblogged: frozenset[int] = frozenset()
    bookmarked: frozenset[int] = frozenset()
    pinned: frozenset[int] = frozenset()
    muted: frozenset[int] = frozenset()


async def marks(work: Work, rows: Sequence[Status], viewer_id: int | None) -> Marks:
    """Five queries, however many rows."""
    if viewer_id is None or not rows:
        return Marks()
    ids = {row.id for row in rows}

    async def those(table: type[Favourite | Bookmark | StatusPin]) -> frozenset[int]:
        query = select(table.status_id).where(table.account_id == viewer_id, table.status_id.in_(ids))
        return frozenset(await work.session.scalars(query))

    boosted = select(Status.reblog_of_id).where(Status.account_id == viewer_id, Status.reblog_of_id.in_(ids))
    muted = select(ThreadMute.thread_id).where(
        ThreadMute.account_id == viewer_id, ThreadMute.thread_id.in_({row.thread_id for row in rows})
    )
    return Marks(
        favourited=await those(Favourite),
        reblogged=frozenset(each for each in await work.session.scalars(boosted) if each is not None),
        bookmarked=await those(Bookmark),
        pinned=await those(StatusPin),
        muted=frozenset(await work.session.scalars(muted)),
    )
