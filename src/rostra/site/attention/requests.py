"""The policy that somebody has set, and what it has kept apart: by sender, accepted or dismissed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Subquery, delete, func, select, update

from rostra.site.answers import invalid, not_found
from rostra.site.attention.policy import CHOICES, DEFAULTS, Choice
from rostra.site.database.insert import insert_once
from rostra.site.database.tables.attention import Notification, NotificationPermission, NotificationPolicy
from rostra.site.mastodon.paging import Page
from rostra.site.snowflake import instant_of
from rostra.site.work import Work


@dataclass(frozen=True, slots=True)
class Pending:
    """What is kept apart from one sender, by whose id the API names it."""

    from_id: int
    count: int
    created_at: datetime
    updated_at: datetime
    newest_id: int
    last_status_id: int | None


async def choices(work: Work, account_id: int) -> dict[str, Choice]:
    row = await work.session.get(NotificationPolicy, account_id)
    return {**DEFAULTS, **({} if row is None else row.choices)}


async def choose(work: Work, account_id: int, wanted: Mapping[str, str]) -> None:
    """Change the answers that are named. RefusedError (422) for one that there is not."""
    if any(choice not in CHOICES for choice in wanted.values()):
        raise invalid("Validation failed: " + ", ".join(f"{name} is not included in the list" for name in wanted))
    await insert_once(work.session, NotificationPolicy, account_id=account_id, choices={})
    row = await work.session.get_one(NotificationPolicy, account_id)
    row.choices = {**row.choices, **wanted}


async def pending_counts(work: Work, account_id: int) -> tuple[int, int]:
    """How many senders, and how many notifications, wait."""
    query = select(func.count(Notification.from_id.distinct()), func.count()).where(
        Notification.account_id == account_id, Notification.filtered
    )
    senders, waiting = (await work.session.execute(query)).one()
    return senders, waiting


async def pending(work: Work, account_id: int, page: Page) -> list[Pending]:
    """Senders, by their newest notification."""
    heads = _heads(account_id)
    rows = (await work.session.execute(page.of(select(heads), heads.c.newest_id))).all()
    return [_pending(row) for row in page.ordered(rows)]


async def pending_from(work: Work, account_id: int, from_id: int) -> Pending:
    heads = _heads(account_id)
    row = (await work.session.execute(select(heads).where(heads.c.from_id == from_id))).one_or_none()
    if row is None:
        raise not_found()
    return _pending(row)


async def accept(work: Work, account_id: int, from_ids: Sequence[int]) -> None:
    """Show what they sent, and what they will."""
    for from_id in from_ids:
        await pending_from(work, account_id, from_id)
        await insert_once(work.session, NotificationPermission, account_id=account_id, from_id=from_id)
    await work.session.execute(
        update(Notification)
        .where(Notification.account_id == account_id, Notification.from_id.in_(from_ids))
        .values(filtered=False)
    )


async def dismiss(work: Work, account_id: int, from_ids: Sequence[int]) -> None:
    for from_id in from_ids:
        await pending_from(work, account_id, from_id)
    await work.session.execute(
        delete(Notification).where(
            Notification.account_id == account_id, Notification.from_id.in_(from_ids), Notification.filtered
        )
    )


def _heads(account_id: int) -> Subquery:
    return (
        select(
            Notification.from_id,
            func.count().label("times"),
            func.min(Notification.id).label("oldest_id"),
            func.max(Notification.id).label("newest_id"),
            func.max(Notification.status_id).label("last_status_id"),
        )
        .where(Notification.account_id == account_id, Notification.filtered)
        .group_by(Notification.from_id)
        .subquery()
    )


def _pending(row: Row[Any]) -> Pending:
    return Pending(
        row.from_id,
        row.times,
        created_at=instant_of(row.oldest_id),
        updated_at=instant_of(row.newest_id),
        newest_id=row.newest_id,
        last_status_id=row.last_status_id,
    )
