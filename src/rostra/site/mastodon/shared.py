"""Answers of the API that visitors share: from the memo, and kept by caches on the way (RFC 9111, RFC 5861)."""

from collections.abc import Awaitable, Callable
from typing import Final

from fastapi import Request
from starlette.responses import Response

from rostra.site.answers import Json
from rostra.site.oauth.bearer import Viewer
from rostra.site.work import Site

# Mastodon's own ten seconds; who comes while a cache asks us again gets what it has.
_CONTROL: Final = "public, max-age=10, stale-while-revalidate=30"


async def shared(
    site: Site, request: Request, viewer: Viewer | None, make: Callable[[], Awaitable[Json]]
) -> Response:
    """What `make` answers: to visitors from the memo, to somebody who is logged in made for them."""
    if viewer is not None:
        answer = await make()
        answer.headers["Cache-Control"] = "private, no-store"
        return answer

    async def made() -> tuple[bytes, dict[str, str]]:
        response = await make()
        return bytes(response.body), {
            name: response.headers[name] for name in ("link",) if name in response.headers
        }

    kept = await site.memo.answer(f"{request.url.path}?{request.url.query}", site.clock, made)
    headers = kept.headers | {"Cache-Control": _CONTROL, "ETag": kept.etag, "Vary": "Authorization"}
    if request.headers.get("if-none-match") == kept.etag:
        return Response(status_code=304, headers=headers)
    return Response(kept.body, media_type=Json.media_type, headers=headers)
