"""The search page: people, posts and hashtags."""

from typing import Final

from fastapi import APIRouter, Response
from sqlalchemy import select

from rostra.site.database.tables.posts import Tag
from rostra.site.mastodon.entities.account import accounts
from rostra.site.pages.browser import TheBrowser
from rostra.site.people import lookup

router = APIRouter(include_in_schema=False)
_FOUND_MAX: Final = 20
_LENGTH_MAX: Final = 200


@router.get("/search")
async def show_search(browser: TheBrowser, q: str = "") -> Response:
    words = q.strip()[:_LENGTH_MAX]
    if not words:
        return browser.page("search.html", words="", people=[], posts=[], tags=[])
    prefix = words.removeprefix("#").lower()
    async with browser.site.reading() as work:
        rows = await lookup.search(work, words, browser.viewer, limit=_FOUND_MAX)
        people = await accounts(work, rows)
        named = select(Tag).where(Tag.name.startswith(prefix, autoescape=True)).order_by(Tag.name).limit(_FOUND_MAX)
        tags = (await work.session.scalars(named)).all()
    return browser.page("search.html", words=words, people=people, posts=[], tags=tags)
