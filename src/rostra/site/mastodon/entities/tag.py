"""Tag and FeaturedTag: a hashtag, how much it is used, and whether the reader follows it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import NotRequired

from typing_extensions import TypedDict

from rostra.site.database.tables.posts import Tag
from rostra.site.posts.text import tag_url
from rostra.site.timelines.tags import Featured, Use, featuring, following, history
from rostra.site.work import Work


class UseEntity(TypedDict):
    day: str
    uses: str
    accounts: str


class TagEntity(TypedDict):
    id: str
    name: str
    url: str
    history: list[UseEntity]
    following: NotRequired[bool]
    featuring: NotRequired[bool]


class FeaturedTagEntity(TypedDict):
    id: str
    name: str
    url: str
    statuses_count: str
    last_status_at: str | None


async def tags(work: Work, rows: Sequence[Tag], viewer_id: int | None) -> list[TagEntity]:
    """The entities of `rows`, in their order; named as they were first written."""
    ids = [row.id for row in rows]
    used = await history(work, ids)
    entities = [
        TagEntity(
            id=str(row.id),
            name=row.name,
            url=tag_url(work.settings.url, row.name),
            history=[use_entity(day, use) for day, use in used[row.id]],
        )
        for row in rows
    ]
    if viewer_id is not None:
        followed = await following(work, viewer_id, ids)
        featured = await featuring(work, viewer_id, ids)
        for row, entity in zip(rows, entities, strict=True):
            entity["following"] = row.id in followed
            entity["featuring"] = row.id in featured
    return entities


def unused_tag(work: Work, name: str) -> TagEntity:
    """A hashtag that nobody has used."""
    return TagEntity(id="0", name=name, url=tag_url(work.settings.url, name), history=[])


def use_entity(day: date, use: Use) -> UseEntity:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return UseEntity(day=str(int(midnight.timestamp())), uses=str(use.posts), accounts=str(use.accounts))


def featured_tag(work: Work, featured: Featured, username: str) -> FeaturedTagEntity:
    on = featured.last_status_on
    return FeaturedTagEntity(
        id=str(featured.row.id),
        name=featured.tag.display_name,
        url=f"{work.settings.url}/@{username}/tagged/{featured.tag.name}",
        statuses_count=str(featured.statuses_count),
        last_status_at=None if on is None else on.isoformat(),
    )
