"""Pages that visitors share: made once a second for a crowd, and kept by caches on the way (RFC 9111, RFC 5861)."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

from fastapi import Response

from rostra.site.pages.browser import FLASH_COOKIE, Browser
from rostra.web.pages import HTML

_CONTROL: Final = "public, max-age=10, stale-while-revalidate=30"
_KEPT: Final = (
    "content-language",
    "content-security-policy",
    "link",
    "referrer-policy",
    "vary",
    "x-content-type-options",
)


async def shared(browser: Browser, make: Callable[[], Awaitable[Response]]) -> Response:
    """What `make` answers: to visitors from the memo, to somebody who is logged in made for them.

    A visitor's page depends on its address and language alone: nothing in it may hold a form's token.
    """
    request = browser.request
    if browser.viewer is not None or browser.htmx or FLASH_COOKIE in request.cookies:
        return await make()

    async def made() -> tuple[bytes, dict[str, str]]:
        page = await make()
        assert "set-cookie" not in page.headers, "a page for everybody"
        return bytes(page.body), {name: page.headers[name] for name in _KEPT if name in page.headers}

    key = f"{browser.language} {request.url.path}?{request.url.query}"
    kept = await browser.site.memo.answer(key, browser.site.clock, made)
    headers = kept.headers | {"Cache-Control": _CONTROL, "ETag": kept.etag}
    if request.headers.get("if-none-match") == kept.etag:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(kept.body, media_type=HTML, headers=headers)
