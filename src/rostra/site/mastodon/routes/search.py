"""Search over Mastodon's API: accounts, posts, hashtags."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter
from typing_extensions import TypedDict

from rostra.site.answers import Json, RefusedError, invalid
from rostra.site.app import TheSite
from rostra.site.database.tables.posts import Status
from rostra.site.mastodon.body import Asked, Id, asks
from rostra.site.mastodon.entities import tag as tag_entities
from rostra.site.mastodon.entities.account import AccountEntity, accounts
from rostra.site.mastodon.entities.status import StatusEntity, write
from rostra.site.mastodon.paging import Page
from rostra.site.oauth.bearer import TheBearer, Viewer
from rostra.site.oauth.scopes import allows
from rostra.site.people import lookup
from rostra.site.posts.visibility import statuses_by_id
from rostra.site.snowflake import parse_snowflake
from rostra.site.timelines import search
from rostra.site.work import Work

router = APIRouter(prefix="/api/v2/search", tags=["search"])
_KINDS = ("accounts", "statuses", "hashtags")
_LIMIT, _LIMIT_MAX, _OFFSET_MAX = 20, 40, 10_000
_QUERY_LENGTH_MAX = 500  # as long as a post


class SearchEntity(TypedDict):
    accounts: list[AccountEntity]
    statuses: list[StatusEntity]
    hashtags: list[tag_entities.TagEntity]


@router.get("", response_model=SearchEntity)
async def find(
    site: TheSite,
    asked: Annotated[
        Asked,
        asks(
            type=str,
            offset=int,
            resolve=bool,
            q=str,
            limit=int,
            following=bool,
            max_id=Id,
            min_id=Id,
            account_id=Id,
        ),
    ],
    bearer: TheBearer,
) -> Json:
    viewer = bearer.viewer if bearer else None
    if bearer is not None and not allows(bearer.scopes, "read:search"):
        raise RefusedError(HTTPStatus.FORBIDDEN, "This action is outside the authorized scopes")
    if viewer is None and (asked.integer("offset") or asked.flag("resolve")):
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "Only who is logged in may page, or have addresses looked up")
    query = asked.text("q").strip()
    if not query:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "Query 'q' is missing")
    if len(query) > _QUERY_LENGTH_MAX:
        raise invalid("Query 'q' is too long")
    kinds = _kinds(query, asked.text("type"))
    viewer_id = viewer.account_id if viewer else None
    async with site.reading() as work:
        limit = max(1, min(asked.integer("limit", _LIMIT), _LIMIT_MAX))
        offset = max(0, min(asked.integer("offset"), _OFFSET_MAX))
        people = await _accounts(work, query, asked, viewer, limit, offset) if "accounts" in kinds else []
        posts = await _statuses(work, query, asked, viewer_id, limit, offset) if "statuses" in kinds else []
        tags = await search.tags(work, query, limit=limit, offset=offset) if "hashtags" in kinds else []
        return Json(
            {
                "accounts": people,
                "statuses": (await write(work, posts, viewer_id)).fragments,
                "hashtags": await tag_entities.tags(work, tags, viewer_id),
            }
        )


def _kinds(query: str, kind: str) -> tuple[str, ...]:
    """What may be meant: `#tag` only hashtags, `@name` only accounts (wire rule 11)."""
    if kind:
        if kind not in _KINDS:
            raise invalid("Type is not included in the list")
        return (kind,)
    if query.startswith("#"):
        return ("hashtags",)
    return ("accounts",) if query.startswith("@") else _KINDS


async def _accounts(
    work: Work, query: str, asked: Asked, viewer: Viewer | None, limit: int, offset: int
) -> list[AccountEntity]:
    prefix = f"{work.settings.url}/@"
    if query.startswith(prefix):
        query = query.removeprefix(prefix).partition("/")[0]
    found = await lookup.search(work, query, viewer, limit=limit, offset=offset, following=asked.flag("following"))
    return await accounts(work, found)


async def _statuses(
    work: Work, query: str, asked: Asked, viewer_id: int | None, limit: int, offset: int
) -> list[Status]:
    if query.startswith(f"{work.settings.url}/"):
        return await statuses_by_id(work, [parse_snowflake(query.rpartition("/")[2]) or -1], viewer_id)
    page = Page(limit, max_id=asked.optional_id("max_id"), min_id=asked.optional_id("min_id"))
    return await search.statuses(
        work,
        viewer_id,
        query,
        page,
        offset=offset,
        account_id=asked.optional_id("account_id"),
        following=asked.flag("following"),
    )
