"""Somebody's notifications: one by one, by groups, how many are unread; dismissed one by one or all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, String, case, cast, delete, func, literal, or_, select

from rostra.site.answers import not_found
from rostra.site.attention.recipients import ABOUT_ONESELF
from rostra.site.database.tables.attention import Marker, Notification
from rostra.site.database.tables.graph import Block, Mute
from rostra.site.database.tables.people import Account
from rostra.site.database.tables.posts import Status
from rostra.site.mastodon.paging import Page
from rostra.site.moderation.restrictions import account_is
from rostra.site.posts.visibility import may_see
from rostra.site.work import Work

GROUPED_KINDS: Final = ("favourite", "follow", "reblog", "admin.sign_up")
SAMPLE_ACCOUNTS: Final = 8  # of a group, as Mastodon


@dataclass(frozen=True, slots=True)
class Wish:
    """Which notifications are wanted; empty `kinds` are all."""

    kinds: Sequence[str] = ()
    without: Sequence[str] = ()
    from_id: int | None = None
    with_filtered: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Notifications of one thing, the newest of which is `newest`."""

    key: str
    count: int
    newest: Notification
    oldest_id: int
    from_ids: list[int]  # the newest few


async def page_of_notifications(work: Work, viewer_id: int, page: Page, wish: Wish) -> list[Notification]:
    query = page.of(_mine(work, viewer_id, wish), Notification.id)
    return page.ordered(list(await work.session.scalars(query)))


async def the_notification(work: Work, viewer_id: int, notification_id: int) -> Notification:
    """RefusedError (404) if it is not there, or not theirs."""
    query = _mine(work, viewer_id, Wish(with_filtered=True)).where(Notification.id == notification_id)
    found: Notification | None = await work.session.scalar(query)
    if found is None:
        raise not_found()
    return found


async def page_of_groups(
    work: Work, viewer_id: int, page: Page, wish: Wish, *, grouped: Sequence[str] = GROUPED_KINDS
) -> list[Group]:
    """Groups by their newest notification; kinds that are not in `grouped` stand alone."""
    key = _key(grouped)
    heads = _groups(_mine(work, viewer_id, wish), key).subquery()
    rows = (await work.session.execute(page.of(select(heads), heads.c.newest_id))).all()
    return await _filled(work, viewer_id, page.ordered(rows), key)


async def the_group(work: Work, viewer_id: int, group_key: str) -> Group:
    key = _key(GROUPED_KINDS)
    heads = _groups(_mine(work, viewer_id, Wish()), key).subquery()
    rows = (await work.session.execute(select(heads).where(heads.c.group_key == _checked(group_key)))).all()
    if not rows:
        raise not_found()
    (group,) = await _filled(work, viewer_id, rows, key)
    return group


async def group_account_ids(work: Work, viewer_id: int, group_key: str) -> list[int]:
    """From whom the notifications of a group are, the newest first."""
    query = (
        _mine(work, viewer_id, Wish())
        .where(_key(GROUPED_KINDS) == _checked(group_key))
        .order_by(Notification.id.desc())
        .with_only_columns(Notification.from_id)
    )
    return list(dict.fromkeys(await work.session.scalars(query)))


async def unread_count(work: Work, viewer_id: int, wish: Wish, *, limit: int, by_group: bool = False) -> int:
    """Those since the marker of the notifications; no more than `limit` are counted."""
    marker = select(Marker.last_read_id).where(Marker.account_id == viewer_id, Marker.timeline == "notifications")
    read_id = await work.session.scalar(marker) or 0
    unread = _mine(work, viewer_id, wish).where(Notification.id > read_id)
    key = _key(GROUPED_KINDS) if by_group else cast(Notification.id, String)
    counted = unread.with_only_columns(key).distinct().limit(limit).subquery()
    return await work.session.scalar(select(func.count()).select_from(counted)) or 0


