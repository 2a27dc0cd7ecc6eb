"""Joining, and the links that letters bring: to confirm an address, to choose a new password."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Response

from rostra.site.login import new_password
from rostra.site.pages.browser import AnyForm, Browser, TheBrowser
from rostra.site.pages.entrance import begin
from rostra.site.people import links, registration
from rostra.site.people.registration import Problem, Wish

router = APIRouter(include_in_schema=False)


@router.get("/join")
async def show_join(browser: TheBrowser) -> Response:
    if browser.logged_in is not None:
        return browser.go("/")
    return _join_page(browser, {}, [])


@router.post("/join")
async def join(form: AnyForm) -> Response:
    """Logs the newcomer in: what needs a confirmed address asks for it then."""
    browser, asked = form.browser, form.asked
    wish = Wish(
        username=asked.text("username").strip().removeprefix("@"),
        email=asked.text("email").strip(),
        password=asked.text("password"),
        agreement=asked.flag("agreement"),
        reason=asked.text("reason"),
        locale=browser.language,
    )
    joined = await registration.register(browser.site, wish)
    if isinstance(joined, list):
        return _join_page(browser, asked.values, joined)
    if browser.site.settings.registrations == "approval":
        text = browser.gettext("Somebody looks at your request. You get a letter when you can come in.")
        return _told(browser, browser.gettext("Thank you"), text)
    return await begin(browser, joined.id, "/", second_factor=False)


@router.get("/confirm")
async def show_confirm(browser: TheBrowser, token: str = "") -> Response:
    """Only the button confirms: mail programs open links before people do."""
    return browser.page("confirm.html", token=token)


@router.post("/confirm")
async def confirm(form: AnyForm) -> Response:
    async with form.browser.site.writing() as work:
        user = await links.confirm(work, form.asked.text("token"))
    if user is None:
        return link_is_gone(form.browser)
    return form.browser.go("/", "confirmed")


@router.get("/password")
async def show_forgotten(browser: TheBrowser) -> Response:
    return browser.page("password.html")


@router.post("/password")
async def send_reset(form: AnyForm) -> Response:
    """The same answer whether the address is somebody's or not."""
    async with form.browser.site.writing() as work:
        await links.send_reset(work, form.asked.text("email"))
    text = form.browser.gettext("If that address belongs to an account, a letter with a link is on its way to it.")
    return _told(form.browser, form.browser.gettext("Look into your mailbox"), text)


@router.get("/reset")
async def show_reset(browser: TheBrowser, token: str = "") -> Response:
    async with browser.site.reading() as work:
        link = await links.find(work, "reset", token)
    if link is None:
        return link_is_gone(browser)
    return browser.page("reset.html", token=token, error="")


@router.post("/reset")
async def reset(form: AnyForm) -> Response:
    """Does not log in: a second factor is still asked for."""
    browser, token, password = form.browser, form.asked.text("token"), form.asked.text("password")
    if found := registration.password_problems(password):
        error = problem_text(browser, found[0])
        return browser.page("reset.html", status=HTTPStatus.UNPROCESSABLE_ENTITY, token=token, error=error)
    if await new_password.by_link(browser.site, token, password) is None:
        return link_is_gone(browser)
    browser.end_session()
    return browser.go("/login", "new_password")


def problem_text(browser: Browser, problem: Problem) -> str:
    return browser.gettext(problem.text) % {"count": problem.count}


def _join_page(browser: Browser, values: Mapping[str, Any], problems: Sequence[Problem]) -> Response:
    errors = {problem.field: problem_text(browser, problem) for problem in reversed(problems)}
    filled = {name: str(values.get(name, "")) for name in ("username", "email", "reason")}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK
    return browser.page("join.html", status=status, values=filled, errors=errors)


def _told(browser: Browser, title: str, text: str) -> Response:
    return browser.page("told.html", title=title, text=text)


def link_is_gone(browser: Browser) -> Response:
    text = browser.gettext("It was used already, or it is too old. Ask for a new one.")
    return browser.page(
        "told.html", status=HTTPStatus.GONE, title=browser.gettext("This link is not good"), text=text
    )
