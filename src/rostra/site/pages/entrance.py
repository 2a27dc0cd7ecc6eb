"""The entrance: log in by password and code, or by passkey, and out."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Final

import msgspec
from fastapi import APIRouter, Response

from rostra.site.answers import Json
from rostra.site.login import attempts, passkeys, second_factor, sessions
from rostra.site.login.attempts import Attempt
from rostra.site.moderation.restrictions import in_force
from rostra.site.pages.browser import AnyForm, Browser, TheBrowser, local_path
from rostra.site.sealing import opened, sealed

router = APIRouter(include_in_schema=False)
_CODE_WITHIN: Final = timedelta(minutes=10)
_ABOUT: Final = b"log-in"


class HalfWay(msgspec.Struct, frozen=True):
    """Somebody whose password was right, and who still owes a code."""

    account_id: int
    until: datetime


@router.get("/login")
async def show_login(browser: TheBrowser, next: str = "/") -> Response:  # noqa: A002 # the address's word
    if browser.logged_in is not None:
        return browser.go(local_path(next))
    return _login_page(browser, next)


@router.post("/login")
async def log_in(form: AnyForm) -> Response:
    browser, asked = form.browser, form.asked
    email, onwards = asked.text("email"), asked.text("next")
    user = await attempts.by_password(browser.site, email, asked.text("password"), attempt_of(browser))
    if user is None:
        wrong = browser.gettext("That e-mail address and password do not belong together.")
        return _login_page(browser, onwards, email, wrong)
    if user.totp_secret is not None:
        return _code_page(browser, HalfWay(user.account_id, browser.now + _CODE_WITHIN), onwards)
    return await begin(browser, user.account_id, onwards, second_factor=False)


@router.post("/login/code")
async def log_in_by_code(form: AnyForm) -> Response:
    browser, asked = form.browser, form.asked
    content = opened(asked.text("half"), about=_ABOUT, key=browser.site.settings.key)
    half = None if content is None else msgspec.json.decode(content, type=HalfWay)
    if half is None or half.until < browser.now:
        return browser.go("/login", "too_late")
    attempt = attempt_of(browser)
    await attempts.check(browser.site, half.account_id, attempt)
    async with browser.site.writing() as work:
        right = await second_factor.take(work, half.account_id, asked.text("code"))
        if not right:
            attempts.note(work, half.account_id, "wrong_code", attempt)
    if not right:
        return _code_page(browser, half, asked.text("next"), browser.gettext("That code is not right."))
    return await begin(browser, half.account_id, asked.text("next"), second_factor=True)


@router.post("/login/passkey/options")
async def ask_for_passkey(form: AnyForm) -> Response:
    async with form.browser.site.reading() as work:
        return Json(passkeys.ask_to_log_in(work))


@router.post("/login/passkey")
async def log_in_by_passkey(form: AnyForm) -> Response:
    """Asked by a script, which goes on to `next`."""
    browser, asked = form.browser, form.asked
    async with browser.site.writing() as work:
        account_id = await passkeys.log_in(work, asked.text("credential"), asked.text("sealed"))
    answer = await begin(browser, account_id, asked.text("next"), second_factor=True)
    told = Json({"next": answer.headers["location"]})
    told.raw_headers.extend((name, value) for name, value in answer.raw_headers if name == b"set-cookie")
    return told


@router.post("/logout")
async def log_out(form: AnyForm) -> Response:
    browser = form.browser
    if browser.logged_in is not None:
        async with browser.site.writing() as work:
            await sessions.end(work, browser.account_id, browser.logged_in.session.id)
    browser.end_session()
    return browser.go("/", "logged_out")


def attempt_of(browser: Browser) -> Attempt:
    return Attempt(browser.address, browser.user_agent)


async def begin(browser: Browser, account_id: int, onwards: str, *, second_factor: bool) -> Response:
    """The log-in is complete: a new session, and on to where somebody wanted to go."""
    async with browser.site.writing() as work:
        if "disable" in (await in_force(work, "account", [account_id]))[account_id]:
            return browser.go("/login", "disabled")
        if browser.logged_in is not None:
            await sessions.end(work, browser.account_id, browser.logged_in.session.id)
        token = await sessions.begin(work, account_id, user_agent=browser.user_agent, second_factor=second_factor)
        attempts.note(work, account_id, "logged_in", attempt_of(browser))
        await attempts.forget_old(work)
    browser.begin_session(token)
    return browser.go(local_path(onwards), "logged_in")


def _login_page(browser: Browser, onwards: str, email: str = "", error: str = "") -> Response:
    return browser.page(
        "login.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        next=local_path(onwards),
        email=email,
        error=error,
    )


def _code_page(browser: Browser, half: HalfWay, onwards: str, error: str = "") -> Response:
    seal = sealed(msgspec.json.encode(half), about=_ABOUT, key=browser.site.settings.key)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK
    return browser.page("login_code.html", status=status, half=seal, next=local_path(onwards), error=error)
