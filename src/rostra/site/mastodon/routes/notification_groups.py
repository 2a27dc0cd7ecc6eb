"""Notifications over the API, by groups (v2)."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Request

from rostra.site.answers import Json, RefusedError
from rostra.site.app import TheSite
from rostra.site.attention import notifications as inbox
from rostra.site.mastodon.body import Asked, asks
from rostra.site.mastodon.entities.account import AccountEntity, accounts_by_id
from rostra.site.mastodon.entities.notification import GroupedNotificationsEntity, grouped
from rostra.site.mastodon.paging import PAGING, links, page_of
from rostra.site.mastodon.routes.notifications import WISH, CountEntity, Reader, Writer, count_limit, wish_of

router = APIRouter(prefix="/api/v2/notifications", tags=["notifications"])
_LIMIT_MAX = 80


@router.get("", response_model=GroupedNotificationsEntity)
async def read(
    request: Request,
    site: TheSite,
    viewer: Reader,
    asked: Annotated[
        Asked,
        asks(PAGING, WISH, expand_accounts=str, grouped_types=[str]),
    ],
) -> Json:
    page = page_of(asked, limit=_LIMIT_MAX // 2, limit_max=_LIMIT_MAX)
    expand = asked.text("expand_accounts", "full")
    if expand not in {"full", "partial_avatars"}:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "Invalid value for 'expand_accounts'")
    wanted = asked.texts("grouped_types") or inbox.GROUPED_KINDS
    kinds = [kind for kind in inbox.GROUPED_KINDS if kind in wanted]
    async with site.reading() as work:
        groups = await inbox.page_of_groups(work, viewer.account_id, page, wish_of(asked), grouped=kinds)
        entity = await grouped(work, groups, viewer.account_id, only_avatars=expand == "partial_avatars")
    return Json(entity, headers=links(request, site.settings.url, page, [group.newest.id for group in groups]))


@router.get("/unread_count", response_model=CountEntity)
async def count_unread(
    site: TheSite,
    viewer: Reader,
    asked: Annotated[Asked, asks(WISH, limit=int)],
) -> Json:
    limit = count_limit(asked)
    async with site.reading() as work:
        count = await inbox.unread_count(work, viewer.account_id, wish_of(asked), limit=limit, by_group=True)
    return Json({"count": count})


@router.get("/{group_key}", response_model=GroupedNotificationsEntity)
async def show(site: TheSite, viewer: Reader, group_key: str) -> Json:
    async with site.reading() as work:
        group = await inbox.the_group(work, viewer.account_id, group_key)
        return Json(await grouped(work, [group], viewer.account_id, only_avatars=False))


@router.get("/{group_key}/accounts", response_model=list[AccountEntity])
async def show_accounts(site: TheSite, viewer: Reader, group_key: str) -> Json:
    async with site.reading() as work:
        ids = await inbox.group_account_ids(work, viewer.account_id, group_key)
        found = await accounts_by_id(work, ids)
        return Json([found[each] for each in ids])


@router.post("/{group_key}/dismiss")
async def dismiss(site: TheSite, viewer: Writer, group_key: str) -> Json:
    async with site.writing() as work:
        await inbox.dismiss_group(work, viewer.account_id, group_key)
    return Json({})
