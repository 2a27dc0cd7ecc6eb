"""Poll: options with their counts, and what the reader chose."""

from collections.abc import Sequence
from typing import NotRequired

from sqlalchemy import select
from typing_extensions import TypedDict

from rostra.site.database.tables.posts import Poll, PollVote, Status
from rostra.site.mastodon.entities.instants import written
from rostra.site.work import Work


class PollOptionEntity(TypedDict):
    title: str
    votes_count: int | None


class PollEntity(TypedDict):
    id: str
    expires_at: str
    expired: bool
    multiple: bool
    votes_count: int
    voters_count: int
    options: list[PollOptionEntity]
    emojis: list[dict[str, str]]
    voted: NotRequired[bool]
    own_votes: NotRequired[list[int]]


async def polls(work: Work, rows: Sequence[Poll], viewer_id: int | None) -> list[PollEntity]:
    """The entities of `rows`, in their order. Counts are hidden until the end where the author wants it so."""
    entities = [_poll(work, row) for row in rows]
    if viewer_id is None or not rows:
        return entities
    ids = [row.id for row in rows]
    votes = await work.session.execute(
        select(PollVote.poll_id, PollVote.choice)
        .where(PollVote.account_id == viewer_id, PollVote.poll_id.in_(ids))
        .order_by(PollVote.voted_at, PollVote.choice)
    )
    chosen: dict[int, list[int]] = {}
    for poll_id, choice in votes:
        chosen.setdefault(poll_id, []).append(choice)
    own = set(
        await work.session.scalars(
            select(Status.id).where(Status.id.in_([row.status_id for row in rows]), Status.account_id == viewer_id)
        )
    )
    for row, entity in zip(rows, entities, strict=True):
        entity["voted"] = row.id in chosen or row.status_id in own
        entity["own_votes"] = chosen.get(row.id, [])
    return entities


def _poll(work: Work, row: Poll) -> PollEntity:
    has_ended = row.expires_at <= work.now
    hidden = row.hide_totals and not has_ended
    return PollEntity(
        id=str(row.id),
        expires_at=written(row.expires_at),
        expired=has_ended,
        multiple=row.multiple,
        votes_count=sum(row.votes),
        voters_count=row.voters_count,
        options=[
            PollOptionEntity(title=title, votes_count=None if hidden else count)
            for title, count in zip(row.options, row.votes, strict=True)
        ],
        emojis=[],
    )
