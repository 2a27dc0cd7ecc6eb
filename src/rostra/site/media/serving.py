"""Serves the files of the store: for ever the same bytes under a name, and nothing that a browser would run."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import FileResponse

from rostra.site.answers import not_found
from rostra.site.app import TheSite
from rostra.site.media.store import CONTENT_TYPES, Store
from rostra.site.pages.browser import the_browser
from rostra.site.work import Site

router = APIRouter(include_in_schema=False)
_HEADERS: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


@router.api_route("/media/{shard}/{name}", methods=["GET", "HEAD"])
async def serve(request: Request, site: TheSite, shard: str, name: str) -> FileResponse:
    store, headers = Store(site.settings.media), _HEADERS
    path = store.path(f"{shard}/{name}")
    if path is not None and not path.is_file():
        path, headers = store.withheld(f"{shard}/{name}"), _HEADERS | {"Cache-Control": "private, no-store"}
        if path is None or not path.is_file() or not await _moderates(request, site):
            raise not_found()
    if path is None:
        raise not_found()
    return FileResponse(path, media_type=CONTENT_TYPES[path.suffix[1:]], headers=headers)


async def _moderates(request: Request, site: Site) -> bool:
    """Who judges an appeal sees what it is about."""
    viewer = (await the_browser(request, site)).viewer
    return viewer is not None and viewer.moderates
