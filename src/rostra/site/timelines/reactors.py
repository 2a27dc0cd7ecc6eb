"""Who has boosted or favourited a post: those whom the reader wants to see, the newest first."""

from collections.abc import Awaitable, Callable

from sqlalchemy import Select, select
from sqlalchemy.orm import InstrumentedAttribute

from rostra.site.database.tables.people import Account
from rostra.site.database.tables.posts import Favourite, Status
from rostra.site.mastodon.paging import Page
from rostra.site.moderation.restrictions import account_is
from rostra.site.posts.visibility import avoided, may_see
from rostra.site.work import Work

Reactors = Callable[[Work, int, int | None, Page], Awaitable[list[tuple[int, Account]]]]


async def boosters(work: Work, status_id: int, viewer_id: int | None, page: Page) -> list[tuple[int, Account]]:
    """With the ids of their boosts, by which they are paged; boosts for followers alone are not listed."""
    query = select(Status.id, Account).join(Account, Account.id == Status.account_id)
    query = query.where(
        Status.reblog_of_id == status_id,
        Status.visibility.in_(["public", "unlisted"]),
        may_see(Status, viewer_id, work.now),
    )
    return await _page(work, query, Status.id, viewer_id, page)


async def favouriters(work: Work, status_id: int, viewer_id: int | None, page: Page) -> list[tuple[int, Account]]:
    query = select(Favourite.id, Account).join(Account, Account.id == Favourite.account_id)
    query = query.where(Favourite.status_id == status_id)
    return await _page(work, query, Favourite.id, viewer_id, page)


async def _page(
    work: Work, query: Select[int, Account], edge: InstrumentedAttribute[int], viewer_id: int | None, page: Page
) -> list[tuple[int, Account]]:
    query = query.where(
        Account.deleted_at.is_(None),
        ~account_is("suspend", Account.id, work.now),
        Account.id.not_in(avoided(viewer_id, work.now)),
    )
    return page.ordered((await work.session.execute(page.of(query, edge))).all())
