"""Announcement, with what somebody has made of it."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from typing_extensions import TypedDict

from rostra.site.attention.announcements import read_by
from rostra.site.database.tables.attention import Announcement, AnnouncementReaction
from rostra.site.mastodon.entities.instants import optional, written
from rostra.site.posts.text import render
from rostra.site.work import Work


class ReactionEntity(TypedDict):
    name: str
    count: int
    me: bool


class AnnouncementEntity(TypedDict):
    id: str
    content: str
    starts_at: str | None
    ends_at: str | None
    all_day: bool
    published_at: str
    updated_at: str
    read: bool
    mentions: list[dict[str, str]]
    statuses: list[dict[str, str]]
    tags: list[dict[str, str]]
    emojis: list[dict[str, Any]]
    reactions: list[ReactionEntity]


async def announcements(work: Work, rows: Sequence[Announcement], viewer_id: int) -> list[AnnouncementEntity]:
    """`viewer_id` is 0 for nobody in particular, as streams tell it."""
    ids = [row.id for row in rows]
    read = await read_by(work, viewer_id, ids)
    reactions = await _reactions(work, ids, viewer_id)
    return [
        AnnouncementEntity(
            id=str(row.id),
            content=render(row.text, site_url=work.settings.url, usernames={}),
            starts_at=optional(row.starts_at),
            ends_at=optional(row.ends_at),
            all_day=row.all_day,
            published_at=written(row.published_at),
            updated_at=written(row.updated_at),
            read=row.id in read,
            mentions=[],
            statuses=[],
            tags=[],
            emojis=[],
            reactions=reactions.get(row.id, []),
        )
        for row in rows
    ]


async def _reactions(work: Work, ids: Sequence[int], viewer_id: int) -> dict[int, list[ReactionEntity]]:
    """In the order in which they were first given."""
    mine = await work.session.execute(
        select(AnnouncementReaction.announcement_id, AnnouncementReaction.name).where(
            AnnouncementReaction.announcement_id.in_(ids), AnnouncementReaction.account_id == viewer_id
        )
    )
    own = {(row.announcement_id, row.name) for row in mine}
    counted = await work.session.execute(
        select(AnnouncementReaction.announcement_id, AnnouncementReaction.name, func.count().label("times"))
        .where(AnnouncementReaction.announcement_id.in_(ids))
        .group_by(AnnouncementReaction.announcement_id, AnnouncementReaction.name)
        .order_by(func.min(AnnouncementReaction.id))
    )
    found: dict[int, list[ReactionEntity]] = {}
    for row in counted:
        entity = ReactionEntity(name=row.name, count=row.times, me=(row.announcement_id, row.name) in own)
        found.setdefault(row.announcement_id, []).append(entity)
    return found
