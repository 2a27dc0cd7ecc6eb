"""Lists over Mastodon's API."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from typing_extensions import TypedDict

from rostra.site.answers import Json
from rostra.site.app import TheSite
from rostra.site.database.tables.graph import List
from rostra.site.mastodon.body import Asked, Id, asks
from rostra.site.mastodon.entities.account import AccountEntity, accounts
from rostra.site.mastodon.paging import Paged, links, page_of
from rostra.site.mastodon.routes.statuses import id_of
from rostra.site.oauth.bearer import Viewer, signed_in
from rostra.site.timelines import lists

router = APIRouter(prefix="/api/v1", tags=["lists"])
_Reader = Annotated[Viewer, Depends(signed_in("read:lists"))]
_Writer = Annotated[Viewer, Depends(signed_in("write:lists"))]
_List = Annotated[Asked, asks(title=str, replies_policy=str, exclusive=bool)]
_Accounts = Annotated[Asked, asks(account_ids=[Id])]


class ListEntity(TypedDict):
    id: str
    title: str
    replies_policy: str
    exclusive: bool


def _entity(row: List) -> ListEntity:
    return ListEntity(id=str(row.id), title=row.title, replies_policy=row.replies_policy, exclusive=row.exclusive)


@router.get("/lists", response_model=list[ListEntity])
async def show_all(site: TheSite, viewer: _Reader) -> Json:
    async with site.reading() as work:
        return Json([_entity(row) for row in await lists.lists(work, viewer.account_id)])


@router.get("/accounts/{account_id}/lists", response_model=list[ListEntity])
async def show_holding(site: TheSite, account_id: str, viewer: _Reader) -> Json:
    async with site.reading() as work:
        found = await lists.lists(work, viewer.account_id, holding=id_of(account_id))
        return Json([_entity(row) for row in found])


@router.post("/lists", response_model=ListEntity)
async def create(site: TheSite, asked: _List, viewer: _Writer) -> Json:
    async with site.writing() as work:
        row = await lists.create(
            work,
            viewer.account_id,
            title=asked.text("title"),
            replies_policy=asked.text("replies_policy") or "list",
            exclusive=asked.flag("exclusive"),
        )
    return Json(_entity(row))


@router.get("/lists/{list_id}", response_model=ListEntity)
async def show(site: TheSite, list_id: str, viewer: _Reader) -> Json:
    async with site.reading() as work:
        return Json(_entity(await lists.the_list(work, viewer.account_id, id_of(list_id))))


@router.put("/lists/{list_id}", response_model=ListEntity)
async def change(
    site: TheSite,
    list_id: str,
    asked: _List,
    viewer: _Writer,
) -> Json:
    async with site.writing() as work:
        row = await lists.change(
            work,
            viewer.account_id,
            id_of(list_id),
            title=asked.optional_text("title"),
            replies_policy=asked.optional_text("replies_policy"),
            exclusive=asked.optional_flag("exclusive"),
        )
    return Json(_entity(row))


@router.delete("/lists/{list_id}", response_model=dict[str, str])
async def remove(site: TheSite, list_id: str, viewer: _Writer) -> Json:
    async with site.writing() as work:
        await lists.remove(work, viewer.account_id, id_of(list_id))
    return Json({})


@router.get("/lists/{list_id}/accounts", response_model=list[AccountEntity])
async def show_members(site: TheSite, request: Request, list_id: str, asked: Paged, viewer: _Reader) -> Json:
    """All of them for `limit=0`."""
    page = None if asked.text("limit") == "0" else page_of(asked, limit=40, limit_max=80)
    async with site.reading() as work:
        found = await lists.members(work, viewer.account_id, id_of(list_id), page)
        body = await accounts(work, [account for _, account in found])
        headers = links(request, site.settings.url, page, [edge for edge, _ in found]) if page else {}
        return Json(body, headers=headers)


@router.post("/lists/{list_id}/accounts", response_model=dict[str, str])
async def add(site: TheSite, list_id: str, asked: _Accounts, viewer: _Writer) -> Json:
    async with site.writing() as work:
        await lists.add(work, viewer.account_id, id_of(list_id), asked.ids("account_ids"))
    return Json({})


@router.delete("/lists/{list_id}/accounts", response_model=dict[str, str])
async def drop(site: TheSite, list_id: str, asked: _Accounts, viewer: _Writer) -> Json:
    async with site.writing() as work:
        await lists.drop(work, viewer.account_id, id_of(list_id), asked.ids("account_ids"))
    return Json({})
