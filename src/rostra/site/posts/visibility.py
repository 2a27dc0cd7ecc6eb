"""Who may see which post: the one rule, as a condition for every list and every look at a single post.

A post is seen by its author; a public or unlisted one by everybody, a private one by followers, a direct one by
whom it mentions. Nobody sees what was deleted or taken away, nor what comes from somebody who blocks them.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Final

from sqlalchemy import BigInteger, BindParameter, ColumnElement, Select, and_, bindparam, false, or_, select, true
from sqlalchemy.orm import aliased

from rostra.site.answers import not_found
from rostra.site.database.tables.columns import Instant
from rostra.site.database.tables.graph import Block, Follow, Mute
from rostra.site.database.tables.people import Account
from rostra.site.database.tables.posts import Mention, Status
from rostra.site.moderation.restrictions import Moment, not_hidden
from rostra.site.work import Work

ORIGINAL = aliased(Status)  # in `seen`: the post that a boost boosts
ViewerId = int | BindParameter[int] | None
# A statement of this size takes five times as long to write as to run: hot ones are written once, with these.
VIEWER: Final = bindparam("viewer_id", type_=BigInteger)
NOW: Final = bindparam("now", type_=Instant)
_OPEN: Final = ("public", "unlisted")


def may_see(status: type[Status], viewer_id: ViewerId, now: Moment) -> ColumnElement[bool]:
    """Whether `viewer_id` (nobody: whoever comes along) may see the post of this row, a boost judged by itself."""
    author = (
        select(Account.id).where(Account.id == status.account_id, Account.deleted_at.is_(None)).correlate(status)
    )
    exists = and_(
        status.deleted_at.is_(None),
        not_hidden(status, now),
        author.correlate(status).exists(),
    )
    if viewer_id is None:
        return exists & status.visibility.in_(_OPEN)
    follows = select(Follow.id).where(Follow.account_id == viewer_id, Follow.target_id == status.account_id)
    mentions = select(Mention.status_id).where(Mention.status_id == status.id, Mention.account_id == viewer_id)
    blocked = select(Block.id).where(Block.account_id == status.account_id, Block.target_id == viewer_id)
    let_see = or_(
        status.visibility.in_(_OPEN),
        and_(status.visibility == "private", follows.correlate(status).exists()),
        mentions.correlate(status).exists(),
    )
    return and_(exists, or_(status.account_id == viewer_id, and_(let_see, ~blocked.correlate(status).exists())))


def avoided(viewer_id: ViewerId, now: Moment) -> Select[int]:
    """Whom somebody wants to see nothing of, or who wants to be seen by them: blocks both ways, and mutes."""
    if viewer_id is None:
        return select(Account.id).where(false())
    muted = select(Mute.target_id).where(
        Mute.account_id == viewer_id, or_(Mute.expires_at.is_(None), Mute.expires_at > now)
    )
    blocked = select(Block.target_id).where(Block.account_id == viewer_id)
    blocking = select(Block.account_id).where(Block.target_id == viewer_id)
    return select(blocked.union_all(blocking, muted).subquery().c[0])


def seen(viewer_id: ViewerId, now: Moment) -> Select[Status]:
    """The posts and boosts that may be shown to `viewer_id`; a boost needs that both may be. Lists begin here."""
    return (
        select(Status)
        .outerjoin(ORIGINAL, ORIGINAL.id == Status.reblog_of_id)
        .where(
            may_see(Status, viewer_id, now),
            or_(Status.reblog_of_id.is_(None), may_see(ORIGINAL, viewer_id, now)),
        )
    )


def wanted(viewer_id: ViewerId, now: Moment) -> ColumnElement[bool]:
    """For `seen`, in lists: neither written, boosted, nor answered is somebody whom the viewer avoids."""
    if viewer_id is None:
        return true()
    unwanted = avoided(viewer_id, now)
    return and_(
        Status.account_id.not_in(unwanted),
        or_(ORIGINAL.account_id.is_(None), ORIGINAL.account_id.not_in(unwanted)),
        or_(
            Status.in_reply_to_account_id.is_(None),
            Status.in_reply_to_account_id == viewer_id,
            Status.in_reply_to_account_id.not_in(unwanted),
        ),
    )


@cache
def _one(*, is_known: bool) -> Select[Status]:
    return seen(VIEWER if is_known else None, NOW).where(Status.id == bindparam("status_id", type_=BigInteger))


async def the_status(work: Work, status_id: int, viewer_id: int | None) -> Status:
    """The post or boost. RefusedError (404) also for those who may not see it (wire rule 12)."""
    values = {"status_id": status_id, "viewer_id": viewer_id, "now": work.now}
    found = await work.session.scalar(_one(is_known=viewer_id is not None), values)
    if found is None:
        raise not_found()
    return found


async def the_original(work: Work, status_id: int, viewer_id: int | None) -> Status:
    """The post itself, also when `status_id` is a boost of it."""
    status = await the_status(work, status_id, viewer_id)
    if status.reblog_of_id is None:
        return status
    return await the_status(work, status.reblog_of_id, viewer_id)


async def the_own(work: Work, status_id: int, account_id: int) -> Status:
    """A post of one's own. RefusedError (404) for any other."""
    status = await the_status(work, status_id, account_id)
    if status.account_id != account_id:
        raise not_found()
    return status


async def statuses_by_id(work: Work, ids: Sequence[int], viewer_id: int | None) -> list[Status]:
    """Those of `ids` that `viewer_id` may see, in their order."""
    rows: Any = await work.session.scalars(seen(viewer_id, work.now).where(Status.id.in_(ids)))
    by_id: dict[int, Status] = {row.id: row for row in rows}
    return [by_id[each] for each in ids if each in by_id]
