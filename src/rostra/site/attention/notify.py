"""Tells people what concerns them: the one way in which a notification comes to be, or is taken back."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import BigInteger, and_, bindparam, delete, select

from rostra.site.attention.recipients import ABOUT_ONESELF, recipients
from rostra.site.database.tables.attention import (
    Notification,
    PushSubscription,
)
from rostra.site.database.tables.posts import Status
from rostra.site.events import Notified
from rostra.site.work import Work

_GROUPED: Final = frozenset({"favourite", "reblog", "follow", "admin.sign_up"})
_GROUP_LASTS: Final = timedelta(hours=12)  # as Mastodon: what comes later is news again


async def notify(
    work: Work,
    kind: str,
    account_ids: Iterable[int],
    *,
    from_id: int,
    status_id: int | None = None,
    report_id: int | None = None,
    decision_id: int | None = None,
) -> None:
    """Notify each of `account_ids` of what `from_id` did, unless they do not want to know.

    Nobody is told of what they did themselves; nor twice of the same boost, favourite or follow.
    """
    wanted = list(dict.fromkeys(account_ids))
    if kind not in ABOUT_ONESELF:
        wanted = [each for each in wanted if each != from_id]
    if not wanted:
        return
    await work.session.flush()
    status = None if status_id is None else await work.session.get(Status, status_id)
    choices = await recipients(work, kind, wanted, from_id, status)
    wanted = list(choices)
    if not wanted:
        return
    groups = await _groups(work, kind, wanted, status_id)
    subscriptions = await _subscriptions(work, wanted)
    for account_id in wanted:
        id_ = work.make_id()
        is_filtered = choices[account_id] == "filter"
        work.session.add(
            Notification(
                id=id_,
                account_id=account_id,
                kind=kind,
                from_id=from_id,
                status_id=status_id,
                report_id=report_id,
                decision_id=decision_id,
                group_key=groups.get(account_id) or f"ungrouped-{id_}",
                filtered=is_filtered,
                created_at=work.now,
            )
        )
        if not is_filtered:
            work.tell(Notified(id_, account_id))
            for subscription_id in subscriptions.get(account_id, ()):
                work.later("push.send", {"notification_id": id_, "subscription_id": subscription_id})


async def withdraw(
    work: Work, kind: str, *, from_id: int, account_id: int | None = None, status_id: int | None = None
) -> None:
    """Take back what `from_id` no longer does: a favourite, a boost, a follow or its request."""
    condition = and_(Notification.kind == kind, Notification.from_id == from_id)
    if account_id is not None:
        condition &= Notification.account_id == account_id
    if status_id is not None:
        condition &= Notification.status_id == status_id
    await work.session.execute(delete(Notification).where(condition))


async def _groups(work: Work, kind: str, wanted: Sequence[int], status_id: int | None) -> dict[int, str]:
    """The key of the group that goes on for each, or a new one of this hour."""
    if kind not in _GROUPED:
        return {}
    prefix = kind if status_id is None else f"{kind}-{status_id}"
    going_on = await work.session.execute(
        select(Notification.account_id, Notification.group_key)
        .where(
            Notification.account_id.in_(wanted),
            Notification.kind == kind,
            Notification.status_id == status_id,
            Notification.created_at > work.now - _GROUP_LASTS,
            ~Notification.filtered,
        )
        .order_by(Notification.id)
    )
    fresh = f"{prefix}-{int(work.now.timestamp()) // 3600}"
    return dict.fromkeys(wanted, fresh) | {row.account_id: row.group_key for row in going_on}


async def _subscriptions(work: Work, wanted: Sequence[int]) -> dict[int, list[int]]:
    """Where each wants notifications pushed."""
    found: dict[int, list[int]] = {}
    for account_id, id_ in await work.session.execute(_PUSHED, {"ids": list(wanted)}):
        found.setdefault(account_id, []).append(id_)
    return found


_PUSHED: Final = select(PushSubscription.account_id, PushSubscription.id).where(
    PushSubscription.account_id.in_(bindparam("ids", expanding=True, type_=BigInteger))
)
