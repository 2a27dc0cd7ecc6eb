"""The search page: people, posts and hashtags."""

from typing import Final

from fastapi import APIRouter, Response

from rostra.site.mastodon.entities.account import accounts
from rostra.site.mastodon.paging import Page
from rostra.site.pages.browser import TheBrowser
from rostra.site.pages.reading import as_read, viewer_id
from rostra.site.people import lookup
from rostra.site.timelines import search

router = APIRouter(include_in_schema=False)
_FOUND_MAX: Final = 20
_LENGTH_MAX: Final = 200


@router.get("/search")
async def show_search(browser: TheBrowser, q: str = "") -> Response:
    words = q.strip()[:_LENGTH_MAX]
    if not words:
        return browser.page("search.html", words="", people=[], posts=[], tags=[])
    async with browser.site.reading() as work:
        people = await accounts(work, await lookup.search(work, words, browser.viewer, limit=_FOUND_MAX))
        rows = await search.statuses(work, viewer_id(browser), words, Page(_FOUND_MAX))
        posts = await as_read(work, rows, browser, "public")
        tags = await search.tags(work, words, limit=_FOUND_MAX)
    return browser.page("search.html", words=words, people=people, posts=posts, tags=tags)
