"""Tells people what concerns them: the one way in which a notification comes to be, or is taken back."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final

from sqlalchemy import and_, delete, or_, select

from rostra.site.attention import policy
from rostra.site.attention.policy import Sender
from rostra.site.database.tables.attention import (
    Notification,
    NotificationPermission,
    NotificationPolicy,
    PushSubscription,
)
from rostra.site.database.tables.graph import Block, Follow, Mute
from rostra.site.database.tables.people import Account, User
from rostra.site.database.tables.posts import Status, ThreadMute
from rostra.site.events import Notified
from rostra.site.moderation.restrictions import in_force
from rostra.site.snowflake import instant_of
from rostra.site.work import Work

ABOUT_ONESELF: Final = frozenset({"poll", "moderation_warning", "severed_relationships"})
_ONCE: Final = frozenset({"favourite", "reblog", "follow", "follow_request", "mention", "status"})
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
    if kind in _ONCE:
        wanted = await _not_told_yet(work, kind, wanted, from_id, status_id)
    if kind not in policy.ADMIN | ABOUT_ONESELF:
        wanted = await _willing(work, wanted, from_id, status)
    verdicts = await _verdicts(work, kind, wanted, from_id, status)
    groups = await _groups(work, kind, wanted, status_id)
    subscriptions = await _subscriptions(work, wanted)
    for account_id in wanted:
        if verdicts[account_id] == "drop":
            continue
        id_ = work.make_id()
        is_filtered = verdicts[account_id] == "filter"
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


async def _not_told_yet(
    work: Work, kind: str, wanted: Sequence[int], from_id: int, status_id: int | None
) -> list[int]:
    told = await work.session.scalars(
        select(Notification.account_id).where(
            Notification.account_id.in_(wanted),
            Notification.kind == kind,
            Notification.from_id == from_id,
            Notification.status_id == status_id,
        )
    )
    return _without(wanted, told)


async def _willing(work: Work, wanted: Sequence[int], from_id: int, status: Status | None) -> list[int]:
    """Without those who block or mute `from_id` or the thread; nobody hears of somebody who is suspended."""
    if "suspend" in (await in_force(work, "account", [from_id]))[from_id]:
        return []
    blocks = await work.session.execute(
        select(Block.account_id, Block.target_id).where(
            or_(
                and_(Block.account_id.in_(wanted), Block.target_id == from_id),
                and_(Block.account_id == from_id, Block.target_id.in_(wanted)),
            )
        )
    )
    unwilling = {each for pair in blocks for each in pair}
    unwilling |= set(
        await work.session.scalars(
            select(Mute.account_id).where(
                Mute.account_id.in_(wanted),
                Mute.target_id == from_id,
                Mute.notifications,
                or_(Mute.expires_at.is_(None), Mute.expires_at > work.now),
            )
        )
    )
    if status is not None:
        unwilling |= set(
            await work.session.scalars(
                select(ThreadMute.account_id).where(
                    ThreadMute.account_id.in_(wanted), ThreadMute.thread_id == status.thread_id
                )
            )
        )
    return _without(wanted, unwilling)


async def _verdicts(
    work: Work, kind: str, wanted: Sequence[int], from_id: int, status: Status | None
) -> dict[int, policy.Choice]:
    """What each one's policy says."""
    if kind in policy.EXEMPT | policy.ADMIN:
        return dict.fromkeys(wanted, "accept")
    sender = await work.session.get_one(Account, from_id)
    role = await work.session.scalar(select(User.role).where(User.account_id == from_id))
    is_limited = "silence" in (await in_force(work, "account", [from_id]))[from_id]
    answered = await work.session.scalars(
        select(NotificationPolicy).where(NotificationPolicy.account_id.in_(wanted))
    )
    choices = {row.account_id: row.choices for row in answered}
    permitted = set(
        await work.session.scalars(
            select(NotificationPermission.account_id).where(
                NotificationPermission.account_id.in_(wanted), NotificationPermission.from_id == from_id
            )
        )
    )
    following = set(
        await work.session.scalars(
            select(Follow.account_id).where(Follow.account_id.in_(wanted), Follow.target_id == from_id)
        )
    )
    long_enough = work.now - timedelta(days=policy.NEW_FOLLOWER_DAYS)
    follow_ids = await work.session.execute(
        select(Follow.target_id, Follow.id).where(Follow.account_id == from_id, Follow.target_id.in_(wanted))
    )
    followed = {target for target, id_ in follow_ids if instant_of(id_) <= long_enough}
    is_new = sender.created_at > work.now - timedelta(days=policy.NEW_ACCOUNT_DAYS)
    is_private = kind == "mention" and status is not None and status.visibility == "direct"
    return {
        each: policy.decide(
            choices.get(each, {}),
            Sender(
                is_followed=each in following,
                is_follower=each in followed,
                is_new=is_new,
                is_limited=is_limited,
                is_staff=role in {"owner", "moderator"},
                is_permitted=each in permitted,
                mentions_privately=is_private and status is not None and status.in_reply_to_account_id != each,
            ),
        )
        for each in wanted
    }


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
    rows = await work.session.execute(
        select(PushSubscription.account_id, PushSubscription.id).where(PushSubscription.account_id.in_(wanted))
    )
    for account_id, id_ in rows:
        found.setdefault(account_id, []).append(id_)
    return found


def _without(wanted: Sequence[int], unwanted: Iterable[int]) -> list[int]:
    excluded = set(unwanted)
    return [each for each in wanted if each not in excluded]
