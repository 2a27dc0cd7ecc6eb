"""Lists: some of those whom somebody follows, read as a timeline of their own."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import delete, func, select

from rostra.core.limits import LISTS_MAX
from rostra.site.answers import invalid, not_found
from rostra.site.database.insert import insert_once
from rostra.site.database.tables.graph import Follow, List, ListMember
from rostra.site.database.tables.people import Account
from rostra.site.events import RelationChanged
from rostra.site.mastodon.paging import Page
from rostra.site.work import Work

_POLICIES: Final = ("followed", "list", "none")
_TITLE_LENGTH_MAX: Final = 200


async def the_list(work: Work, account_id: int, list_id: int) -> List:
    row = await work.session.get(List, list_id)
    if row is None or row.account_id != account_id:
        raise not_found()
    return row


async def lists(work: Work, account_id: int, *, holding: int | None = None) -> list[List]:
    """All of somebody's lists, or those that hold the account `holding`."""
    query = select(List).where(List.account_id == account_id).order_by(List.id)
    if holding is not None:
        query = query.join(ListMember, ListMember.list_id == List.id).where(ListMember.account_id == holding)
    return list(await work.session.scalars(query))


async def create(
    work: Work, account_id: int, *, title: str, replies_policy: str = "list", exclusive: bool = False
) -> List:
    count = select(func.count()).select_from(List).where(List.account_id == account_id)
    if (await work.session.scalar(count) or 0) >= LISTS_MAX:
        raise invalid("Validation failed: You have reached the maximum number of lists")
    row = List(id=work.make_id(), account_id=account_id)
    _set(row, title, replies_policy, exclusive=exclusive)
    work.session.add(row)
    return row


async def change(
    work: Work,
    account_id: int,
    list_id: int,
    *,
    title: str | None,
    replies_policy: str | None,
    exclusive: bool | None,
) -> List:
    row = await the_list(work, account_id, list_id)
    _set(
        row,
        row.title if title is None else title,
        row.replies_policy if replies_policy is None else replies_policy,
        exclusive=row.exclusive if exclusive is None else exclusive,
    )
    work.tell(RelationChanged(account_id))
    return row


async def remove(work: Work, account_id: int, list_id: int) -> None:
    await work.session.delete(await the_list(work, account_id, list_id))
    work.tell(RelationChanged(account_id))


async def members(work: Work, account_id: int, list_id: int, page: Page | None) -> list[tuple[int, Account]]:
    """With the ids of their memberships, by which they are paged; all of them without a page."""
    row = await the_list(work, account_id, list_id)
    query = (
        select(ListMember.id, Account)
        .join(Account, Account.id == ListMember.account_id)
        .where(ListMember.list_id == row.id, Account.deleted_at.is_(None))
    )
    if page is None:
        return list(await work.session.execute(query.order_by(ListMember.id.desc())))
    return page.ordered((await work.session.execute(page.of(query, ListMember.id))).all())


async def add(work: Work, account_id: int, list_id: int, account_ids: Sequence[int]) -> None:
    """RefusedError (404) for whom its owner does not follow, and for who is in it already."""
    row = await the_list(work, account_id, list_id)
    followed = select(func.count()).select_from(Follow)
    followed = followed.where(Follow.account_id == account_id, Follow.target_id.in_(account_ids))
    if await work.session.scalar(followed) != len(set(account_ids) - {account_id}):
        raise not_found()
    for each in dict.fromkeys(account_ids):
        if not await insert_once(work.session, ListMember, id=work.make_id(), list_id=row.id, account_id=each):
            raise invalid("Validation failed: Account has already been taken")
    work.tell(RelationChanged(account_id))


async def drop(work: Work, account_id: int, list_id: int, account_ids: Sequence[int]) -> None:
    row = await the_list(work, account_id, list_id)
    await work.session.execute(
        delete(ListMember).where(ListMember.list_id == row.id, ListMember.account_id.in_(account_ids))
    )
    work.tell(RelationChanged(account_id))


def _set(row: List, title: str, replies_policy: str, *, exclusive: bool) -> None:
    if not title.strip() or len(title) > _TITLE_LENGTH_MAX:
        raise invalid("Validation failed: Title can't be blank, nor longer than 200 characters")
    if replies_policy not in _POLICIES:
        raise invalid("Validation failed: Replies policy is not included in the list")
    row.title, row.replies_policy, row.exclusive = title, replies_policy, exclusive
