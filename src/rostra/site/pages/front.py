"""The front page: for members their home timeline, for visitors what the site is and what is said on it."""

from fastapi import APIRouter, Response

from rostra.site.pages.browser import TheBrowser

router = APIRouter(include_in_schema=False)


@router.api_route("/", methods=["GET", "HEAD"])
async def show_front(browser: TheBrowser) -> Response:
    return browser.page("front.html")
