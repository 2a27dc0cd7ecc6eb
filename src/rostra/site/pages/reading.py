"""Pages on which posts are read: everybody's, those of a hashtag, one with its thread, what was kept."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import orjson
from fastapi import APIRouter, Response
from sqlalchemy import select

from rostra.site.answers import not_found
from rostra.site.database.tables.posts import Bookmark, Favourite, Status, StatusEdit, Tag
from rostra.site.mastodon.body import Asked, Body
from rostra.site.mastodon.entities.account import accounts
from rostra.site.mastodon.entities.status import StatusEntity, statuses, write
from rostra.site.mastodon.paging import Page, page_of
from rostra.site.pages import embedding
from rostra.site.pages.browser import Browser, Member, TheBrowser
from rostra.site.pages.shared import shared
from rostra.site.people import lookup
from rostra.site.posts import edit
from rostra.site.posts.text import tag_key
from rostra.site.posts.visibility import the_status
from rostra.site.snowflake import parse_snowflake
from rostra.site.timelines import feeds, reactors
from rostra.site.timelines.thread import thread_of
from rostra.site.work import Work

router = APIRouter(include_in_schema=False)


@router.api_route("/", methods=["GET", "HEAD"])
async def show_front(browser: TheBrowser, asked: Body) -> Response:
    """For members their home timeline, for visitors what the site is and what is said on it."""
    page = page_of(asked)

    async def make() -> Response:
        async with browser.site.reading() as work:
            if browser.viewer is None:
                shown = await as_read(work, await feeds.public(work, None, page), browser, "public")
            else:
                shown = await as_read(work, await feeds.home(work, browser.account_id, page), browser, "home")
        return browser.page("front.html", **feed(shown, page), draft=blank_draft(browser), errors=(), key=new_key())

    return await shared(browser, make)


@router.get("/public")
async def show_public(browser: TheBrowser, asked: Body) -> Response:
    page, nothing = page_of(asked), browser.gettext("Nobody has written anything yet.")

    async def make() -> Response:
        async with browser.site.reading() as work:
            rows = await feeds.public(work, viewer_id(browser), page)
            shown = await as_read(work, rows, browser, "public")
        title = browser.gettext("Everybody")
        return browser.page("feed.html", title=title, nothing=nothing, **feed(shown, page))

    return await shared(browser, make)


@router.get("/tags/{name}")
async def show_tag(browser: TheBrowser, asked: Body, name: str) -> Response:
    page, nothing = page_of(asked), browser.gettext("Nobody has used this hashtag yet.")

    async def make() -> Response:
        async with browser.site.reading() as work:
            tag = await work.session.scalar(select(Tag).where(Tag.name == tag_key(name)))
            rows = await feeds.tagged(work, viewer_id(browser), page, any_of=[tag_key(name)])
            shown = await as_read(work, rows, browser, "public")
        title = f"#{name if tag is None else tag.display_name}"
        return browser.page("feed.html", title=title, nothing=nothing, **feed(shown, page))

    return await shared(browser, make)


@router.get("/bookmarks")
async def show_bookmarks(browser: Member, asked: Body) -> Response:
    nothing = browser.gettext("Posts that you bookmark stand here. Nobody else sees them.")
    return await _kept(browser, asked, Bookmark, browser.gettext("Bookmarks"), nothing)


@router.get("/favourites")
async def show_favourites(browser: Member, asked: Body) -> Response:
    nothing = browser.gettext("Posts that you favour stand here.")
    return await _kept(browser, asked, Favourite, browser.gettext("Favourites"), nothing)


@router.get("/@{username}/{status_id}")
async def show_post(browser: TheBrowser, username: str, status_id: str) -> Response:
    return await shared(browser, lambda: _post_page(browser, username, status_id))


@router.get("/@{username}/{status_id}/history")
async def show_history(browser: TheBrowser, username: str, status_id: str) -> Response:
    async with browser.site.reading() as work:
        status = await of_author(work, browser, username, status_id)
        versions = await edit.history(work, status.id)
        (shown,) = await statuses(work, [status], viewer_id(browser))
    return browser.page("history.html", shown=shown, versions=list(reversed(_earlier(versions))))


@router.get("/@{username}/{status_id}/boosts")
async def show_boosters(browser: TheBrowser, asked: Body, username: str, status_id: str) -> Response:
    title = browser.gettext("Boosted by")
    return await _reactors(browser, asked, username, status_id, reactors.boosters, title)


@router.get("/@{username}/{status_id}/favourites")
async def show_favouriters(browser: TheBrowser, asked: Body, username: str, status_id: str) -> Response:
    title = browser.gettext("Favoured by")
    return await _reactors(browser, asked, username, status_id, reactors.favouriters, title)


# --- for pages that show posts -----------------------------------------------------------------------------


def viewer_id(browser: Browser) -> int | None:
    return None if browser.viewer is None else browser.viewer.account_id


async def as_read(work: Work, rows: Sequence[Status], browser: Browser, context: str) -> list[StatusEntity]:
    """The posts without those that the reader's filters hide here."""
    written = await write(work, rows, viewer_id(browser), context=context)
    return [orjson.loads(body) for body in written.bodies]


