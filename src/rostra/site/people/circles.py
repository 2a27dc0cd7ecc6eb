"""Pages of the people around somebody: followers, follows, requests, blocks, mutes, those they endorse."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from rostra.site.database.tables.graph import Block, Follow, FollowRequest, Mute
from rostra.site.database.tables.people import Account, Endorsement
from rostra.site.mastodon.paging import Page
from rostra.site.moderation.restrictions import account_is
from rostra.site.oauth.bearer import Viewer
from rostra.site.work import Work

_Column = InstrumentedAttribute[int]


@dataclass(frozen=True, slots=True)
class Circle:
    """A page of accounts, and the ids of the rows by which it goes on: those of the edges (wire rule 2)."""

    accounts: Sequence[Account]
    edges: Sequence[int]


async def followers(work: Work, account: Account, viewer: Viewer | None, page: Page) -> Circle:
    if await _hides(work, account, viewer):
        return Circle([], [])
    return await _circle(work, page, Follow.id, Follow.account_id, Follow.target_id == account.id)


async def following(work: Work, account: Account, viewer: Viewer | None, page: Page) -> Circle:
    if await _hides(work, account, viewer):
        return Circle([], [])
    return await _circle(work, page, Follow.id, Follow.target_id, Follow.account_id == account.id)


async def requests(work: Work, account_id: int, page: Page) -> Circle:
    """Who asks to follow."""
    return await _circle(
        work, page, FollowRequest.id, FollowRequest.account_id, FollowRequest.target_id == account_id
    )


async def blocks(work: Work, account_id: int, page: Page) -> Circle:
    return await _circle(work, page, Block.id, Block.target_id, Block.account_id == account_id)


async def mutes(work: Work, account_id: int, page: Page) -> Circle:
    lasting = or_(Mute.expires_at.is_(None), Mute.expires_at > work.now)
    return await _circle(work, page, Mute.id, Mute.target_id, (Mute.account_id == account_id) & lasting)


async def endorsed(work: Work, account_id: int, page: Page) -> Circle:
    return await _circle(work, page, Endorsement.id, Endorsement.endorsed_id, Endorsement.account_id == account_id)


async def familiar(work: Work, account_id: int, of: Sequence[int]) -> dict[int, list[Account]]:
    """For each of `of`, those of its followers whom `account_id` follows; the hidden circles stay hidden."""
    own = select(Follow.target_id).where(Follow.account_id == account_id)
    hidden = select(Account.id).where(Account.hide_collections)
    found = await work.session.execute(
        select(Follow.target_id, Account)
        .join(Account, Account.id == Follow.account_id)
        .where(
            Follow.target_id.in_(of),
            Follow.account_id.in_(own),
            Follow.target_id.not_in(hidden),
            _shown(work),
        )
        .order_by(Follow.id.desc())
    )
    circles: dict[int, list[Account]] = {each: [] for each in of}
    for target_id, account in found:
        circles[target_id].append(account)
    return circles


async def _circle(work: Work, page: Page, edge: _Column, other: _Column, condition: ColumnElement[bool]) -> Circle:
    query = select(edge, Account).join(Account, Account.id == other).where(condition, _shown(work))
    rows = page.ordered((await work.session.execute(page.of(query, edge.expression))).all())
    return Circle([account for _, account in rows], [edge_id for edge_id, _ in rows])


def _shown(work: Work) -> ColumnElement[bool]:
    return Account.deleted_at.is_(None) & ~account_is("suspend", Account.id, work.now)


async def _hides(work: Work, account: Account, viewer: Viewer | None) -> bool:
    """Whether somebody's circles are not for this reader."""
    if viewer is not None and viewer.account_id == account.id:
        return False
    if account.hide_collections:
        return True
    if viewer is None:
        return False
    block = select(Block.id).where(Block.account_id == account.id, Block.target_id == viewer.account_id)
    return await work.session.scalar(block) is not None
