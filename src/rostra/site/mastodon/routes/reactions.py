"""What people do with a post over Mastodon's API: boost, favourite, bookmark, pin, mute its thread."""

from typing import Annotated

from fastapi import APIRouter, Depends

from rostra.site.answers import Json
from rostra.site.app import TheSite
from rostra.site.mastodon.body import Asked, asks
from rostra.site.mastodon.entities.status import StatusEntity
from rostra.site.mastodon.routes.statuses import Writer, answer, id_of
from rostra.site.oauth.bearer import Viewer, signed_in
from rostra.site.posts import reactions

router = APIRouter(prefix="/api/v1/statuses", tags=["statuses"])
_Favourites = Annotated[Viewer, Depends(signed_in("write:favourites"))]
_Bookmarks = Annotated[Viewer, Depends(signed_in("write:bookmarks"))]
_Accounts = Annotated[Viewer, Depends(signed_in("write:accounts"))]
_Mutes = Annotated[Viewer, Depends(signed_in("write:mutes"))]


@router.post("/{status_id}/reblog", response_model=StatusEntity)
async def boost(
    site: TheSite, status_id: str, asked: Annotated[Asked, asks(visibility=str)], viewer: Writer
) -> Json:
    """The boost, which holds the post (wire rule 15)."""
    visibility = asked.text("visibility") or "public"
    async with site.writing() as work:
        row = await reactions.boost(work, viewer.account_id, id_of(status_id), visibility=visibility)
    return await answer(site, row.id, viewer.account_id)


@router.post("/{status_id}/unreblog", response_model=StatusEntity)
async def unboost(site: TheSite, status_id: str, viewer: Writer) -> Json:
    async with site.writing() as work:
        row = await reactions.unboost(work, viewer.account_id, id_of(status_id))
    return await answer(site, row.id, viewer.account_id)


@router.post("/{status_id}/favourite", response_model=StatusEntity)
async def favourite(site: TheSite, status_id: str, viewer: _Favourites) -> Json:
    async with site.writing() as work:
        row = await reactions.favourite(work, viewer.account_id, id_of(status_id))
    return await answer(site, row.id, viewer.account_id)


@router.post("/{status_id}/unfavourite", response_model=StatusEntity)
async def unfavourite(site: TheSite, status_id: str, viewer: _Favourites) -> Json:
    async with site.writing() as work:
        row = await reactions.unfavourite(work, viewer.account_id, id_of(status_id))
    return await answer(site, row.id, viewer.account_id)


@router.post("/{status_id}/bookmark", response_model=StatusEntity)
async def bookmark(site: TheSite, status_id: str, viewer: _Bookmarks) -> Json:
    async with site.writing() as work:
        row = await reactions.bookmark(work, viewer.account_id, id_of(status_id))
    return await answer(site, row.id, viewer.account_id)


@router.post("/{status_id}/unbookmark", response_model=StatusEntity)
async def unbookmark(site: TheSite, status_id: str, viewer: _Bookmarks) -> Json:
    async with site.writing() as work:
        row = await reactions.unbookmark(work, viewer.account_id, id_of(status_id))
    return await answer(site, row.id, viewer.account_id)


@router.post("/{status_id}/pin", response_model=StatusEntity)
async def pin(site: TheSite, status_id: str, viewer: _Accounts) -> Json:
    async with site.writing() as work:
        row = await reactions.pin(work, viewer.account_id, id_of(status_id))
    return await answer(site, row.id, viewer.account_id)


@router.post("/{status_id}/unpin", response_model=StatusEntity)
async def unpin(site: TheSite, status_id: str, viewer: _Accounts) -> Json:
    async with site.writing() as work:
        row = await reactions.unpin(work, viewer.account_id, id_of(status_id))
    return await answer(site, row.id, viewer.account_id)


@router.post("/{status_id}/mute", response_model=StatusEntity)
async def mute(site: TheSite, status_id: str, viewer: _Mutes) -> Json:
    async with site.writing() as work:
        row = await reactions.mute_thread(work, viewer.account_id, id_of(status_id))
    return await answer(site, row.id, viewer.account_id)


@router.post("/{status_id}/unmute", response_model=StatusEntity)
async def unmute(site: TheSite, status_id: str, viewer: _Mutes) -> Json:
    async with site.writing() as work:
        row = await reactions.unmute_thread(work, viewer.account_id, id_of(status_id))
    return await answer(site, row.id, viewer.account_id)
