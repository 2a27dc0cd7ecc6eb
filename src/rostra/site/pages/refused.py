"""The page for a person who asked for what cannot be had: what happened, and where to go from there."""

from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from fastapi import Request, Response

from rostra.site.answers import RefusedError
from rostra.site.pages.browser import the_browser
from rostra.site.pages.languages import N_, choose
from rostra.site.pages.templates import render
from rostra.site.work import Site
from rostra.web.pages import HTML, SECURITY

_TITLES: Final = {
    HTTPStatus.BAD_REQUEST: N_("That cannot be read"),
    HTTPStatus.UNAUTHORIZED: N_("Log in first"),
    HTTPStatus.FORBIDDEN: N_("That is not allowed"),
    HTTPStatus.NOT_FOUND: N_("There is nothing here"),
    HTTPStatus.METHOD_NOT_ALLOWED: N_("That is not done here"),
    HTTPStatus.GONE: N_("It is no longer here"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: N_("That is too large"),
    HTTPStatus.UNPROCESSABLE_ENTITY: N_("That cannot be done"),
    HTTPStatus.TOO_MANY_REQUESTS: N_("A little slower"),
    HTTPStatus.INTERNAL_SERVER_ERROR: N_("Something went wrong on our side"),
    HTTPStatus.SERVICE_UNAVAILABLE: N_("One moment"),
}
_DETAILS: Final = {
    HTTPStatus.NOT_FOUND: N_("The page does not exist, was deleted, or is not for everybody."),
    HTTPStatus.METHOD_NOT_ALLOWED: N_("This address does not take what was sent to it."),
    HTTPStatus.TOO_MANY_REQUESTS: N_("That was often in a short time. Wait a few minutes, and try again."),
    HTTPStatus.INTERNAL_SERVER_ERROR: N_("It is written down, and we look at it. Try again in a moment."),
    HTTPStatus.SERVICE_UNAVAILABLE: N_("Very many people are here. Try again in a moment."),
}


async def refused_page(request: Request, site: Site, refused: RefusedError) -> Response:
    """For a person. Who is not logged in is led to the log-in page, and comes back."""
    if refused.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return _plain(request, refused)  # the database may be what is broken
    browser = await the_browser(request, site)
    if refused.status == HTTPStatus.UNAUTHORIZED and request.method in {"GET", "HEAD"} and not browser.htmx:
        return browser.go(f"/login?next={quote(browser.here, safe='')}")
    title = _TITLES.get(refused.status, refused.status.phrase)
    detail = _DETAILS.get(refused.status, refused.message)
    return browser.page(
        "refused.html",
        status=refused.status,
        headers={**refused.headers, "Cache-Control": "no-store"},
        title=browser.gettext(title),
        detail=browser.gettext(detail),
        refused=refused,
    )


def _plain(request: Request, refused: RefusedError) -> Response:
    language = choose(cookie=None, account=None, accept=request.headers.get("accept-language", ""))
    title, detail = _TITLES[refused.status], _DETAILS[refused.status]
    body = render("failed.html", language, {"title": title, "detail": detail})
    return Response(body, refused.status, headers=dict(SECURITY), media_type=HTML)
