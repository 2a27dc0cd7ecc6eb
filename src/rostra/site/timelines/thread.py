"""What a post answers, and what answers it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import literal, select
from sqlalchemy.orm import aliased

from rostra.core.limits import (
    THREAD_ANCESTORS_ANONYMOUS_MAX,
    THREAD_DEPTH_ANONYMOUS_MAX,
    THREAD_POSTS_ANONYMOUS_MAX,
    THREAD_POSTS_MAX,
)
from rostra.site.database.tables.posts import Status
from rostra.site.posts.visibility import seen, wanted
from rostra.site.work import Work

_ROWS_MAX: Final = 4 * THREAD_POSTS_MAX  # ids of a thread that are looked at: 8 ms


@dataclass(frozen=True, slots=True)
class Thread:
    ancestors: list[Status]
    descendants: list[Status]


async def thread_of(work: Work, status: Status, viewer_id: int | None) -> Thread:
    """The posts around `status` that the viewer may see; fewer for whoever comes along, since crowds come along."""
    is_known = viewer_id is not None
    up = await _ancestors(work, status, THREAD_POSTS_MAX if is_known else THREAD_ANCESTORS_ANONYMOUS_MAX)
    answers = await work.session.execute(
        select(Status.id, Status.in_reply_to_id)
        .where(Status.thread_id == status.thread_id, Status.id > status.id, Status.in_reply_to_id.is_not(None))
        .order_by(Status.id)
        .limit(_ROWS_MAX)
    )
    down = descend(
        status.id,
        {answer: parent for answer, parent in answers if parent is not None},
        posts_max=THREAD_POSTS_MAX if is_known else THREAD_POSTS_ANONYMOUS_MAX,
        depth_max=THREAD_POSTS_MAX if is_known else THREAD_DEPTH_ANONYMOUS_MAX,
    )
    shown = {row.id: row for row in await _shown(work, [*up, *down], viewer_id)}
    return Thread([shown[each] for each in up if each in shown], [shown[each] for each in down if each in shown])


def descend(root: int, parents: Mapping[int, int], *, posts_max: int, depth_max: int) -> list[int]:
    """The posts below `root`, each followed by its answers, the oldest first. `parents`: a post to what it answers.

    Pure.
    """
    answers: dict[int, list[int]] = {}
    for answer in sorted(parents):
        answers.setdefault(parents[answer], []).append(answer)
    found: list[int] = []
    waiting = [(each, 1) for each in reversed(answers.get(root, []))]
    while waiting and len(found) < posts_max:
        status_id, depth = waiting.pop()
        found.append(status_id)
        if depth < depth_max:
            waiting.extend((each, depth + 1) for each in reversed(answers.get(status_id, [])))
    return found


async def _ancestors(work: Work, status: Status, posts_max: int) -> list[int]:
    """From the one that began it to the one that `status` answers; the nearest where there are too many."""
    if status.in_reply_to_id is None:
        return []
    above = (
        select(Status.id, Status.in_reply_to_id, literal(1).label("height"))
        .where(Status.id == status.in_reply_to_id)
        .cte("above", recursive=True)
    )
    parent = aliased(Status)
    above = above.union_all(
        select(parent.id, parent.in_reply_to_id, above.c.height + 1).where(
            parent.id == above.c.in_reply_to_id, above.c.height < posts_max
        )
    )
    return list(await work.session.scalars(select(above.c.id).order_by(above.c.height.desc())))


async def _shown(work: Work, ids: Sequence[int], viewer_id: int | None) -> list[Status]:
    if not ids:
        return []
    query = seen(viewer_id, work.now).where(Status.id.in_(ids), wanted(viewer_id, work.now))
    return list(await work.session.scalars(query))
