"""The page on which owners and moderators watch the edges: what `rostra top` shows, once a second."""

from fastapi import APIRouter, Response

from rostra.site.moderation.pages.access import AtDesk

router = APIRouter(include_in_schema=False)


@router.get("/moderation/edges")
async def show(desk: AtDesk) -> Response:
    return desk.browser.page("moderation/edges.html", overview=desk.browser.site.stage.overview())


@router.get("/moderation/edges/now")
async def show_now(desk: AtDesk) -> Response:
    """The part of the page that changes by itself."""
    return desk.browser.page("moderation/edges_now.html", overview=desk.browser.site.stage.overview())
