"""Notifications over the API, one by one: read, counted, dismissed."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from typing_extensions import TypedDict

from rostra.site.answers import Json
from rostra.site.app import TheSite
from rostra.site.attention import notifications as inbox
from rostra.site.attention.notifications import Wish
from rostra.site.mastodon.body import Asked, Id, asks
from rostra.site.mastodon.entities.notification import NotificationEntity, notifications
from rostra.site.mastodon.paging import PAGING, links, page_of
from rostra.site.oauth.bearer import Viewer, signed_in
from rostra.site.snowflake import parse_snowflake

router = APIRouter(prefix="/api/v1/notifications", tags=["notifications"])
Reader = Annotated[Viewer, Depends(signed_in("read:notifications"))]
Writer = Annotated[Viewer, Depends(signed_in("write:notifications"))]
_LIMIT_MAX = 80
_COUNT_DEFAULT, _COUNT_MAX = 100, 1000


class CountEntity(TypedDict):
    count: int


WISH = {"types": [str], "exclude_types": [str], "account_id": Id, "include_filtered": bool}


def wish_of(asked: Asked) -> Wish:
    return Wish(
        kinds=asked.texts("types"),
        without=asked.texts("exclude_types"),
        from_id=asked.optional_id("account_id"),
        with_filtered=asked.flag("include_filtered"),
    )


def count_limit(asked: Asked) -> int:
    return max(1, min(asked.integer("limit", _COUNT_DEFAULT), _COUNT_MAX))


@router.get("", response_model=list[NotificationEntity])
async def read(
    request: Request,
    site: TheSite,
    viewer: Reader,
    asked: Annotated[Asked, asks(PAGING, WISH)],
) -> Json:
    page = page_of(asked, limit=_LIMIT_MAX // 2, limit_max=_LIMIT_MAX)
    async with site.reading() as work:
        rows = await inbox.page_of_notifications(work, viewer.account_id, page, wish_of(asked))
        entities = await notifications(work, rows, viewer.account_id)
    return Json(entities, headers=links(request, site.settings.url, page, [row.id for row in rows]))


@router.get("/unread_count", response_model=CountEntity)
async def count_unread(
    site: TheSite,
    viewer: Reader,
    asked: Annotated[Asked, asks(WISH, limit=int)],
) -> Json:
    async with site.reading() as work:
        count = await inbox.unread_count(work, viewer.account_id, wish_of(asked), limit=count_limit(asked))
    return Json({"count": count})


@router.post("/clear")
async def clear(site: TheSite, viewer: Writer) -> Json:
    async with site.writing() as work:
        await inbox.clear(work, viewer.account_id)
    return Json({})


@router.post("/dismiss")
async def dismiss_named(site: TheSite, viewer: Writer, asked: Annotated[Asked, asks(id=str)]) -> Json:
    return await dismiss(site, viewer, asked.text("id"))


@router.get("/{notification_id}", response_model=NotificationEntity)
async def show(site: TheSite, viewer: Reader, notification_id: str) -> Json:
    async with site.reading() as work:
        row = await inbox.the_notification(work, viewer.account_id, parse_snowflake(notification_id) or -1)
        found = await notifications(work, [row], viewer.account_id)
    return Json(found[0] if found else None)


@router.post("/{notification_id}/dismiss")
async def dismiss(site: TheSite, viewer: Writer, notification_id: str) -> Json:
    async with site.writing() as work:
        await inbox.dismiss(work, viewer.account_id, parse_snowflake(notification_id) or -1)
    return Json({})
