"""The page on which owners see and name who decides on the site."""

from http import HTTPStatus

from fastapi import APIRouter, Response

from rostra.site.answers import RefusedError
from rostra.site.moderation.pages.access import AtDesk, FromDesk
from rostra.site.pages.browser import Browser
from rostra.site.people import appointing

router = APIRouter(include_in_schema=False)


@router.get("/moderation/team")
async def show(desk: AtDesk) -> Response:
    return await _page(desk.browser, owns=desk.moderator.owns)


@router.post("/moderation/team")
async def appoint(form: FromDesk) -> Response:
    acct, role = form.asked.text("account"), form.asked.text("role")
    try:
        async with form.browser.site.writing() as work:
            await appointing.appoint(work, form.moderator.account_id, acct, role)
    except RefusedError as refused:
        return await _page(form.browser, owns=form.moderator.owns, acct=acct, refused=refused)
    return form.browser.go("/moderation/team", "saved")


async def _page(browser: Browser, *, owns: bool, acct: str = "", refused: RefusedError | None = None) -> Response:
    async with browser.site.reading() as work:
        team = await appointing.appointed(work)
    error = (
        "" if refused is None else browser.gettext("That did not work: is the name right, and is an owner left?")
    )
    return browser.page(
        "moderation/team.html",
        status=refused.status if refused else HTTPStatus.OK,
        team=team,
        owns=owns,
        acct=acct,
        error=error,
    )
