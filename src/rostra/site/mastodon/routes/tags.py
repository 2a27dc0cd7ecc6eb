"""Hashtags over Mastodon's API: followed, featured, trending."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from rostra.site.answers import Json, not_found
from rostra.site.app import TheSite
from rostra.site.mastodon.body import Asked, asks
from rostra.site.mastodon.entities import tag as entities
from rostra.site.mastodon.entities.card import PreviewCardEntity, preview_cards
from rostra.site.mastodon.entities.status import StatusEntity, write
from rostra.site.mastodon.entities.tag import FeaturedTagEntity, TagEntity
from rostra.site.mastodon.paging import Paged, links, page_of
from rostra.site.mastodon.routes.admin_accounts import moderator
from rostra.site.mastodon.routes.statuses import id_of
from rostra.site.oauth.bearer import Anybody, Viewer, signed_in
from rostra.site.people import lookup
from rostra.site.posts.text import tag_key
from rostra.site.timelines import tags, trends
from rostra.site.work import Site

router = APIRouter(prefix="/api/v1", tags=["tags"])
_Follower = Annotated[Viewer, Depends(signed_in("write:follows"))]
_Reader = Annotated[Viewer, Depends(signed_in("read:accounts"))]
_Writer = Annotated[Viewer, Depends(signed_in("write:accounts"))]
OfModerators = moderator("admin:read")  # they see what everybody sees: trends are counted, nobody approves them
_SUGGESTED_MAX = 10
_TRENDS = 10


class TrendingLinkEntity(PreviewCardEntity):
    history: list[entities.UseEntity]


@router.get("/tags/{name}", response_model=TagEntity)
async def show(site: TheSite, name: str, viewer: Anybody) -> Json:
    key = tag_key(name)
    async with site.reading() as work:
        found = (await tags.find(work, [key])).get(key)
        if found is None:
            return Json(entities.unused_tag(work, key))
        return Json((await entities.tags(work, [found], viewer.account_id if viewer else None))[0])


@router.post("/tags/{name}/follow", response_model=TagEntity)
async def follow(site: TheSite, name: str, viewer: _Follower) -> Json:
    async with site.writing() as work:
        tag = await tags.follow(work, viewer.account_id, name)
    return await _answer(site, tag.name, viewer)


@router.post("/tags/{name}/unfollow", response_model=TagEntity)
async def unfollow(site: TheSite, name: str, viewer: _Follower) -> Json:
    async with site.writing() as work:
        tag = await tags.unfollow(work, viewer.account_id, name)
    return await _answer(site, tag.name, viewer)


@router.post("/tags/{name}/feature", response_model=TagEntity)
async def feature(site: TheSite, name: str, viewer: _Writer) -> Json:
    async with site.writing() as work:
        tag = await tags.feature(work, viewer.account_id, name)
    return await _answer(site, tag.name, viewer)


@router.post("/tags/{name}/unfeature", response_model=TagEntity)
async def unfeature(site: TheSite, name: str, viewer: _Writer) -> Json:
    async with site.writing() as work:
        tag = await tags.make(work, name)
        await tags.unfeature(work, viewer.account_id, tag.id)
    return await _answer(site, tag.name, viewer)


async def _answer(site: Site, name: str, viewer: Viewer) -> Json:
    async with site.reading() as work:
        found = (await tags.find(work, [name]))[name]
        return Json((await entities.tags(work, [found], viewer.account_id))[0])


@router.get("/followed_tags", response_model=list[TagEntity])
async def followed(
    site: TheSite, request: Request, asked: Paged, viewer: Annotated[Viewer, Depends(signed_in("read:follows"))]
) -> Json:
    page = page_of(asked, limit=100, limit_max=200)
    async with site.reading() as work:
        found = await tags.followed(work, viewer.account_id, page)
        body = await entities.tags(work, [tag for _, tag in found], viewer.account_id)
        return Json(body, headers=links(request, site.settings.url, page, [edge for edge, _ in found]))


# --- on a profile ------------------------------------------------------------------------------------------


@router.get("/featured_tags", response_model=list[FeaturedTagEntity])
async def own_featured(site: TheSite, viewer: _Reader) -> Json:
    return await _featured(site, viewer.account_id)


@router.get("/accounts/{account_id}/featured_tags", response_model=list[FeaturedTagEntity])
async def featured(site: TheSite, account_id: str, _viewer: Anybody) -> Json:
    return await _featured(site, id_of(account_id))


async def _featured(site: Site, account_id: int) -> Json:
    async with site.reading() as work:
        account = await lookup.account(work, account_id)
        found = await tags.featured(work, account.id)
        return Json([entities.featured_tag(work, each, account.username) for each in found])


@router.post("/featured_tags", response_model=FeaturedTagEntity)
async def add_featured(site: TheSite, asked: Annotated[Asked, asks(name=str)], viewer: _Writer) -> Json:
    async with site.writing() as work:
        tag = await tags.feature(work, viewer.account_id, asked.text("name"))
    async with site.reading() as work:
        account = await lookup.account(work, viewer.account_id)
        (found,) = [each for each in await tags.featured(work, account.id) if each.tag.id == tag.id]
        return Json(entities.featured_tag(work, found, account.username))


@router.get("/featured_tags/suggestions", response_model=list[TagEntity])
async def suggest(site: TheSite, viewer: _Reader) -> Json:
    async with site.reading() as work:
        found = await tags.suggested(work, viewer.account_id, _SUGGESTED_MAX)
        return Json(await entities.tags(work, found, viewer.account_id))


@router.delete("/featured_tags/{featured_id}", response_model=dict[str, str])
async def remove_featured(site: TheSite, featured_id: str, viewer: _Writer) -> Json:
    async with site.writing() as work:
        row = await tags.the_featured(work, viewer.account_id, id_of(featured_id))
        await tags.unfeature(work, viewer.account_id, row.tag_id)
    return Json({})


# --- trends ------------------------------------------------------------------------------------------------


@router.get("/trends", response_model=list[TagEntity], include_in_schema=False)
@router.get("/trends/tags", response_model=list[TagEntity])
@router.get("/admin/trends/tags", response_model=list[TagEntity], dependencies=[OfModerators])
async def trending_tags(
    site: TheSite, asked: Annotated[Asked, asks(limit=int, offset=int)], viewer: Anybody
) -> Json:
    limit, offset = _range(asked.integer("limit", _TRENDS), asked.integer("offset"))
    async with site.reading() as work:
        found = await trends.tags(work, limit=limit, offset=offset)
        return Json(await entities.tags(work, found, viewer.account_id if viewer else None))


@router.get("/trends/statuses", response_model=list[StatusEntity])
@router.get("/admin/trends/statuses", response_model=list[StatusEntity], dependencies=[OfModerators])
async def trending_statuses(
    site: TheSite, asked: Annotated[Asked, asks(limit=int, offset=int)], viewer: Anybody
) -> Json:
    viewer_id = viewer.account_id if viewer else None
    limit, offset = _range(asked.integer("limit", 2 * _TRENDS), asked.integer("offset"))
    async with site.reading() as work:
        found = await trends.statuses(work, viewer_id, limit=limit, offset=offset)
        return Json((await write(work, found, viewer_id, context="public")).fragments)


@router.get("/trends/links", response_model=list[TrendingLinkEntity])
@router.get("/admin/trends/links", response_model=list[TrendingLinkEntity], dependencies=[OfModerators])
async def trending_links(site: TheSite, asked: Annotated[Asked, asks(limit=int, offset=int)]) -> Json:
    limit, offset = _range(asked.integer("limit", _TRENDS), asked.integer("offset"))
    async with site.reading() as work:
        found = await trends.card_ids(work, limit=limit, offset=offset)
        cards = await preview_cards(work, [card_id for card_id, _, _ in found])
        today = work.now.date()
        return Json(
            [
                cards[card_id] | {"history": [entities.use_entity(today, tags.Use(posts, accounts))]}
                for card_id, posts, accounts in found
                if card_id in cards
            ]
        )


@router.get("/timelines/link")
async def of_link() -> Json:
    """What Mastodon answers for a link that is no trend."""
    raise not_found()


def _range(limit: int, offset: int) -> tuple[int, int]:
    return max(1, min(limit, 40)), max(0, min(offset, 10_000))
