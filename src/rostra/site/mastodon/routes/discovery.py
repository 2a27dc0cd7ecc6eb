"""Who is to be found over the API: the directory, and suggestions."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends
from typing_extensions import TypedDict

from rostra.site.answers import Json
from rostra.site.app import TheSite
from rostra.site.mastodon.body import Asked, asks
from rostra.site.mastodon.entities.account import AccountEntity, accounts
from rostra.site.mastodon.paging import PAGING, Paged, page_of
from rostra.site.oauth.bearer import Anybody, Viewer, signed_in
from rostra.site.people import discovery
from rostra.site.snowflake import parse_snowflake

router = APIRouter(tags=["discovery"])
Reader = Annotated[Viewer, Depends(signed_in("read:accounts", "read"))]
_LIMIT: Final = 40
_LIMIT_MAX: Final = 80


class SuggestionEntity(TypedDict):
    source: str
    sources: list[str]
    account: AccountEntity


@router.get("/api/v1/directory", response_model=list[AccountEntity])
async def directory(
    site: TheSite, viewer: Anybody, asked: Annotated[Asked, asks(PAGING, order=str, offset=int)]
) -> Json:
    page = page_of(asked, limit=_LIMIT, limit_max=_LIMIT_MAX)
    async with site.reading() as work:
        found = await discovery.directory(
            work,
            viewer,
            newest_first=asked.text("order") == "new",
            limit=page.limit,
            offset=max(0, asked.integer("offset")),
        )
        return Json(await accounts(work, found))


@router.get("/api/v2/suggestions", response_model=list[SuggestionEntity])
async def suggestions(site: TheSite, viewer: Reader, asked: Paged) -> Json:
    page = page_of(asked, limit=_LIMIT, limit_max=_LIMIT_MAX)
    async with site.reading() as work:
        found = await discovery.suggestions(work, viewer.account_id, page.limit)
        entities = await accounts(work, [row for _, row in found])
    return Json(
        [
            SuggestionEntity(
                source="global" if source == "most_followed" else "past_interactions",
                sources=[source],
                account=entity,
            )
            for (source, _), entity in zip(found, entities, strict=True)
        ]
    )


@router.get("/api/v1/suggestions", response_model=list[AccountEntity], deprecated=True)
async def suggestions_v1(site: TheSite, viewer: Reader, asked: Paged) -> Json:
    page = page_of(asked, limit=_LIMIT, limit_max=_LIMIT_MAX)
    async with site.reading() as work:
        found = await discovery.suggestions(work, viewer.account_id, page.limit)
        return Json(await accounts(work, [row for _, row in found]))


@router.delete("/api/v1/suggestions/{account_id}")
async def dismiss(site: TheSite, viewer: Reader, account_id: str) -> Json:
    async with site.writing() as work:
        await discovery.dismiss(work, viewer.account_id, parse_snowflake(account_id) or -1)
    return Json({})
