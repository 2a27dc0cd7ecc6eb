"""Announcing a talk, changing it, calling it off: the row, the post about it, and what the stage is told."""

import secrets
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select

from rostra.core.conversation import Schedule, id_from_title
from rostra.core.limits import COHOSTS_MAX
from rostra.core.roster import StageRole
from rostra.site.answers import forbidden, invalid, not_found
from rostra.site.conversations import posts
from rostra.site.conversations.draft import Draft, from_ns, schedule_of, to_ns
from rostra.site.conversations.phase import Phase
from rostra.site.conversations.reminders import plan_reminders
from rostra.site.database.tables.conversations import Conversation, ConversationGuest, HostNotice
from rostra.site.events import ConversationChanged
from rostra.site.work import Site, Work

PUBLISH_AHEAD: Final = timedelta(hours=24)  # before the doors: stages and edges need know no more than the next day
REASON_LENGTH_MAX: Final = 500
_NAME_RANDOM_BYTES: Final = 4  # an unlisted talk is found by nobody who was not told its address
_LEADS: Final = (StageRole.HOST, StageRole.COHOST)


async def announce(work: Work, host_id: int, draft: Draft) -> Conversation:
    """A new talk of `host_id`. BadInputError for a schedule that cannot be kept."""
    schedule = schedule_of(draft, now=work.now)
    row = Conversation(
        id=work.make_id(),
        name=id_from_title(draft.title, suffix=secrets.token_hex(_NAME_RANDOM_BYTES)),
        host_id=host_id,
        revision=0,
        published_revision=-1,
        created_at=work.now,
        updated_at=work.now,
        **_columns(draft, schedule),
    )
    work.session.add(row)
    await work.session.flush()
    await invite(work, row, host_id, StageRole.HOST)
    await posts.announce(work, row)
    plan_reminders(work, row)
    _publish(work, row)
    return row


async def change(work: Work, row: Conversation, by: int, draft: Draft, *, phase_now: Phase) -> None:
    """Another title, time or description. Who has a reminder or the calendar learns of a change in time."""
    await require_lead(work, row, by)
    if phase_now.over:
        raise invalid("This conversation is over")
    schedule = schedule_of(draft, now=work.now, announced=row.starts_at)
    if phase_now.begun and schedule.starts_ns != to_ns(row.starts_at):
        raise invalid("What has begun cannot begin again")
    columns = _columns(draft, schedule)
    if all(getattr(row, name) == value for name, value in columns.items()):
        return
    moved = columns["starts_at"] != row.starts_at
    for name, value in columns.items():
        setattr(row, name, value)
    await _revised(work, row)
    if moved:
        work.later("conversation.moved", {"id": row.id, "revision": row.revision})


async def move_start(work: Work, row: Conversation, starts_at: datetime) -> None:
    """Another announced instant, as late in the evening as it takes; the length stays."""
    if starts_at <= work.now:
        raise invalid("The announced instant has passed already")
    length = row.ends_at - row.starts_at
    row.doors_at = min(row.doors_at, starts_at)
    row.starts_at, row.ends_at = starts_at, starts_at + length
    await _revised(work, row)
    work.later("conversation.moved", {"id": row.id, "revision": row.revision})


async def cancel(work: Work, row: Conversation, by: int, *, why: str, phase_now: Phase) -> None:
    await require_lead(work, row, by)
    if phase_now.over:
        raise invalid("This conversation is over")
    await call_off(work, row, why)


async def call_off(work: Work, row: Conversation, why: str) -> None:
    """Cancel it, whoever wants it: its host, or a decision of moderators."""
    row.cancelled_at, row.cancelled_why = work.now, why.strip()[:REASON_LENGTH_MAX]
    await _revised(work, row)
    work.later("conversation.moved", {"id": row.id, "revision": row.revision})


def _columns(draft: Draft, schedule: Schedule) -> dict[str, Any]:
    return {
        "title": schedule.title,
        "description": draft.description.strip(),
        "picture": draft.picture,
        "picture_description": draft.picture_description.strip(),
        "language": schedule.language,
        "time_zone": schedule.timezone,
        "visibility": draft.visibility,
        "starts_at": from_ns(schedule.starts_ns),
        "doors_at": from_ns(schedule.doors_ns),
        "ends_at": from_ns(schedule.ends_ns),
    }


