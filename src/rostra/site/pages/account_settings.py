"""Settings of the account: its e-mail address, its password, its end."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter, Response

from rostra.site.login import new_password
from rostra.site.pages.browser import Browser, Member, MembersForm
from rostra.site.pages.joining import problem_text
from rostra.site.pages.security import knows_password
from rostra.site.people import leaving, links, registration

router = APIRouter(include_in_schema=False)


@router.get("/settings/account")
async def show_account(browser: Member) -> Response:
    return _account_page(browser, {})


@router.post("/settings/account/confirmation")
async def send_confirmation(form: MembersForm) -> Response:
    me = form.browser.me
    async with form.browser.site.writing() as work:
        sent = await links.send_confirmation(work, me.user, me.account)
    return form.browser.go("/settings/account", "sent" if sent else "sent_already")


@router.post("/settings/account/email")
async def change_email(form: MembersForm) -> Response:
    """The address is changed by the link that is sent to it."""
    browser, email = form.browser, form.asked.text("email").strip()
    if found := registration.email_problems(email):
        return _account_page(browser, {"email": problem_text(browser, found[0])}, email)
    if not await knows_password(browser, form.asked.text("email_password")):
        return _account_page(browser, {"email_password": browser.gettext("That is not your password.")}, email)
    async with browser.site.writing() as work:
        sent = await links.send_confirmation(work, browser.me.user, browser.me.account, email=email)
    return browser.go("/settings/account", "sent" if sent else "sent_already")


@router.post("/settings/account/password")
async def change_password(form: MembersForm) -> Response:
    browser, password = form.browser, form.asked.text("new")
    if found := registration.password_problems(password):
        return _account_page(browser, {"new": problem_text(browser, found[0])})
    if not await knows_password(browser, form.asked.text("old")):
        return _account_page(browser, {"old": browser.gettext("That is not your password.")})
    await new_password.by_old(browser.site, browser.account_id, password, keep_session=browser.me.session.id)
    return browser.go("/settings/account", "saved")


@router.post("/settings/account/leave")
async def leave(form: MembersForm) -> Response:
    browser = form.browser
    if not await knows_password(browser, form.asked.text("leave_password")):
        return _account_page(browser, {"leave_password": browser.gettext("That is not your password.")})
    async with browser.site.writing() as work:
        await leaving.leave(work, browser.account_id)
    browser.end_session()
    return browser.go("/", "left")


def _account_page(browser: Browser, errors: Mapping[str, str], email: str = "") -> Response:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    return browser.page("settings/account.html", status=status, errors=errors, email=email)
