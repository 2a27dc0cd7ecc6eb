"""Posts for later over Mastodon's API."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Request

from rostra.site.answers import Json, invalid
from rostra.site.app import TheSite
from rostra.site.mastodon.body import Asked, asks
from rostra.site.mastodon.drafts import read_instant
from rostra.site.mastodon.entities.scheduled import ScheduledStatusEntity, scheduled_statuses
from rostra.site.mastodon.paging import Paged, links, page_of
from rostra.site.mastodon.routes.statuses import Reader, Writer, id_of
from rostra.site.posts import schedule

router = APIRouter(prefix="/api/v1/scheduled_statuses", tags=["statuses"])


@router.get("", response_model=list[ScheduledStatusEntity])
async def show_all(site: TheSite, request: Request, asked: Paged, viewer: Reader) -> Json:
    page = page_of(asked)
    async with site.reading() as work:
        rows = await schedule.scheduled(work, viewer.account_id, page)
        headers = links(request, site.settings.url, page, [row.id for row in rows])
        return Json(await scheduled_statuses(work, rows), headers=headers)


@router.get("/{scheduled_id}", response_model=ScheduledStatusEntity)
async def show(site: TheSite, scheduled_id: str, viewer: Reader) -> Json:
    async with site.reading() as work:
        row = await schedule.the_scheduled(work, viewer.account_id, id_of(scheduled_id))
        return Json((await scheduled_statuses(work, [row]))[0])


@router.put("/{scheduled_id}", response_model=ScheduledStatusEntity)
async def move(
    site: TheSite, scheduled_id: str, asked: Annotated[Asked, asks(scheduled_at=datetime)], viewer: Writer
) -> Json:
    at = read_instant(asked, "scheduled_at")
    if at is None:
        raise invalid("Record invalid")
    async with site.writing() as work:
        row = await schedule.move(work, viewer.account_id, id_of(scheduled_id), at)
    async with site.reading() as work:
        return Json((await scheduled_statuses(work, [row]))[0])


@router.delete("/{scheduled_id}", response_model=dict[str, str])
async def withdraw(site: TheSite, scheduled_id: str, viewer: Writer) -> Json:
    async with site.writing() as work:
        await schedule.withdraw(work, viewer.account_id, id_of(scheduled_id))
    return Json({})