async def _revised(work: Work, row: Conversation) -> None:
    row.revision += 1
    row.updated_at = work.now
    await posts.update(work, row)
    _publish(work, row)


# --- who may ----------------------------------------------------------------------------------------------


async def invite(work: Work, row: Conversation, account_id: int, role: StageRole) -> ConversationGuest:
    """Let an account on the stage as `role`; its seat is the same each time that it comes."""
    found = await guest(work, row.id, account_id)
    if role is StageRole.COHOST and (found is None or found.role != role):
        held = await work.session.scalars(
            select(ConversationGuest).where(
                ConversationGuest.conversation_id == row.id, ConversationGuest.role == role
            )
        )
        if len(held.all()) >= COHOSTS_MAX:
            raise invalid(f"There are {COHOSTS_MAX} co-hosts already")
    if found is None:
        found = ConversationGuest(
            id=work.make_id(), conversation_id=row.id, account_id=account_id, role=role, person=secrets.token_hex(8)
        )
        work.session.add(found)
    else:
        if found.role == StageRole.HOST:
            raise invalid("The host stays the host; the stage is handed over on the stage")
        found.role = role
    work.tell(ConversationChanged(row.id))
    return found


async def guest(work: Work, conversation_id: int, account_id: int) -> ConversationGuest | None:
    return (
        await work.session.scalars(
            select(ConversationGuest).where(
                ConversationGuest.conversation_id == conversation_id, ConversationGuest.account_id == account_id
            )
        )
    ).one_or_none()


async def require_lead(work: Work, row: Conversation, account_id: int) -> None:
    """RefusedError (403) unless the account is host or co-host."""
    found = await guest(work, row.id, account_id)
    if found is None or found.role not in _LEADS:
        raise forbidden("Only a host may do that")


async def find(work: Work, name: str) -> Conversation:
    """RefusedError (404) for a name that no talk has."""
    row = (await work.session.scalars(select(Conversation).where(Conversation.name == name))).one_or_none()
    if row is None:
        raise not_found()
    return row


# --- what the stage is told -------------------------------------------------------------------------------


def _publish(work: Work, row: Conversation) -> None:
    is_known = row.published_revision >= 0  # then the stage must not wait to learn that it has changed
    due_at = work.now if is_known else max(work.now, row.doors_at - PUBLISH_AHEAD)
    work.later("conversation.publish", {"id": row.id}, due_at=due_at)
    work.tell(ConversationChanged(row.id))


async def publish(site: Site, payload: dict[str, Any]) -> None:
    """Job: tell the stage what was announced. Safe to repeat; an older one than what was told says nothing new."""
    async with site.reading() as work:
        row = await work.session.get(Conversation, payload["id"])
        if row is None or row.published_revision >= row.revision:
            return
        if row.published_revision < 0 and row.doors_at - PUBLISH_AHEAD > work.now:
            return  # it was put off since: the job of that change tells it
        revision = row.revision
        notice = await newest_notice(work, row.id)
    if row.cancelled_at is not None:
        if site.stage.record(row.name) is not None:
            await site.stage.cancel(row.name)
    elif row.ends_at > work.now:
        await site.stage.announce(row.name, schedule_from(row))
        if notice is not None:
            await site.stage.tell(row.name, notice.text)
    async with site.writing() as work:
        kept = await work.session.get(Conversation, payload["id"])
        if kept is not None:
            kept.published_revision = max(kept.published_revision, revision)


async def newest_notice(work: Work, conversation_id: int) -> HostNotice | None:
    return await work.session.scalar(
        select(HostNotice)
        .where(HostNotice.conversation_id == conversation_id)
        .order_by(HostNotice.id.desc())
        .limit(1)
    )


def schedule_from(row: Conversation) -> Schedule:
    return Schedule(
        title=row.title,
        starts_ns=to_ns(row.starts_at),
        doors_ns=to_ns(row.doors_at),
        ends_ns=to_ns(row.ends_at),
        timezone=row.time_zone,
        language=row.language,
        revision=row.revision,
    )
