"""What the operator tells everybody: published for a time, read and reacted to by each."""

from collections.abc import Sequence
from datetime import datetime

import grapheme
from sqlalchemy import delete, func, or_, select

from rostra.core.limits import ANNOUNCEMENT_LENGTH_MAX, ANNOUNCEMENT_REACTIONS_MAX
from rostra.site.answers import invalid, not_found
from rostra.site.database.insert import insert_once
from rostra.site.database.tables.attention import Announcement, AnnouncementReaction, AnnouncementRead
from rostra.site.events import AnnouncementChanged, AnnouncementReacted
from rostra.site.work import Work

_REACTION_LENGTH_MAX = 40


async def publish(
    work: Work,
    text: str,
    *,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    all_day: bool = False,
    conversation_id: int | None = None,
) -> Announcement:
    """Tell everybody from now on. RefusedError (422) for one that says nothing or ends before it starts."""
    if not text.strip() or len(text) > ANNOUNCEMENT_LENGTH_MAX:
        raise invalid(f"Validation failed: Text has 1 to {ANNOUNCEMENT_LENGTH_MAX} characters")
    if ends_at is not None and (starts_at is None or ends_at <= starts_at):
        raise invalid("Validation failed: The end comes after the start")
    made = Announcement(
        id=work.make_id(),
        text=text.strip(),
        conversation_id=conversation_id,
        starts_at=starts_at,
        ends_at=ends_at,
        all_day=all_day,
        published_at=work.now,
        updated_at=work.now,
    )
    work.session.add(made)
    work.tell(AnnouncementChanged(made.id))
    return made


async def withdraw(work: Work, announcement_id: int) -> None:
    await work.session.delete(await the_announcement(work, announcement_id))
    work.tell(AnnouncementChanged(announcement_id))


async def current(work: Work, viewer_id: int, *, with_read: bool) -> list[Announcement]:
    """Those that are not over, the oldest first; without those that the viewer has dismissed, unless asked for."""
    query = select(Announcement).where(or_(Announcement.ends_at.is_(None), Announcement.ends_at > work.now))
    if not with_read:
        read = select(AnnouncementRead.announcement_id).where(AnnouncementRead.account_id == viewer_id)
        query = query.where(Announcement.id.not_in(read))
    return list(await work.session.scalars(query.order_by(Announcement.published_at, Announcement.id)))


async def the_announcement(work: Work, announcement_id: int) -> Announcement:
    row = await work.session.get(Announcement, announcement_id)
    if row is None:
        raise not_found()
    return row


async def dismiss(work: Work, viewer_id: int, announcement_id: int) -> None:
    await the_announcement(work, announcement_id)
    await insert_once(work.session, AnnouncementRead, announcement_id=announcement_id, account_id=viewer_id)


async def read_by(work: Work, viewer_id: int, ids: Sequence[int]) -> set[int]:
    query = select(AnnouncementRead.announcement_id).where(
        AnnouncementRead.account_id == viewer_id, AnnouncementRead.announcement_id.in_(ids)
    )
    return set(await work.session.scalars(query))


async def react(work: Work, viewer_id: int, announcement_id: int, name: str) -> None:
    """`name` is one emoji. RefusedError (422) for anything else, and for the ninth kind."""
    await the_announcement(work, announcement_id)
    if not _is_emoji(name):
        raise invalid("Validation failed: Name is not a recognized emoji")
    kinds = set(
        await work.session.scalars(
            select(AnnouncementReaction.name)
            .where(AnnouncementReaction.announcement_id == announcement_id)
            .distinct()
        )
    )
    if name not in kinds and len(kinds) >= ANNOUNCEMENT_REACTIONS_MAX:
        raise invalid("Validation failed: Limit of different reactions reached")
    is_new = await insert_once(
        work.session,
        AnnouncementReaction,
        id=work.make_id(),
        announcement_id=announcement_id,
        account_id=viewer_id,
        name=name,
    )
    if is_new:
        work.tell(AnnouncementReacted(announcement_id, name))


async def take_back(work: Work, viewer_id: int, announcement_id: int, name: str) -> None:
    await the_announcement(work, announcement_id)
    gone = await work.session.execute(
        delete(AnnouncementReaction)
        .where(
            AnnouncementReaction.announcement_id == announcement_id,
            AnnouncementReaction.account_id == viewer_id,
            AnnouncementReaction.name == name,
        )
        .returning(AnnouncementReaction.id)
    )
    if gone.first() is not None:
        work.tell(AnnouncementReacted(announcement_id, name))


async def reaction_count(work: Work, announcement_id: int, name: str) -> int:
    query = select(func.count()).where(
        AnnouncementReaction.announcement_id == announcement_id, AnnouncementReaction.name == name
    )
    return await work.session.scalar(query) or 0


def _is_emoji(name: str) -> bool:
    """One grapheme that is a picture: nothing that is written with letters, digits or marks of ASCII alone."""
    return (
        bool(name)
        and len(name) <= _REACTION_LENGTH_MAX
        and grapheme.length(name) == 1
        and not name.isascii()
        and not any(each.isalpha() for each in name)
    )
