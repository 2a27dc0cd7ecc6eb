"""What is talked about: hashtags, posts and links of the last two days, by how many people use or liked them."""

from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement, func, select

from rostra.site.database.tables.people import Account
from rostra.site.database.tables.posts import Status, StatusTag, Tag
from rostra.site.moderation.restrictions import account_is
from rostra.site.posts.visibility import seen, wanted
from rostra.site.snowflake import first_of
from rostra.site.work import Work

_LASTS: Final = timedelta(days=2)
_PEOPLE_MIN: Final = 2  # what one person repeats is no trend


async def tags(work: Work, *, limit: int, offset: int = 0) -> list[Tag]:
    people = func.count(Status.account_id.distinct())
    query = (
        select(Tag)
        .join(StatusTag, StatusTag.tag_id == Tag.id)
        .join(Status, Status.id == StatusTag.status_id)
        .where(*_public(work))
        .group_by(Tag.id)
        .having(people >= _PEOPLE_MIN)
        .order_by(people.desc(), Tag.id)
    )
    return list(await work.session.scalars(query.limit(limit).offset(offset)))


async def statuses(work: Work, viewer_id: int | None, *, limit: int, offset: int = 0) -> list[Status]:
    """Those of people who want to be discovered."""
    liked = Status.favourites_count + 2 * Status.reblogs_count
    discoverable = select(Account.id).where(Account.id == Status.account_id, Account.discoverable)
    query = (
        seen(viewer_id, work.now)
        .where(
            wanted(viewer_id, work.now),
            *_public(work),
            Status.reblog_of_id.is_(None),
            discoverable.correlate(Status).exists(),
            liked >= _PEOPLE_MIN,
        )
        .order_by(liked.desc(), Status.id.desc())
    )
    return list(await work.session.scalars(query.limit(limit).offset(offset)))


async def card_ids(work: Work, *, limit: int, offset: int = 0) -> list[tuple[int, int, int]]:
    """Of links: the card, by how many posts and by how many people it was posted."""
    people = func.count(Status.account_id.distinct())
    query = (
        select(Status.card_id, func.count(), people)
        .where(*_public(work), Status.card_id.is_not(None))
        .group_by(Status.card_id)
        .having(people >= _PEOPLE_MIN)
        .order_by(people.desc(), Status.card_id)
    )
    rows = await work.session.execute(query.limit(limit).offset(offset))
    return [(card_id, posts, accounts) for card_id, posts, accounts in rows if card_id is not None]


def _public(work: Work) -> tuple[ColumnElement[bool], ...]:
    return (
        Status.id >= first_of(work.now - _LASTS),
        Status.visibility == "public",
        Status.deleted_at.is_(None),
        ~account_is("silence", Status.account_id, work.now),
        ~account_is("suspend", Status.account_id, work.now),
    )
