"""Announcements over the API: read, dismissed, reacted to."""

from typing import Annotated

from fastapi import APIRouter, Depends

from rostra.site.answers import Json
from rostra.site.app import TheSite
from rostra.site.attention.announcements import current, dismiss, react, take_back
from rostra.site.mastodon.body import Asked, asks
from rostra.site.mastodon.entities.announcement import AnnouncementEntity, announcements
from rostra.site.oauth.bearer import Viewer, signed_in
from rostra.site.snowflake import parse_snowflake

router = APIRouter(prefix="/api/v1/announcements", tags=["announcements"])
Reader = Annotated[Viewer, Depends(signed_in())]
Dismisser = Annotated[Viewer, Depends(signed_in("write:accounts"))]
Reactor = Annotated[Viewer, Depends(signed_in("write:favourites"))]


@router.get("", response_model=list[AnnouncementEntity])
async def read(site: TheSite, viewer: Reader, asked: Annotated[Asked, asks(with_dismissed=bool)]) -> Json:
    async with site.reading() as work:
        rows = await current(work, viewer.account_id, with_read=asked.flag("with_dismissed"))
        return Json(await announcements(work, rows, viewer.account_id))


@router.post("/{announcement_id}/dismiss")
async def mark_read(site: TheSite, viewer: Dismisser, announcement_id: str) -> Json:
    async with site.writing() as work:
        await dismiss(work, viewer.account_id, parse_snowflake(announcement_id) or -1)
    return Json({})


@router.put("/{announcement_id}/reactions/{name}")
async def add_reaction(site: TheSite, viewer: Reactor, announcement_id: str, name: str) -> Json:
    async with site.writing() as work:
        await react(work, viewer.account_id, parse_snowflake(announcement_id) or -1, name)
    return Json({})


@router.delete("/{announcement_id}/reactions/{name}")
async def remove_reaction(site: TheSite, viewer: Reactor, announcement_id: str, name: str) -> Json:
    async with site.writing() as work:
        await take_back(work, viewer.account_id, parse_snowflake(announcement_id) or -1, name)
    return Json({})
