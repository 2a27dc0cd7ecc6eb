"""Serves the files of the store: for ever the same bytes under a name, and nothing that a browser would run."""

from typing import Final

from fastapi import APIRouter
from starlette.responses import FileResponse

from rostra.site.answers import not_found
from rostra.site.app import TheSite
from rostra.site.media.store import CONTENT_TYPES, Store

router = APIRouter(include_in_schema=False)
_HEADERS: Final = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


@router.api_route("/media/{shard}/{name}", methods=["GET", "HEAD"])
async def serve(site: TheSite, shard: str, name: str) -> FileResponse:
    path = Store(site.settings.media).path(f"{shard}/{name}")
    if path is None or not path.is_file():
        raise not_found()
    return FileResponse(path, media_type=CONTENT_TYPES[path.suffix[1:]], headers=_HEADERS)
