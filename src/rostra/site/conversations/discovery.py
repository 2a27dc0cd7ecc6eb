"""Which talks there are: on the air, to come, and lately over; a host's own; a calendar's."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Select, select

from rostra.site.conversations.phase import phase
from rostra.site.database.tables.conversations import Conversation
from rostra.site.moderation.restrictions import account_is, conversation_is
from rostra.site.stage import Stage
from rostra.site.work import Work

_LATELY: Final = timedelta(days=90)
_CALENDAR_BACK: Final = timedelta(days=30)  # a cancelled one must stay long enough to be seen as cancelled
LIMIT_MAX: Final = 40


def _listed(now: datetime) -> Select[Conversation]:
    return select(Conversation).where(
        Conversation.visibility == "public",
        ~conversation_is("limit", Conversation.id, now),
        ~account_is("suspend", Conversation.host_id, now),
        ~account_is("silence", Conversation.host_id, now),
    )


async def live(work: Work, stage: Stage) -> list[Conversation]:
    """Those with open doors, the one that began first before the others."""
    rows = await work.session.scalars(
        _listed(work.now)
        .where(
            Conversation.doors_at <= work.now, Conversation.ends_at > work.now, Conversation.cancelled_at.is_(None)
        )
        .order_by(Conversation.starts_at)
        .limit(LIMIT_MAX)
    )
    return [row for row in rows if not phase(row, stage, now=work.now).over]


async def upcoming(work: Work, *, limit: int = LIMIT_MAX) -> list[Conversation]:
    rows = await work.session.scalars(
        _listed(work.now)
        .where(Conversation.doors_at > work.now, Conversation.cancelled_at.is_(None))
        .order_by(Conversation.starts_at, Conversation.id)
        .limit(limit)
    )
    return list(rows)


async def recent(work: Work, stage: Stage, *, limit: int = LIMIT_MAX) -> list[Conversation]:
    """Over, also before the announced end."""
    rows = await work.session.scalars(
        _listed(work.now)
        .where(
            Conversation.starts_at <= work.now,
            Conversation.starts_at > work.now - _LATELY,
            Conversation.cancelled_at.is_(None),
        )
        .order_by(Conversation.starts_at.desc(), Conversation.id.desc())
        .limit(limit)
    )
    return [row for row in rows if phase(row, stage, now=work.now).over]


async def of_host(work: Work, account_id: int, *, listed_only: bool) -> list[Conversation]:
    query = _listed(work.now) if listed_only else select(Conversation)
    rows = await work.session.scalars(
        query.where(Conversation.host_id == account_id).order_by(Conversation.starts_at.desc()).limit(LIMIT_MAX)
    )
    return list(rows)


async def for_calendar(work: Work, *, host_id: int | None = None) -> list[Conversation]:
    """What a subscribed calendar shows: a month back, and all that is to come; cancelled ones too."""
    query = _listed(work.now).where(Conversation.ends_at > work.now - _CALENDAR_BACK)
    if host_id is not None:
        query = query.where(Conversation.host_id == host_id)
    rows = await work.session.scalars(query.order_by(Conversation.starts_at).limit(500))
    return list(rows)
