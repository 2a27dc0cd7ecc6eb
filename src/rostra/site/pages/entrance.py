"""The entrance: log in by password, and out."""

from http import HTTPStatus

from fastapi import APIRouter, Response

from rostra.site.login import attempts, sessions
from rostra.site.login.attempts import Attempt
from rostra.site.pages.browser import AnyForm, Browser, TheBrowser, local_path

router = APIRouter(include_in_schema=False)


@router.get("/login")
async def show_login(browser: TheBrowser, next: str = "/") -> Response:  # noqa: A002 # the address's word
    if browser.logged_in is not None:
        return browser.go(local_path(next))
    return login_page(browser, next)


@router.post("/login")
async def log_in(form: AnyForm) -> Response:
    browser, asked = form.browser, form.asked
    attempt, email = attempt_of(browser), asked.text("email")
    user = await attempts.by_password(browser.site, email, asked.text("password"), attempt)
    if user is None:
        wrong = browser.gettext("That e-mail address and password do not belong together.")
        return login_page(browser, asked.text("next"), email, wrong)
    return await begin(browser, user.account_id, asked.text("next"), second_factor=False)


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


def login_page(browser: Browser, onwards: str, email: str = "", error: str = "") -> Response:
    return browser.page(
        "login.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        next=local_path(onwards),
        email=email,
        error=error,
    )


async def begin(browser: Browser, account_id: int, onwards: str, *, second_factor: bool) -> Response:
    """The log-in is complete: a new session, and on to where somebody wanted to go."""
    async with browser.site.writing() as work:
        if browser.logged_in is not None:
            await sessions.end(work, browser.account_id, browser.logged_in.session.id)
        token = await sessions.begin(work, account_id, user_agent=browser.user_agent, second_factor=second_factor)
        attempts.note(work, account_id, "logged_in", attempt_of(browser))
        await attempts.forget_old(work)
    browser.begin_session(token)
    return browser.go(local_path(onwards), "logged_in")
