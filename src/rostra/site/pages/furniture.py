"""What every page stands on: styles and scripts, the switch of language, what robots and telephones ask for."""

from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from rostra.site.answers import Json, not_found
from rostra.site.app import TheSite
from rostra.site.mastodon.body import Body
from rostra.site.pages.browser import TheBrowser, local_path, remember_language
from rostra.site.pages.languages import LANGUAGES
from rostra.site.pages.templates import asset, page_files
from rostra.web.pages import IMMUTABLE, REVALIDATE

router = APIRouter(include_in_schema=False)


@router.get("/assets/{name}")
async def get_asset(request: Request, name: str, v: str = "") -> Response:
    found = page_files().assets.get(name)
    if found is None:
        raise not_found()
    kept, tag = IMMUTABLE if v == found.digest else REVALIDATE, f'"{found.digest}"'
    headers = dict([kept, ("ETag", tag), ("X-Content-Type-Options", "nosniff")])
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(found.body, media_type=found.content_type, headers=headers)


@router.get("/favicon.ico")
async def favicon() -> Response:
    found = page_files().assets["mark.png"]
    return Response(found.body, media_type=found.content_type, headers=dict([REVALIDATE]))


@router.get("/robots.txt")
async def robots() -> Response:
    lines = (
        "User-agent: *",
        "Disallow: /api/",
        "Disallow: /oauth/",
        "Disallow: /settings",
        "Disallow: /search",
        "",
    )
    return Response("\n".join(lines), media_type="text/plain")


@router.get("/site.webmanifest")
async def manifest(site: TheSite) -> Response:
    return Json(
        {
            "name": site.settings.title,
            "short_name": site.settings.title,
            "start_url": "/",
            "display": "standalone",
            "icons": [{"src": asset("mark.svg"), "sizes": "any", "type": "image/svg+xml"}],
        },
        media_type="application/manifest+json",
    )


@router.post("/language")
async def switch_language(browser: TheBrowser, asked: Body) -> Response:
    """Needs no token: whoever posts it for somebody else changes no more than the words."""
    wanted = asked.text("language")
    if wanted in LANGUAGES:
        remember_language(browser, wanted)
    return browser.go(local_path(asked.text("next")))
