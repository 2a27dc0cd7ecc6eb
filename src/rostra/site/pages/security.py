"""What somebody sees to of their own log-in: codes, passkeys, and the browsers in which they are logged in."""

from http import HTTPStatus

import segno
from fastapi import APIRouter, Response

from rostra.site.answers import Json
from rostra.site.login import attempts, passkeys, second_factor, sessions
from rostra.site.mail.post import send
from rostra.site.pages.browser import Browser, Member, MembersForm
from rostra.site.pages.entrance import attempt_of
from rostra.site.sealing import opened, sealed
from rostra.site.work import Work

router = APIRouter(include_in_schema=False)


@router.get("/settings/sessions")
async def show_sessions(browser: Member) -> Response:
    async with browser.site.reading() as work:
        found = await sessions.sessions_of(work, browser.account_id)
    return browser.page("settings/sessions.html", sessions=found)


@router.post("/settings/sessions/{session_id}/end")
async def end_session(form: MembersForm, session_id: int) -> Response:
    browser = form.browser
    async with browser.site.writing() as work:
        await sessions.end(work, browser.account_id, session_id)
    return browser.go("/settings/sessions", "session_ended")


@router.post("/settings/sessions/end")
async def end_others(form: MembersForm) -> Response:
    browser = form.browser
    async with browser.site.writing() as work:
        await sessions.end_all(work, browser.account_id, but=browser.me.session.id)
    return browser.go("/settings/sessions", "sessions_ended")


@router.get("/settings/security")
async def show_security(browser: Member) -> Response:
    return await _security_page(browser)


@router.get("/settings/security/code")
async def offer_code(browser: Member) -> Response:
    return _code_page(browser, second_factor.new_secret())


@router.post("/settings/security/code")
async def begin_codes(form: MembersForm) -> Response:
    browser = form.browser
    content = opened(form.asked.text("sealed"), about=_about(browser), key=browser.site.settings.key)
    if content is None:
        return browser.go("/settings/security/code", "too_late")
    secret = content.decode()
    async with browser.site.writing() as work:
        codes = await second_factor.enable(work, browser.account_id, secret, form.asked.text("code"))
        if codes is not None:
            _tell(work, browser, on=True)
    if codes is None:
        return _code_page(browser, secret, browser.gettext("That code is not right."))
    return browser.page("settings/recovery.html", codes=codes, headers={"Cache-Control": "no-store"})


@router.post("/settings/security/code/off")
async def end_codes(form: MembersForm) -> Response:
    browser = form.browser
    if not await knows_password(browser, form.asked.text("password")):
        return await _security_page(browser, browser.gettext("That is not your password."))
    async with browser.site.writing() as work:
        await second_factor.disable(work, browser.account_id)
        _tell(work, browser, on=False)
    return browser.go("/settings/security", "saved")


@router.post("/settings/passkeys/options")
async def offer_passkey(form: MembersForm) -> Response:
    browser = form.browser
    async with browser.site.reading() as work:
        known = await passkeys.passkeys_of(work, browser.account_id)
        return Json(passkeys.ask_to_register(work, browser.me.account, known))


@router.post("/settings/passkeys")
async def add_passkey(form: MembersForm) -> Response:
    """Asked by a script, which goes on to `next`."""
    browser, asked = form.browser, form.asked
    async with browser.site.writing() as work:
        await passkeys.register(
            work, browser.account_id, asked.text("credential"), asked.text("sealed"), name=asked.text("name")
        )
    return Json({"next": "/settings/security"})


@router.post("/settings/passkeys/{passkey_id}/remove")
async def remove_passkey(form: MembersForm, passkey_id: int) -> Response:
    browser = form.browser
    async with browser.site.writing() as work:
        await passkeys.remove(work, browser.account_id, passkey_id)
    return browser.go("/settings/security", "saved")


async def knows_password(browser: Browser, password: str) -> bool:
    """Whether it is the password of who is logged in; RefusedError (429) after too many wrong ones."""
    user = await attempts.by_password(browser.site, browser.me.user.email, password, attempt_of(browser))
    return user is not None


def _tell(work: Work, browser: Browser, *, on: bool) -> None:
    me = browser.me
    values = {"username": me.account.username, "on": on, "url": f"{work.settings.url}/password"}
    send(work, "second_factor", to=me.user.email, locale=me.user.locale, values=values)


async def _security_page(browser: Browser, error: str = "") -> Response:
    async with browser.site.reading() as work:
        known = await passkeys.passkeys_of(work, browser.account_id)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK
    return browser.page("settings/security.html", status=status, passkeys=known, error=error)


def _code_page(browser: Browser, secret: str, error: str = "") -> Response:
    uri = second_factor.key_uri(secret, username=browser.me.account.username, title=browser.site.settings.title)
    return browser.page(
        "settings/code.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        headers={"Cache-Control": "no-store"},
        qr=segno.make(uri, error="m").svg_data_uri(border=2),
        secret=secret,
        sealed=sealed(secret.encode(), about=_about(browser), key=browser.site.settings.key),
        error=error,
    )


def _about(browser: Browser) -> bytes:
    return b"new code of %d" % browser.account_id
