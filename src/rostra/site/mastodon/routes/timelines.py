"""Timelines over Mastodon's API: home, public, hashtag, list, what was bookmarked and favourited."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from rostra.site.answers import Json
from rostra.site.app import TheSite
from rostra.site.database.tables.posts import Bookmark, Favourite, Status
from rostra.site.mastodon.body import Asked, asks
from rostra.site.mastodon.entities.status import StatusEntity, write
from rostra.site.mastodon.paging import PAGING, Page, Paged, links, page_of
from rostra.site.mastodon.routes.statuses import Reader, id_of
from rostra.site.mastodon.shared import shared
from rostra.site.oauth.bearer import Anybody, Viewer, signed_in
from rostra.site.people import lookup
from rostra.site.posts.text import tag_key
from rostra.site.timelines import feeds, lists
from rostra.site.work import Site, Work

router = APIRouter(prefix="/api/v1", tags=["timelines"])


@router.get("/timelines/home", response_model=list[StatusEntity])
async def home(site: TheSite, request: Request, asked: Paged, viewer: Reader) -> Json:
    page = page_of(asked)
    async with site.reading() as work:
        rows = await feeds.home(work, viewer.account_id, page)
        return await _answer(work, request, page, rows, viewer.account_id, "home")


@router.get("/timelines/public", response_model=list[StatusEntity])
async def public(
    site: TheSite,
    request: Request,
    asked: Annotated[Asked, asks(PAGING, only_media=bool, remote=bool)],
    viewer: Anybody,
) -> Response:
    page, viewer_id = page_of(asked), viewer.account_id if viewer else None
    only_media, remote = asked.flag("only_media"), asked.flag("remote")

    async def made() -> Json:
        async with site.reading() as work:
            rows = await feeds.public(work, viewer_id, page, only_media=only_media, remote=remote)
            return await _answer(work, request, page, rows, viewer_id, "public")

    return await shared(site, request, viewer, made)


@router.get("/timelines/tag/{name}", response_model=list[StatusEntity])
async def tag(
    site: TheSite,
    request: Request,
    name: str,
    asked: Annotated[Asked, asks(PAGING, remote=bool, only_media=bool, any=[str], all=[str], none=[str])],
    viewer: Anybody,
) -> Response:
    page, viewer_id = page_of(asked), viewer.account_id if viewer else None
    if asked.flag("remote"):
        return Json([])
    wish = {
        "any_of": [tag_key(name), *_keys(asked, "any")],
        "all_of": _keys(asked, "all"),
        "none_of": _keys(asked, "none"),
    }
    only_media = asked.flag("only_media")

    async def made() -> Json:
        async with site.reading() as work:
            rows = await feeds.tagged(work, viewer_id, page, only_media=only_media, **wish)
            return await _answer(work, request, page, rows, viewer_id, "public")

    return await shared(site, request, viewer, made)


def _keys(asked: Asked, name: str) -> list[str]:
    return [tag_key(each.removeprefix("#")) for each in asked.texts(name)[:_TAGS_MAX]]


_TAGS_MAX = 4  # as Mastodon: a column in a client holds no more


@router.get("/timelines/list/{list_id}", response_model=list[StatusEntity])
async def of_list(
    site: TheSite,
    request: Request,
    list_id: str,
    asked: Paged,
    viewer: Annotated[Viewer, Depends(signed_in("read:lists"))],
) -> Json:
    page = page_of(asked)
    async with site.reading() as work:
        row = await lists.the_list(work, viewer.account_id, id_of(list_id))
        rows = await feeds.of_list(work, row, page)
        return await _answer(work, request, page, rows, viewer.account_id, "home")


@router.get("/accounts/{account_id}/statuses", response_model=list[StatusEntity])
async def of_account(
    site: TheSite,
    request: Request,
    account_id: str,
    asked: Annotated[
        Asked,
        asks(
            PAGING,
            exclude_replies=bool,
            exclude_reblogs=bool,
            exclude_direct=bool,
            only_media=bool,
            pinned=bool,
            tagged=str,
        ),
    ],
    viewer: Anybody,
) -> Response:
    page, viewer_id = page_of(asked), viewer.account_id if viewer else None
    wish = feeds.Wish(
        exclude_replies=asked.flag("exclude_replies"),
        exclude_reblogs=asked.flag("exclude_reblogs"),
        exclude_direct=asked.flag("exclude_direct"),
        only_media=asked.flag("only_media"),
        pinned=asked.flag("pinned"),
        tagged=tag_key(asked.text("tagged")),
    )

    async def made() -> Json:
        async with site.reading() as work:
            account = await lookup.account(work, id_of(account_id))
            rows = await feeds.of_account(work, account.id, viewer_id, page, wish)
            return await _answer(work, request, page, rows, viewer_id, "account")

    return await shared(site, request, viewer, made)


@router.get("/bookmarks", response_model=list[StatusEntity])
async def bookmarks(
    site: TheSite,
    request: Request,
    asked: Paged,
    viewer: Annotated[Viewer, Depends(signed_in("read:bookmarks"))],
) -> Json:
    return await _kept(site, request, asked, viewer, Bookmark)


@router.get("/favourites", response_model=list[StatusEntity])
async def favourites(
    site: TheSite,
    request: Request,
    asked: Paged,
    viewer: Annotated[Viewer, Depends(signed_in("read:favourites"))],
) -> Json:
    return await _kept(site, request, asked, viewer, Favourite)


async def _kept(
    site: Site, request: Request, asked: Asked, viewer: Viewer, table: type[Bookmark | Favourite]
) -> Json:
    page = page_of(asked)
    async with site.reading() as work:
        found = await feeds.kept(work, table, viewer.account_id, page)
        shown = await write(work, [row for _, row in found], viewer.account_id)
        headers = links(request, site.settings.url, page, [edge for edge, _ in found])
        return Json(shown.fragments, headers=headers)


async def _answer(
    work: Work, request: Request, page: Page, rows: Sequence[Status], viewer_id: int | None, context: str
) -> Json:
    """Paged by all rows, also those that a filter hides: the next page begins after them."""
    shown = await write(work, rows, viewer_id, context=context)
    return Json(shown.fragments, headers=links(request, work.settings.url, page, [row.id for row in rows]))
