"""Who is to be found: the directory, and whom somebody may want to follow."""

from collections.abc import Sequence
from typing import Final, Literal

from sqlalchemy import ColumnElement, func, select

from rostra.site.database.tables.graph import Block, Follow, FollowRequest, Mute
from rostra.site.database.tables.people import Account, User
from rostra.site.moderation.restrictions import account_is
from rostra.site.oauth.bearer import Viewer
from rostra.site.people import lookup
from rostra.site.work import Work

Source = Literal["friends_of_friends", "most_followed"]
_DISMISSED_MAX: Final = 500  # the oldest may be suggested again


async def directory(
    work: Work, viewer: Viewer | None, *, newest_first: bool, limit: int, offset: int
) -> Sequence[Account]:
    """Those who want to be found: who posted last first, or who joined last."""
    query = select(Account).where(*_may_be_found(work))
    if viewer is not None:
        query = query.where(*_not_related(viewer.account_id, Block, Mute))
    order = Account.id.desc() if newest_first else Account.last_status_at.desc().nulls_last()
    return list(await work.session.scalars(query.order_by(order, Account.id.desc()).limit(limit).offset(offset)))


async def suggestions(work: Work, account_id: int, limit: int) -> list[tuple[Source, Account]]:
    """Those whom the ones somebody follows follow; then those who have the most followers."""
    dismissed = (await lookup.user(work, account_id)).settings.get("dismissed_suggestions", [])
    unknown = (
        *_may_be_found(work),
        Account.id != account_id,
        Account.id.not_in(dismissed),
        *_not_related(account_id, Follow, FollowRequest, Block, Mute),
    )
    own = select(Follow.target_id).where(Follow.account_id == account_id)
    friends = (
        select(Account)
        .join(Follow, Follow.target_id == Account.id)
        .where(Follow.account_id.in_(own), *unknown)
        .group_by(Account.id)
        .order_by(func.count().desc(), Account.id)
        .limit(limit)
    )
    found: list[tuple[Source, Account]] = [
        ("friends_of_friends", row) for row in await work.session.scalars(friends)
    ]
    known = [row.id for _, row in found]
    others = (
        select(Account)
        .where(*unknown, Account.id.not_in(known), Account.followers_count > 0)
        .order_by(Account.followers_count.desc(), Account.id)
        .limit(limit - len(found))
    )
    return found + [("most_followed", row) for row in await work.session.scalars(others)]


async def dismiss(work: Work, account_id: int, target_id: int) -> None:
    """Not to be suggested again."""
    user = await lookup.user(work, account_id)
    kept = [each for each in user.settings.get("dismissed_suggestions", []) if each != target_id]
    user.settings = user.settings | {"dismissed_suggestions": [*kept, target_id][-_DISMISSED_MAX:]}


def _may_be_found(work: Work) -> tuple[ColumnElement[bool], ...]:
    approved = select(User.account_id).where(User.approved_at.is_not(None), User.confirmed_at.is_not(None))
    return (
        Account.deleted_at.is_(None),
        Account.discoverable.is_(True),
        Account.id.in_(approved),
        ~account_is("suspend", Account.id, work.now),
        ~account_is("silence", Account.id, work.now),
    )


def _not_related(
    account_id: int, *tables: type[Follow | FollowRequest | Block | Mute]
) -> tuple[ColumnElement[bool], ...]:
    return tuple(
        Account.id.not_in(select(table.target_id).where(table.account_id == account_id)) for table in tables
    )
