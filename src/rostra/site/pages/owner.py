"""The page behind the link that `rostra serve` prints: whoever opens it first owns the new installation."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Response

from rostra.site.pages.browser import AnyForm, Browser, TheBrowser
from rostra.site.pages.entrance import begin
from rostra.site.pages.joining import link_is_gone, problem_text
from rostra.site.people import links, owner, registration
from rostra.site.people.registration import Problem, Wish

router = APIRouter(include_in_schema=False)


@router.get("/owner")
async def show(browser: TheBrowser, token: str = "") -> Response:
    async with browser.site.reading() as work:
        link = await links.find(work, "owner", token)
        is_open = link is not None and not await owner.there_is_one(work)
    return _page(browser, token, {}, []) if is_open else link_is_gone(browser)


@router.post("/owner")
async def become(form: AnyForm) -> Response:
    """Who is logged in becomes the owner; anybody else joins first."""
    browser, asked, token = form.browser, form.asked, form.asked.text("token")
    async with browser.site.reading() as work:
        if await links.find(work, "owner", token) is None:
            return link_is_gone(browser)
    newcomer = None
    if browser.logged_in is None:
        wish = Wish(
            username=asked.text("username").strip().removeprefix("@"),
            email=asked.text("email").strip(),
            password=asked.text("password"),
            agreement=True,
            locale=browser.language,
        )
        joined = await registration.register(browser.site, wish, invited=True)
        if isinstance(joined, list):
            return _page(browser, token, asked.values, joined)
        newcomer = joined.id
    async with browser.site.writing() as work:
        claimed = await owner.claim(work, token, newcomer or browser.account_id)
    if not claimed:
        return link_is_gone(browser)
    return (
        browser.go("/", "owner") if newcomer is None else await begin(browser, newcomer, "/", second_factor=False)
    )


def _page(browser: Browser, token: str, values: Mapping[str, Any], problems: Sequence[Problem]) -> Response:
    errors = {problem.field: problem_text(browser, problem) for problem in reversed(problems)}
    filled = {name: str(values.get(name, "")) for name in ("username", "email")}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
    headers = {"Cache-Control": "no-store"}
    return browser.page("owner.html", status=status, headers=headers, token=token, values=filled, errors=errors)