async def clear(work: Work, viewer_id: int) -> None:
    await work.session.execute(
        delete(Notification).where(Notification.account_id == viewer_id, ~Notification.filtered)
    )


async def dismiss(work: Work, viewer_id: int, notification_id: int) -> None:
    row = await work.session.get(Notification, notification_id)
    if row is None or row.account_id != viewer_id:
        raise not_found()
    await work.session.delete(row)


async def dismiss_group(work: Work, viewer_id: int, group_key: str) -> None:
    await work.session.execute(
        delete(Notification).where(Notification.account_id == viewer_id, _key(GROUPED_KINDS) == _checked(group_key))
    )


# --- parts ---------------------------------------------------------------------------------------


def _mine(work: Work, viewer_id: int, wish: Wish) -> Select[Notification]:
    """Without those about posts that are gone, or from accounts that are gone, blocked or muted since."""
    silenced = select(Mute.target_id).where(
        Mute.account_id == viewer_id, Mute.notifications, or_(Mute.expires_at.is_(None), Mute.expires_at > work.now)
    )
    blocked = select(Block.target_id).where(Block.account_id == viewer_id)
    query = (
        select(Notification)
        .join(Account, Account.id == Notification.from_id)
        .outerjoin(Status, Status.id == Notification.status_id)
        .where(
            Notification.account_id == viewer_id,
            Account.deleted_at.is_(None),
            or_(Notification.status_id.is_(None), may_see(Status, viewer_id, work.now)),
            or_(
                Notification.kind.in_(ABOUT_ONESELF),
                ~account_is("suspend", Notification.from_id, work.now)
                & Notification.from_id.not_in(blocked)
                & Notification.from_id.not_in(silenced),
            ),
        )
    )
    if wish.kinds:
        query = query.where(Notification.kind.in_(wish.kinds))
    if wish.without:
        query = query.where(Notification.kind.not_in(wish.without))
    if wish.from_id is not None:
        query = query.where(Notification.from_id == wish.from_id)
    return query if wish.with_filtered else query.where(~Notification.filtered)


def _key(grouped: Sequence[str]) -> ColumnElement[str]:
    alone = literal("ungrouped-") + cast(Notification.id, String)
    return case((Notification.kind.in_(grouped), Notification.group_key), else_=alone)


def _checked(group_key: str) -> str:
    """RefusedError (404) for what cannot be a key; PostgreSQL takes no NUL."""
    if not group_key.isprintable():
        raise not_found()
    return group_key


def _groups(query: Select[Notification], key: ColumnElement[str]) -> Select[str, int, int, int]:
    return query.with_only_columns(
        key.label("group_key"),
        func.count().label("times"),
        func.max(Notification.id).label("newest_id"),
        func.min(Notification.id).label("oldest_id"),
    ).group_by(key)


async def _filled(work: Work, viewer_id: int, heads: Sequence[Any], key: ColumnElement[str]) -> list[Group]:
    """The groups with their newest notification and those from whom the newest few are: two queries for a page."""
    newest_ids = [row.newest_id for row in heads]
    newest = await work.session.scalars(select(Notification).where(Notification.id.in_(newest_ids)))
    by_id = {row.id: row for row in newest}
    ranked = (
        select(
            key.label("group_key"),
            Notification.from_id,
            Notification.id,
            func.row_number().over(partition_by=key, order_by=Notification.id.desc()).label("rank"),
        )
        .where(Notification.account_id == viewer_id, key.in_([row.group_key for row in heads]))
        .subquery()
    )
    senders: dict[str, list[int]] = {}
    few = select(ranked).where(ranked.c.rank <= SAMPLE_ACCOUNTS).order_by(ranked.c.id.desc())
    for row in await work.session.execute(few):
        known = senders.setdefault(row.group_key, [])
        if row.from_id not in known:
            known.append(row.from_id)
    return [
        Group(row.group_key, row.times, by_id[row.newest_id], row.oldest_id, senders[row.group_key])
        for row in heads
    ]
