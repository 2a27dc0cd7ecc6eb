"""What somebody sees to of their own log-in: the browsers in which they are logged in."""

from fastapi import APIRouter, Response

from rostra.site.login import sessions
from rostra.site.pages.browser import Member, MembersForm

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
