"""What a reader has done with the posts of a page: favourited, boosted, bookmarked, pinned, muted."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import BigInteger, CompoundSelect, Select, String, bindparam, literal_column, select, union_all

from rostra.site.database.tables.posts import Bookmark, Favourite, Status, StatusPin, ThreadMute
from rostra.site.posts.visibility import VIEWER
from rostra.site.work import Work


@dataclass(frozen=True, slots=True)
class Marks:
    """Ids of posts; of threads in `muted`."""

    favourited: frozenset[int] = frozenset()
    reblogged: frozenset[int] = frozenset()
    bookmarked: frozenset[int] = frozenset()
    pinned: frozenset[int] = frozenset()
    muted: frozenset[int] = frozenset()


_IDS: Final = bindparam("ids", expanding=True, type_=BigInteger)
_THREADS: Final = bindparam("threads", expanding=True, type_=BigInteger)


def _those(name: str, table: type[Favourite | Bookmark | StatusPin]) -> Select[str, int]:
    mine = select(literal_column(f"'{name}'", String), table.status_id)
    return mine.where(table.account_id == VIEWER, table.status_id.in_(_IDS))


_MARKS: Final[CompoundSelect[str, int]] = union_all(
    _those("favourited", Favourite),
    _those("bookmarked", Bookmark),
    _those("pinned", StatusPin),
    select(literal_column("'reblogged'", String), Status.reblog_of_id).where(
        Status.account_id == VIEWER, Status.reblog_of_id.in_(_IDS)
    ),
    select(literal_column("'muted'", String), ThreadMute.thread_id).where(
        ThreadMute.account_id == VIEWER, ThreadMute.thread_id.in_(_THREADS)
    ),
)


async def marks(work: Work, rows: Sequence[Status], viewer_id: int | None) -> Marks:
    """One query, however many rows."""
    if viewer_id is None or not rows:
        return Marks()
    values = {
        "viewer_id": viewer_id,
        "ids": list({row.id for row in rows}),
        "threads": list({row.thread_id for row in rows}),
    }
    found: dict[str, set[int]] = {}
    for mark, marked_id in await work.session.execute(_MARKS, values):
        found.setdefault(mark, set()).add(marked_id)
    return Marks(**{mark: frozenset(ids) for mark, ids in found.items()})
