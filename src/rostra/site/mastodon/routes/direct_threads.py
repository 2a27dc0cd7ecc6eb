"""Threads of direct posts over Mastodon's API, which calls them conversations."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from typing_extensions import TypedDict

from rostra.site.answers import Json
from rostra.site.app import TheSite
from rostra.site.database.tables.posts import DirectThread
from rostra.site.mastodon.entities.account import AccountEntity, accounts_by_id
from rostra.site.mastodon.entities.status import StatusEntity, statuses
from rostra.site.mastodon.paging import Paged, links, page_of
from rostra.site.mastodon.routes.statuses import Reader, id_of
from rostra.site.oauth.bearer import Viewer, signed_in
from rostra.site.posts import direct
from rostra.site.posts.visibility import statuses_by_id
from rostra.site.work import Work

router = APIRouter(prefix="/api/v1/conversations", tags=["conversations"])
_Writer = Annotated[Viewer, Depends(signed_in("write:conversations"))]


class ConversationEntity(TypedDict):
    id: str
    unread: bool
    accounts: list[AccountEntity]
    last_status: StatusEntity | None


async def conversations(work: Work, rows: Sequence[DirectThread], viewer_id: int) -> list[ConversationEntity]:
    """The entities of `rows`, in their order. Who writes to themselves alone is who is in it."""
    people = await accounts_by_id(work, {each for row in rows for each in row.participants or [viewer_id]})
    last = await statuses_by_id(work, [row.last_status_id for row in rows], viewer_id)
    shown = {int(each["id"]): each for each in await statuses(work, last, viewer_id)}
    return [
        ConversationEntity(
            id=str(row.id),
            unread=row.unread,
            accounts=[people[each] for each in row.participants or [viewer_id] if each in people],
            last_status=shown.get(row.last_status_id),
        )
        for row in rows
    ]


@router.get("/", response_model=list[ConversationEntity], include_in_schema=False)
@router.get("", response_model=list[ConversationEntity])
async def show_all(site: TheSite, request: Request, asked: Paged, viewer: Reader) -> Json:
    page = page_of(asked)
    async with site.reading() as work:
        rows = await direct.threads(work, viewer.account_id, page)
        headers = links(request, site.settings.url, page, [row.last_status_id for row in rows])
        return Json(await conversations(work, rows, viewer.account_id), headers=headers)


@router.post("/{thread_id}/read", response_model=ConversationEntity)
async def read(site: TheSite, thread_id: str, viewer: _Writer) -> Json:
    return await _mark(site, thread_id, viewer, unread=False)


@router.post("/{thread_id}/unread", response_model=ConversationEntity)
async def unread(site: TheSite, thread_id: str, viewer: _Writer) -> Json:
    return await _mark(site, thread_id, viewer, unread=True)


async def _mark(site: TheSite, thread_id: str, viewer: Viewer, *, unread: bool) -> Json:
    async with site.writing() as work:
        row = await direct.read(work, viewer.account_id, id_of(thread_id), unread=unread)
    async with site.reading() as work:
        return Json((await conversations(work, [row], viewer.account_id))[0])


@router.delete("/{thread_id}", response_model=dict[str, str])
async def forget(site: TheSite, thread_id: str, viewer: _Writer) -> Json:
    async with site.writing() as work:
        await direct.forget(work, viewer.account_id, id_of(thread_id))
    return Json({})
