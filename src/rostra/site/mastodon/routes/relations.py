"""What somebody does about others: follow, block, mute, note, endorse; and the lists that come of it."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request

from rostra.site.answers import Json
from rostra.site.app import TheSite
from rostra.site.mastodon.body import Asked, asks
from rostra.site.mastodon.entities.account import AccountEntity, MutedAccountEntity, accounts, muted_accounts
from rostra.site.mastodon.entities.relationship import RelationshipEntity, relationships
from rostra.site.mastodon.paging import Page, Paged, links, page_of
from rostra.site.oauth.bearer import Anybody, Viewer, signed_in
from rostra.site.people import circles, lookup, relations
from rostra.site.people.circles import Circle
from rostra.site.snowflake import parse_snowflake
from rostra.site.work import Site, Work

router = APIRouter(prefix="/api/v1", tags=["relations"])
_LIMIT: Final = 40
_LIMIT_MAX: Final = 80
Follower = Annotated[Viewer, Depends(signed_in("write:follows"))]
Blocker = Annotated[Viewer, Depends(signed_in("write:blocks"))]
Muter = Annotated[Viewer, Depends(signed_in("write:mutes"))]
Writer = Annotated[Viewer, Depends(signed_in("write:accounts"))]


@router.post("/accounts/{account_id}/follow", response_model=RelationshipEntity)
async def follow(
    site: TheSite,
    viewer: Follower,
    account_id: str,
    asked: Annotated[Asked, asks(reblogs=bool, notify=bool, languages=[str])],
) -> Json:
    async with site.writing() as work:
        await relations.follow(
            work,
            viewer.account_id,
            _id(account_id),
            reblogs=asked.optional_flag("reblogs"),
            notify=asked.optional_flag("notify"),
            languages=asked.texts("languages") if "languages" in asked else None,
        )
    return await _relationship(site, viewer, account_id)


@router.post("/accounts/{account_id}/unfollow", response_model=RelationshipEntity)
async def unfollow(site: TheSite, viewer: Follower, account_id: str) -> Json:
    return await _did(site, viewer, account_id, relations.unfollow)


@router.post("/accounts/{account_id}/remove_from_followers", response_model=RelationshipEntity)
async def remove_follower(site: TheSite, viewer: Follower, account_id: str) -> Json:
    return await _did(site, viewer, account_id, relations.remove_follower)


@router.post("/accounts/{account_id}/block", response_model=RelationshipEntity)
async def block(site: TheSite, viewer: Blocker, account_id: str) -> Json:
    return await _did(site, viewer, account_id, relations.block)


@router.post("/accounts/{account_id}/unblock", response_model=RelationshipEntity)
async def unblock(site: TheSite, viewer: Blocker, account_id: str) -> Json:
    return await _did(site, viewer, account_id, relations.unblock)


@router.post("/accounts/{account_id}/mute", response_model=RelationshipEntity)
async def mute(
    site: TheSite, viewer: Muter, account_id: str, asked: Annotated[Asked, asks(duration=int, notifications=bool)]
) -> Json:
    duration_s = asked.integer("duration")
    lasts = timedelta(seconds=min(duration_s, int(relations.MUTE_MAX.total_seconds()) + 1)) if duration_s else None
    async with site.writing() as work:
        await relations.mute(
            work,
            viewer.account_id,
            _id(account_id),
            notifications=asked.flag("notifications", default=True),
            lasts=lasts,
        )
    return await _relationship(site, viewer, account_id)


@router.post("/accounts/{account_id}/unmute", response_model=RelationshipEntity)
async def unmute(site: TheSite, viewer: Muter, account_id: str) -> Json:
    return await _did(site, viewer, account_id, relations.unmute)


@router.post("/accounts/{account_id}/note", response_model=RelationshipEntity)
async def note(site: TheSite, viewer: Writer, account_id: str, asked: Annotated[Asked, asks(comment=str)]) -> Json:
    async with site.writing() as work:
        await relations.set_note(work, viewer.account_id, _id(account_id), asked.text("comment"))
    return await _relationship(site, viewer, account_id)


@router.post("/accounts/{account_id}/endorse", response_model=RelationshipEntity)
@router.post("/accounts/{account_id}/pin", response_model=RelationshipEntity)
async def endorse(site: TheSite, viewer: Writer, account_id: str) -> Json:
    return await _did(site, viewer, account_id, relations.endorse)


@router.post("/accounts/{account_id}/unendorse", response_model=RelationshipEntity)
@router.post("/accounts/{account_id}/unpin", response_model=RelationshipEntity)
async def unendorse(site: TheSite, viewer: Writer, account_id: str) -> Json:
    return await _did(site, viewer, account_id, relations.unendorse)


@router.post("/follow_requests/{account_id}/authorize", response_model=RelationshipEntity)
async def accept(site: TheSite, viewer: Follower, account_id: str) -> Json:
    return await _did(site, viewer, account_id, relations.accept)


@router.post("/follow_requests/{account_id}/reject", response_model=RelationshipEntity)
async def reject(site: TheSite, viewer: Follower, account_id: str) -> Json:
    return await _did(site, viewer, account_id, relations.reject)


@router.get("/accounts/{account_id}/followers", response_model=list[AccountEntity])
async def followers(request: Request, site: TheSite, viewer: Anybody, account_id: str, asked: Paged) -> Json:
    async with site.reading() as work:
        account = await lookup.account(work, _id(account_id))
        page = _page(asked)
        return await _listed(request, work, page, await circles.followers(work, account, viewer, page))


@router.get("/accounts/{account_id}/following", response_model=list[AccountEntity])
async def following(request: Request, site: TheSite, viewer: Anybody, account_id: str, asked: Paged) -> Json:
    async with site.reading() as work:
        account = await lookup.account(work, _id(account_id))
        page = _page(asked)
        return await _listed(request, work, page, await circles.following(work, account, viewer, page))


@router.get("/accounts/{account_id}/endorsements", response_model=list[AccountEntity])
async def endorsements_of(request: Request, site: TheSite, account_id: str, asked: Paged) -> Json:
    async with site.reading() as work:
        account = await lookup.account(work, _id(account_id))
        page = _page(asked)
        return await _listed(request, work, page, await circles.endorsed(work, account.id, page))


@router.get("/endorsements", response_model=list[AccountEntity])
async def endorsements(
    request: Request, site: TheSite, viewer: Annotated[Viewer, Depends(signed_in("read:accounts"))], asked: Paged
) -> Json:
    async with site.reading() as work:
        page = _page(asked)
        return await _listed(request, work, page, await circles.endorsed(work, viewer.account_id, page))


@router.get("/follow_requests", response_model=list[AccountEntity])
async def requests(
    request: Request, site: TheSite, viewer: Annotated[Viewer, Depends(signed_in("read:follows"))], asked: Paged
) -> Json:
    async with site.reading() as work:
        page = _page(asked)
        return await _listed(request, work, page, await circles.requests(work, viewer.account_id, page))


@router.get("/blocks", response_model=list[AccountEntity])
async def blocks(
    request: Request, site: TheSite, viewer: Annotated[Viewer, Depends(signed_in("read:blocks"))], asked: Paged
) -> Json:
    async with site.reading() as work:
        page = _page(asked)
        return await _listed(request, work, page, await circles.blocks(work, viewer.account_id, page))


@router.get("/mutes", response_model=list[MutedAccountEntity])
async def mutes(
    request: Request, site: TheSite, viewer: Annotated[Viewer, Depends(signed_in("read:mutes"))], asked: Paged
) -> Json:
    async with site.reading() as work:
        page = _page(asked)
        circle = await circles.mutes(work, viewer.account_id, page)
        entities = await muted_accounts(work, viewer.account_id, circle.accounts)
        return Json(entities, headers=links(request, work.settings.url, page, circle.edges))


def _id(text: str) -> int:
    return parse_snowflake(text) or -1


def _page(asked: Asked) -> Page:
    return page_of(asked, limit=_LIMIT, limit_max=_LIMIT_MAX)


async def _listed(request: Request, work: Work, page: Page, circle: Circle) -> Json:
    entities = await accounts(work, circle.accounts)
    return Json(entities, headers=links(request, work.settings.url, page, circle.edges))


async def _did(
    site: Site, viewer: Viewer, account_id: str, act: Callable[[Work, int, int], Awaitable[None]]
) -> Json:
    async with site.writing() as work:
        await act(work, viewer.account_id, _id(account_id))
    return await _relationship(site, viewer, account_id)


async def _relationship(site: Site, viewer: Viewer, account_id: str) -> Json:
    async with site.reading() as work:
        (entity,) = await relationships(work, viewer.account_id, [_id(account_id)])
    return Json(entity)