def feed(shown: Sequence[StatusEntity], page: Page, edges: Sequence[int] | None = None) -> dict[str, Any]:
    """What feed.html needs of a page of posts; `edges` are the ids by which it goes on, if not the posts' own."""
    ids = [int(each["id"]) for each in shown] if edges is None else edges
    older = ids[-1] if len(ids) >= page.limit else None
    newer = ids[0] if ids and (page.max_id or page.min_id) else None
    return {"posts": shown, "older": older, "newer": newer}


def new_key() -> str:
    """An Idempotency-Key: a form that is sent twice makes one post."""
    return secrets.token_urlsafe(16)


def blank_draft(browser: Browser) -> dict[str, Any]:
    """What the form to write a post is filled with."""
    settings = {} if browser.logged_in is None else browser.logged_in.user.settings
    return {
        "status": "",
        "spoiler_text": "",
        "visibility": settings.get("privacy", "public"),
        "language": settings.get("language") or browser.language,
        "in_reply_to_id": "",
        "options": [],
        "media": [],
    }


def mentions(status: StatusEntity, browser: Browser) -> str:
    """How an answer begins: with the names of those who take part."""
    names = [status["account"]["acct"], *(each["acct"] for each in status["mentions"])]
    mine = None if browser.logged_in is None else browser.logged_in.account.username
    return "".join(f"@{name} " for name in dict.fromkeys(names) if name != mine)


async def of_author(work: Work, browser: Browser, username: str, status_id: str) -> Status:
    """RefusedError (404) if there is no such post for this reader, or it is somebody else's."""
    author = await lookup.by_acct(work, username)
    status = await the_status(work, parse_snowflake(status_id) or -1, viewer_id(browser))
    if status.account_id != author.id or status.reblog_of_id is not None:
        raise not_found()
    return status


async def _post_page(browser: Browser, username: str, status_id: str) -> Response:
    async with browser.site.reading() as work:
        thread = await thread_around(work, browser, await of_author(work, browser, username, status_id))
    settings, focus = browser.site.settings, thread["focus"]
    return browser.page(
        "post_page.html",
        headers=embedding.discovery(settings, focus),
        **thread,
        **embedding.about(settings, focus, language=browser.language),
        quotation=embedding.quotation(settings, focus),
    )


async def thread_around(work: Work, browser: Browser, status: Status) -> dict[str, Any]:
    """What thread.html needs of a post, what it answers, and what answers it."""
    thread = await thread_of(work, status, viewer_id(browser))
    rows = [*thread.ancestors, status, *thread.descendants]
    shown = await statuses(work, rows, viewer_id(browser))
    at = len(thread.ancestors)
    focus = shown[at]
    return {
        "ancestors": shown[:at],
        "focus": focus,
        "descendants": shown[at + 1 :],
        "depth": _depths(shown[at:]),
        "draft": blank_draft(browser) | {"in_reply_to_id": str(status.id), "status": mentions(focus, browser)},
        "errors": (),
        "key": new_key(),
    }


async def _kept(
    browser: Browser, asked: Asked, table: type[Bookmark | Favourite], title: str, nothing: str
) -> Response:
    page = page_of(asked)
    async with browser.site.reading() as work:
        rows = await feeds.kept(work, table, browser.account_id, page)
        shown = await statuses(work, [status for _, status in rows], browser.account_id)
    edges = [edge for edge, _ in rows]
    return browser.page("feed.html", title=title, nothing=nothing, **feed(shown, page, edges))


async def _reactors(
    browser: Browser,
    asked: Asked,
    username: str,
    status_id: str,
    who: Callable[[Work, int, int | None, Page], Awaitable[Sequence[tuple[int, Any]]]],
    title: str,
) -> Response:
    page = page_of(asked)
    async with browser.site.reading() as work:
        status = await of_author(work, browser, username, status_id)
        found = await who(work, status.id, viewer_id(browser), page)
        people = await accounts(work, [account for _, account in found])
    older = found[-1][0] if len(found) >= page.limit else None
    return browser.page("people.html", title=title, people=people, older=older, back=f"/@{username}/{status_id}")


def _depths(posts: Sequence[StatusEntity]) -> dict[str, int]:
    """How deep each answer stands below the first of `posts`."""
    depths: dict[str, int] = {}
    for each in posts:
        depths[each["id"]] = depths.get(each["in_reply_to_id"] or "", -1) + 1
    return depths


def _earlier(versions: Sequence[StatusEdit]) -> list[dict[str, Any]]:
    return [
        {"content": each.content, "spoiler_text": each.spoiler_text, "created_at": each.created_at}
        for each in versions
    ]
