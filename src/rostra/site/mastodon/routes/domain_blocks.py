"""Servers that somebody has blocked."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request

from rostra.site.answers import Json
from rostra.site.app import TheSite
from rostra.site.mastodon.body import Asked, asks
from rostra.site.mastodon.paging import Paged, links, page_of
from rostra.site.oauth.bearer import Viewer, signed_in
from rostra.site.people import domains

router = APIRouter(prefix="/api/v1/domain_blocks", tags=["domain blocks"])
Reader = Annotated[Viewer, Depends(signed_in("read:blocks"))]
Writer = Annotated[Viewer, Depends(signed_in("write:blocks"))]
_LIMIT: Final = 100
_LIMIT_MAX: Final = 200


@router.get("", response_model=list[str])
async def show(request: Request, site: TheSite, viewer: Reader, asked: Paged) -> Json:
    page = page_of(asked, limit=_LIMIT, limit_max=_LIMIT_MAX)
    async with site.reading() as work:
        rows = await domains.blocked(work, viewer.account_id, page)
    headers = links(request, site.settings.url, page, [row.id for row in rows])
    return Json([row.domain for row in rows], headers=headers)


@router.post("")
async def block(site: TheSite, viewer: Writer, asked: Annotated[Asked, asks(domain=str)]) -> Json:
    async with site.writing() as work:
        await domains.block(work, viewer.account_id, asked.text("domain"))
    return Json({})


@router.delete("")
async def unblock(site: TheSite, viewer: Writer, asked: Annotated[Asked, asks(domain=str)]) -> Json:
    async with site.writing() as work:
        await domains.unblock(work, viewer.account_id, asked.text("domain"))
    return Json({})
