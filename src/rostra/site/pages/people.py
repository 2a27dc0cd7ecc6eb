"""Pages of people: a profile with its posts, those around somebody, and what one may do about them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from fastapi import APIRouter, Response

from rostra.site.answers import not_found
from rostra.site.database.tables.people import Account
from rostra.site.mastodon.body import Asked, Body
from rostra.site.mastodon.entities.account import accounts
from rostra.site.mastodon.entities.relationship import relationships
from rostra.site.mastodon.entities.status import statuses
from rostra.site.mastodon.paging import Page, page_of
from rostra.site.moderation.restrictions import in_force
from rostra.site.oauth.bearer import Viewer
from rostra.site.pages.browser import Browser, Member, MembersForm, TheBrowser, local_path
from rostra.site.pages.reading import feed, viewer_id
from rostra.site.pages.shared import shared
from rostra.site.people import circles, lookup, relations
from rostra.site.people.circles import Circle
from rostra.site.timelines import feeds
from rostra.site.timelines.feeds import Wish
from rostra.site.work import Work

router = APIRouter(include_in_schema=False)
_PINNED: Final = Page(5)


@router.get("/@{username}")
async def show_profile(browser: TheBrowser, asked: Body, username: str) -> Response:
    return await _profile(browser, asked, username, Wish(exclude_replies=True, exclude_direct=True), "")


@router.get("/@{username}/with_replies")
async def show_replies(browser: TheBrowser, asked: Body, username: str) -> Response:
    return await _profile(browser, asked, username, Wish(exclude_direct=True), "with_replies")


@router.get("/@{username}/media")
async def show_media(browser: TheBrowser, asked: Body, username: str) -> Response:
    wish = Wish(exclude_reblogs=True, exclude_direct=True, only_media=True)
    return await _profile(browser, asked, username, wish, "media")


@router.get("/@{username}/followers")
async def show_followers(browser: TheBrowser, asked: Body, username: str) -> Response:
    return await _circle(browser, asked, username, circles.followers, browser.gettext("Followers"))


@router.get("/@{username}/following")
async def show_following(browser: TheBrowser, asked: Body, username: str) -> Response:
    return await _circle(browser, asked, username, circles.following, browser.gettext("Follows"))


@router.get("/requests")
async def show_requests(browser: Member, asked: Body) -> Response:
    """Who asks to follow somebody who decides about that."""
    page = page_of(asked)
    async with browser.site.reading() as work:
        circle = await circles.requests(work, browser.account_id, page)
        people = await accounts(work, circle.accounts)
    return browser.page("requests.html", people=people)


_Act = Callable[[Work, int, int], Awaitable[None]]
_ACTS: Final[Mapping[str, _Act]] = {
    "follow": relations.follow,
    "unfollow": relations.unfollow,
    "block": relations.block,
    "unblock": relations.unblock,
    "mute": relations.mute,
    "unmute": relations.unmute,
    "accept": relations.accept,
    "reject": relations.reject,
    "remove": relations.remove_follower,
}


@router.post("/people/{account_id}/{act}")
async def act(form: MembersForm, account_id: int, act: str) -> Response:
    browser, done = form.browser, _ACTS.get(act)
    if done is None:
        raise not_found()
    async with browser.site.writing() as work:
        await done(work, browser.account_id, account_id)
    return browser.go(local_path(form.asked.text("next")))


async def _profile(browser: Browser, asked: Asked, username: str, wish: Wish, tab: str) -> Response:
    return await shared(browser, lambda: _profile_page(browser, asked, username, wish, tab))


async def _profile_page(browser: Browser, asked: Asked, username: str, wish: Wish, tab: str) -> Response:
    page, reader = page_of(asked), viewer_id(browser)
    async with browser.site.reading() as work:
        account = await lookup.by_acct(work, username)
        (person,) = await accounts(work, [account])
        is_suspended = "suspend" in (await in_force(work, "account", [account.id]))[account.id]
        relation = await _relation(work, reader, account.id)
        rows = [] if is_suspended else await feeds.of_account(work, account.id, reader, page, wish)
        first = tab == "" and page.max_id is None and page.min_id is None and not is_suspended
        pinned = await feeds.of_account(work, account.id, reader, _PINNED, Wish(pinned=True)) if first else []
        shown = await statuses(work, [*pinned, *rows], reader)
    return browser.page(
        "profile.html",
        person=person,
        relation=relation,
        is_suspended=is_suspended,
        tab=tab,
        pinned=shown[: len(pinned)],
        **feed(shown[len(pinned) :], page),
    )


async def _relation(work: Work, reader: int | None, account_id: int) -> Mapping[str, object] | None:
    if reader is None or reader == account_id:
        return None
    (relation,) = await relationships(work, reader, [account_id])
    return relation


async def _circle(
    browser: Browser,
    asked: Asked,
    username: str,
    who: Callable[[Work, Account, Viewer | None, Page], Awaitable[Circle]],
    title: str,
) -> Response:
    page = page_of(asked)
    async with browser.site.reading() as work:
        account = await lookup.by_acct(work, username)
        circle = await who(work, account, browser.viewer, page)
        people = await accounts(work, circle.accounts)
    older = circle.edges[-1] if len(circle.edges) >= page.limit else None
    return browser.page("people.html", title=title, people=people, older=older, back=f"/@{account.username}")
