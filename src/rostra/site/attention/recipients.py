"""Who of those whom something concerns is told of it, and how: from one statement about all of them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, Row, Select, String, and_, bindparam, exists, or_, select
from sqlalchemy.orm import aliased

from rostra.site.attention import policy
from rostra.site.attention.policy import Sender
from rostra.site.database.tables.attention import Notification, NotificationPermission, NotificationPolicy
from rostra.site.database.tables.columns import Instant
from rostra.site.database.tables.graph import Block, Follow, Mute
from rostra.site.database.tables.people import Account, User
from rostra.site.database.tables.posts import Status, ThreadMute
from rostra.site.moderation.restrictions import account_is
from rostra.site.snowflake import instant_of
from rostra.site.work import Work

ABOUT_ONESELF: Final = frozenset({"poll", "moderation_warning", "severed_relationships"})
_ONCE: Final = frozenset({"favourite", "reblog", "follow", "follow_request", "mention", "status"})
_ASKED_NOBODY: Final = policy.ADMIN | ABOUT_ONESELF
_NOW: Final = bindparam("now", type_=Instant)
_FROM: Final = bindparam("from_id", type_=BigInteger)


async def recipients(
    work: Work, kind: str, account_ids: Sequence[int], from_id: int, status: Status | None
) -> dict[int, policy.Choice]:
    """What becomes of it for each of `account_ids` that it does not leave in peace: `accept` or `filter`."""
    values = {
        "kind": kind,
        "from_id": from_id,
        "status_id": None if status is None else status.id,
        "thread_id": None if status is None else status.thread_id,
        "now": work.now,
        "ids": list(account_ids),
    }
    sender = (await work.session.execute(_SENDER, {"from_id": from_id, "now": work.now})).one()
    rows = {row.id: row for row in await work.session.execute(_RECIPIENTS, values)}
    found: dict[int, policy.Choice] = {}
    for account_id in account_ids:  # in this order they are told
        row = rows.get(account_id)
        if row is None or (kind in _ONCE and row.is_told):
            continue
        if kind not in _ASKED_NOBODY and (row.is_unwilling or sender.is_suspended):
            continue
        choice = _choice(work, kind, sender, row, status)
        if choice != "drop":
            found[account_id] = choice
    return found


def _choice(
    work: Work, kind: str, sender: Row[*tuple[Any, ...]], row: Row[*tuple[Any, ...]], status: Status | None
) -> policy.Choice:
    if kind in policy.EXEMPT | policy.ADMIN:
        return "accept"
    is_private = kind == "mention" and status is not None and status.visibility == "direct"
    long_enough = work.now - timedelta(days=policy.NEW_FOLLOWER_DAYS)
    return policy.decide(
        row.choices or {},
        Sender(
            is_followed=row.is_followed,
            is_follower=row.follow_id is not None and instant_of(row.follow_id) <= long_enough,
            is_new=sender.created_at > work.now - timedelta(days=policy.NEW_ACCOUNT_DAYS),
            is_limited=sender.is_limited,
            is_staff=sender.role in {"owner", "moderator"},
            is_permitted=row.is_permitted,
            mentions_privately=is_private and status is not None and status.in_reply_to_account_id != row.id,
        ),
    )


# --- statements, written once: writing them takes longer than asking them ----------------------------------------

_SENDER: Final = (
    select(
        User.role,
        Account.created_at,
        account_is("suspend", Account.id, _NOW).label("is_suspended"),
        account_is("silence", Account.id, _NOW).label("is_limited"),
    )
    .select_from(Account)
    .outerjoin(User, User.account_id == Account.id)
    .where(Account.id == _FROM)
)


def _about_recipients() -> Select[*tuple[Any, ...]]:
    status_id, followed = bindparam("status_id", type_=BigInteger), aliased(Follow)
    told = exists().where(
        Notification.account_id == Account.id,
        Notification.kind == bindparam("kind", type_=String),
        Notification.from_id == _FROM,
        or_(Notification.status_id == status_id, and_(status_id.is_(None), Notification.status_id.is_(None))),
    )
    unwilling = or_(
        exists().where(Block.account_id == Account.id, Block.target_id == _FROM),
        exists().where(Block.account_id == _FROM, Block.target_id == Account.id),
        exists().where(
            Mute.account_id == Account.id,
            Mute.target_id == _FROM,
            Mute.notifications,
            or_(Mute.expires_at.is_(None), Mute.expires_at > _NOW),
        ),
        exists().where(
            ThreadMute.account_id == Account.id, ThreadMute.thread_id == bindparam("thread_id", type_=BigInteger)
        ),
    )
    permitted = exists().where(
        NotificationPermission.account_id == Account.id, NotificationPermission.from_id == _FROM
    )
    return (
        select(
            Account.id,
            told.label("is_told"),
            unwilling.label("is_unwilling"),
            permitted.label("is_permitted"),
            exists().where(Follow.account_id == Account.id, Follow.target_id == _FROM).label("is_followed"),
            followed.id.label("follow_id"),
            NotificationPolicy.choices,
        )
        .outerjoin(followed, and_(followed.account_id == _FROM, followed.target_id == Account.id))
        .outerjoin(NotificationPolicy, NotificationPolicy.account_id == Account.id)
        .where(Account.id.in_(bindparam("ids", expanding=True, type_=BigInteger)))
    )


_RECIPIENTS: Final = _about_recipients()
