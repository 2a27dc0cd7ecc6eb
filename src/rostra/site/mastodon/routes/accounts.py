"""Accounts: found by id, by name and by what is typed; made by applications on behalf of people who join."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request

from rostra.site.answers import Json, RefusedError, invalid
from rostra.site.app import TheSite
from rostra.site.mastodon.body import Asked, Id, asks
from rostra.site.mastodon.entities.account import AccountEntity, accounts
from rostra.site.mastodon.entities.relationship import (
    FamiliarFollowersEntity,
    RelationshipEntity,
    familiar_followers,
    relationships,
)
from rostra.site.mastodon.paging import PAGING, page_of
from rostra.site.oauth import apps
from rostra.site.oauth.bearer import AnApp, Viewer, check_scopes, signed_in
from rostra.site.pages.languages import choose, translations
from rostra.site.people import lookup
from rostra.site.people.registration import Problem, Wish, register
from rostra.site.snowflake import parse_snowflake

router = APIRouter(prefix="/api/v1/accounts", tags=["accounts"])
_IDS_MAX: Final = 40
_SEARCH_LIMIT: Final = 40
_SEARCH_LIMIT_MAX: Final = 80


@router.post("")
async def join(
    request: Request,
    site: TheSite,
    bearer: AnApp,
    asked: Annotated[
        Asked, asks(lang=str, username=str, password=str, agreement=bool, reason=str, email=str, locale=str)
    ],
) -> Json:
    """A token for the new account, of the application that asked."""
    check_scopes(bearer, "write:accounts")
    if bearer.account_id is not None:
        raise RefusedError(HTTPStatus.FORBIDDEN, "This method requires an client credentials authentication")
    language = choose(cookie=asked.text("lang"), account=None, accept=request.headers.get("accept-language", ""))
    wish = Wish(
        username=asked.text("username"),
        email=asked.text("email").strip(),
        password=asked.text("password"),
        agreement=asked.flag("agreement"),
        reason=asked.text("reason"),
        locale=choose(cookie=asked.text("locale"), account=None, accept=language),
    )
    joined = await register(site, wish, app_id=bearer.app_id)
    if isinstance(joined, list):
        raise refusal(joined, language)
    async with site.writing() as work:
        token = apps.token_for(work, bearer.app_id, joined.id, bearer.scopes)
    return Json(token)


@router.get("/lookup", response_model=AccountEntity)
async def look_up(site: TheSite, asked: Annotated[Asked, asks(acct=str)]) -> Json:
    async with site.reading() as work:
        (entity,) = await accounts(work, [await lookup.by_acct(work, asked.text("acct"))])
    return Json(entity)


@router.get("/search", response_model=list[AccountEntity])
async def search(
    site: TheSite,
    asked: Annotated[Asked, asks(PAGING, q=str, following=bool, offset=int)],
    viewer: Annotated[Viewer, Depends(signed_in("read:accounts"))],
) -> Json:
    page = page_of(asked, limit=_SEARCH_LIMIT, limit_max=_SEARCH_LIMIT_MAX)
    async with site.reading() as work:
        found = await lookup.search(
            work,
            asked.text("q"),
            viewer,
            limit=page.limit,
            offset=max(0, asked.integer("offset")),
            following=asked.flag("following"),
        )
        return Json(await accounts(work, found))


@router.get("/relationships", response_model=list[RelationshipEntity])
@router.get("/relationships/", response_model=list[RelationshipEntity], include_in_schema=False)
async def relate(
    site: TheSite,
    asked: Annotated[Asked, asks(id=[Id])],
    viewer: Annotated[Viewer, Depends(signed_in("read:follows"))],
) -> Json:
    async with site.reading() as work:
        found = await lookup.accounts(work, asked.ids("id")[:_IDS_MAX])
        return Json(await relationships(work, viewer.account_id, [row.id for row in found]))


@router.get("/familiar_followers", response_model=list[FamiliarFollowersEntity])
async def familiar(
    site: TheSite,
    asked: Annotated[Asked, asks(id=[Id])],
    viewer: Annotated[Viewer, Depends(signed_in("read:follows"))],
) -> Json:
    async with site.reading() as work:
        found = await lookup.accounts(work, asked.ids("id")[:_IDS_MAX])
        return Json(await familiar_followers(work, viewer.account_id, [row.id for row in found]))


@router.get("/{account_id}", response_model=AccountEntity)
async def show(site: TheSite, account_id: str) -> Json:
    async with site.reading() as work:
        (entity,) = await accounts(work, [await lookup.account(work, parse_snowflake(account_id) or -1)])
    return Json(entity)


@router.get("", response_model=list[AccountEntity])
async def show_many(site: TheSite, asked: Annotated[Asked, asks(id=[Id])]) -> Json:
    async with site.reading() as work:
        found = await lookup.accounts(work, asked.ids("id")[:_IDS_MAX])
        return Json(await accounts(work, found))


def refusal(problems: Sequence[Problem], language: str) -> RefusedError:
    """What is wrong with a wish to join, as Mastodon tells it, in the asker's language (wire rules 8 and 9)."""
    known = translations(language)
    details: dict[str, list[dict[str, str]]] = {}
    sentences = []
    for problem in problems:
        text = known.gettext(problem.text) % {"count": problem.count}
        details.setdefault(problem.field, []).append({"error": problem.code, "description": text})
        sentences.append(f"{known.gettext(problem.label)} {text}")
    message = known.gettext("Validation failed: %(problems)s") % {"problems": ", ".join(sentences)}
    return invalid(message, details=details)
