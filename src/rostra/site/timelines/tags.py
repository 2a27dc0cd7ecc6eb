"""Hashtags: followed, featured on a profile, and how much they are used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from sqlalchemy import delete, func, select

from rostra.core.limits import FEATURED_TAGS_MAX
from rostra.site.answers import invalid, not_found
from rostra.site.database.insert import insert_once
from rostra.site.database.tables.graph import FeaturedTag, TagFollow
from rostra.site.database.tables.posts import Status, StatusTag, Tag
from rostra.site.events import RelationChanged
from rostra.site.mastodon.paging import Page
from rostra.site.posts.naming import tag_ids
from rostra.site.posts.text import hashtags
from rostra.site.snowflake import first_of, instant_of
from rostra.site.work import Work

HISTORY_DAYS: Final = 7  # what clients draw


@dataclass(frozen=True, slots=True)
class Use:
    """Of a hashtag on one day: by how many posts, of how many accounts."""

    posts: int
    accounts: int


@dataclass(frozen=True, slots=True)
class Featured:
    row: FeaturedTag
    tag: Tag
    statuses_count: int
    last_status_on: date | None


async def find(work: Work, names: Sequence[str]) -> dict[str, Tag]:
    """The hashtags of those keys that have been used."""
    return {row.name: row for row in await work.session.scalars(select(Tag).where(Tag.name.in_(names)))}


async def make(work: Work, written: str) -> Tag:
    """The hashtag, made if nobody used it yet. RefusedError for what is none."""
    found = hashtags(f"#{written.removeprefix('#')}")
    if len(found) != 1 or next(iter(found.values())) != written.removeprefix("#"):
        raise invalid("Validation failed: Tag is invalid")
    ids = await tag_ids(work, found)
    if not ids:
        raise invalid("Validation failed: Tag is too long")
    return await work.session.get_one(Tag, next(iter(ids.values())))


async def follow(work: Work, account_id: int, written: str) -> Tag:
    tag = await make(work, written)
    await insert_once(work.session, TagFollow, id=work.make_id(), account_id=account_id, tag_id=tag.id)
    work.tell(RelationChanged(account_id))
    return tag


async def unfollow(work: Work, account_id: int, written: str) -> Tag:
    tag = await make(work, written)
    await work.session.execute(
        delete(TagFollow).where(TagFollow.account_id == account_id, TagFollow.tag_id == tag.id)
    )
    work.tell(RelationChanged(account_id))
    return tag


async def followed(work: Work, account_id: int, page: Page) -> list[tuple[int, Tag]]:
    """With the ids of the follows, by which they are paged."""
    query = select(TagFollow.id, Tag).join(Tag, Tag.id == TagFollow.tag_id)
    query = page.of(query.where(TagFollow.account_id == account_id), TagFollow.id)
    return page.ordered([(edge, tag) for edge, tag in await work.session.execute(query)])


async def following(work: Work, account_id: int, ids: Sequence[int]) -> set[int]:
    """Which of the hashtags `ids` somebody follows."""
    query = select(TagFollow.tag_id).where(TagFollow.account_id == account_id, TagFollow.tag_id.in_(ids))
    return set(await work.session.scalars(query))


async def featuring(work: Work, account_id: int, ids: Sequence[int]) -> set[int]:
    query = select(FeaturedTag.tag_id).where(FeaturedTag.account_id == account_id, FeaturedTag.tag_id.in_(ids))
    return set(await work.session.scalars(query))


async def feature(work: Work, account_id: int, written: str) -> Tag:
    """Show the hashtag on one's profile; once, however often it is asked."""
    tag = await make(work, written)
    await insert_once(work.session, FeaturedTag, id=work.make_id(), account_id=account_id, tag_id=tag.id)
    count = select(func.count()).select_from(FeaturedTag).where(FeaturedTag.account_id == account_id)
    if (await work.session.scalar(count) or 0) > FEATURED_TAGS_MAX:
        raise invalid(f"Validation failed: You have already featured {FEATURED_TAGS_MAX} hashtags")
    return tag


async def unfeature(work: Work, account_id: int, tag_id: int) -> None:
    await work.session.execute(
        delete(FeaturedTag).where(FeaturedTag.account_id == account_id, FeaturedTag.tag_id == tag_id)
    )


async def the_featured(work: Work, account_id: int, featured_id: int) -> FeaturedTag:
    row = await work.session.get(FeaturedTag, featured_id)
    if row is None or row.account_id != account_id:
        raise not_found()
    return row


async def featured(work: Work, account_id: int) -> list[Featured]:
    """What an account features, with how often its public posts use it."""
    rows = (
        await work.session.execute(
            select(FeaturedTag, Tag)
            .join(Tag, Tag.id == FeaturedTag.tag_id)
            .where(FeaturedTag.account_id == account_id)
            .order_by(FeaturedTag.id)
        )
    ).all()
    used = await _used_by(work, account_id, [tag.id for _, tag in rows])
    return [Featured(row, tag, *used.get(tag.id, (0, None))) for row, tag in rows]


async def suggested(work: Work, account_id: int, limit: int) -> list[Tag]:
    """The hashtags that somebody uses most and does not feature."""
    featured_ids = select(FeaturedTag.tag_id).where(FeaturedTag.account_id == account_id)
    query = (
        select(Tag)
        .join(StatusTag, StatusTag.tag_id == Tag.id)
        .join(Status, Status.id == StatusTag.status_id)
        .where(Status.account_id == account_id, Status.deleted_at.is_(None), Tag.id.not_in(featured_ids))
        .group_by(Tag.id)
        .order_by(func.count().desc(), Tag.id)
        .limit(limit)
    )
    return list(await work.session.scalars(query))


async def history(work: Work, ids: Sequence[int]) -> Mapping[int, list[tuple[date, Use]]]:
    """How the hashtags were used in public, today and on the days before, the newest first."""
    today = work.now.date()
    days = [today - timedelta(days=ago) for ago in range(HISTORY_DAYS)]
    day = StatusTag.status_id // _DAY
    query = (
        select(StatusTag.tag_id, day, func.count(), func.count(Status.account_id.distinct()))
        .join(Status, Status.id == StatusTag.status_id)
        .where(
            StatusTag.tag_id.in_(ids),
            StatusTag.status_id >= first_of(work.now - timedelta(days=HISTORY_DAYS)),
            Status.visibility == "public",
            Status.deleted_at.is_(None),
        )
        .group_by(StatusTag.tag_id, day)
    )
    used: dict[tuple[int, date], Use] = {}
    for tag_id, number, posts, accounts in await work.session.execute(query) if ids else ():
        used[tag_id, instant_of(int(number) * _DAY).date()] = Use(posts, accounts)
    return {each: [(on, used.get((each, on), Use(0, 0))) for on in days] for each in ids}


_DAY: Final = 24 * 3600 * 1000 << 16  # in snowflakes


async def _used_by(work: Work, account_id: int, ids: Sequence[int]) -> dict[int, tuple[int, date]]:
    if not ids:
        return {}
    query = (
        select(StatusTag.tag_id, func.count(), func.max(StatusTag.status_id))
        .join(Status, Status.id == StatusTag.status_id)
        .where(
            StatusTag.tag_id.in_(ids),
            Status.account_id == account_id,
            Status.visibility.in_(("public", "unlisted")),
            Status.deleted_at.is_(None),
        )
        .group_by(StatusTag.tag_id)
    )
    return {tag_id: (count, instant_of(last).date()) for tag_id, count, last in await work.session.execute(query)}
