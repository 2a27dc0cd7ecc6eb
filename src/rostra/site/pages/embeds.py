"""Posts on other sites: oEmbed, the page in a frame, the script that puts it there, and feeds (RSS)."""

from typing import Annotated, Final
from xml.etree.ElementTree import Element, SubElement, tostring

from fastapi import APIRouter, Response
from feedgen.feed import FeedGenerator

from rostra.site.answers import Json, invalid, not_found
from rostra.site.app import TheSite
from rostra.site.mastodon.body import Asked, asks
from rostra.site.mastodon.entities.account import accounts
from rostra.site.mastodon.entities.status import StatusEntity, statuses
from rostra.site.mastodon.paging import Page
from rostra.site.moderation.restrictions import in_force
from rostra.site.pages import embedding
from rostra.site.pages.browser import TheBrowser
from rostra.site.pages.languages import choose
from rostra.site.pages.templates import instant, page_files, render
from rostra.site.people import lookup
from rostra.site.posts.visibility import the_status
from rostra.site.snowflake import parse_snowflake
from rostra.site.timelines import feeds
from rostra.site.timelines.feeds import Wish
from rostra.site.work import Site
from rostra.web.pages import HTML, policy

router = APIRouter(include_in_schema=False)
_FEED: Final = Page(20)
_KEPT: Final = "public, max-age=180"
# The only page that stands in frames of others: without cookies, and without a script that is not ours.
_DIRECTIVES: Final = {
    "frame-ancestors": "*",
    "connect-src": "'none'",
    "form-action": "'none'",
    "media-src": "'self'",
}


@router.get("/api/oembed")
async def oembed(site: TheSite, asked: Annotated[Asked, asks(format=str, url=str, maxwidth=int)]) -> Response:
    status = await _by_url(site, asked.text("url"))
    described = embedding.oembed(site.settings, status, width=asked.integer("maxwidth"))
    match asked.text("format", "json"):
        case "json":
            return Json(described, headers={"Cache-Control": _KEPT})
        case "xml":
            root = Element("oembed")
            for name, value in described.items():
                if value is not None:
                    SubElement(root, name).text = str(value)
            body = tostring(root, encoding="utf-8", xml_declaration=True)
            return Response(body, media_type="text/xml", headers={"Cache-Control": _KEPT})
        case _:
            raise invalid("The format is json or xml")


@router.get("/@{username}/{status_id}/embed")
async def show_embed(site: TheSite, browser: TheBrowser, username: str, status_id: str) -> Response:
    """The same for all who ask: who looks at an article is nobody to us."""
    status = await _by_url(site, f"{site.settings.url}/@{username}/{status_id}")
    language = choose(
        cookie=None, account=status["language"], accept=browser.request.headers.get("accept-language", "")
    )
    values = {"status": status, "site": site.settings, "now": browser.now}
    headers = {
        "Content-Security-Policy": policy(_DIRECTIVES),
        "Cache-Control": _KEPT,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept-Language",
    }
    return Response(render("embed.html", language, values), media_type=HTML, headers=headers)


@router.get("/embed.js")
async def embed_script() -> Response:
    found = page_files().assets["embed.js"]
    headers = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return Response(found.body, media_type=found.content_type, headers=headers)


@router.get("/@{username}.rss")
async def feed(site: TheSite, username: str) -> Response:
    """An account's public posts (RSS 2.0)."""
    async with site.reading() as work:
        account = await lookup.by_acct(work, username)
        if "suspend" in (await in_force(work, "account", [account.id]))[account.id]:
            raise not_found()
        wish = Wish(exclude_replies=True, exclude_reblogs=True, exclude_direct=True)
        rows = await feeds.of_account(work, account.id, None, _FEED, wish)
        (person,) = await accounts(work, [account])
        shown = await statuses(work, rows, None)
    made = FeedGenerator()
    made.title(person["display_name"] or person["username"])
    made.link(href=person["url"])
    made.description(embedding.plain(person["note"]) or f"@{person['username']}")
    made.lastBuildDate(rows[0].created_at if rows else account.created_at)
    for each in shown:
        entry = made.add_entry(order="append")
        entry.guid(each["url"], permalink=True)
        entry.link(href=each["url"])
        entry.pubDate(instant(each["created_at"]))
        entry.description(each["spoiler_text"] or each["content"])
        for medium in each["media_attachments"][:1]:
            if medium["url"] and not each["sensitive"]:
                entry.enclosure(medium["url"], "0", _TYPES.get(medium["type"], "application/octet-stream"))
    return Response(made.rss_str(), media_type="application/rss+xml", headers={"Cache-Control": _KEPT})


_TYPES: Final = {"image": "image/jpeg", "video": "video/mp4", "gifv": "video/mp4", "audio": "audio/mpeg"}


async def _by_url(site: Site, url: str) -> StatusEntity:
    """The post at this address of ours. RefusedError (404) for one that is not for everybody."""
    path = url.removeprefix(f"{site.settings.url}/")
    parts = path.partition("?")[0].rstrip("/").split("/")
    if path == url or len(parts) != 2 or not parts[0].startswith("@"):
        raise not_found()
    async with site.reading() as work:
        author = await lookup.by_acct(work, parts[0])
        status = await the_status(work, parse_snowflake(parts[1]) or -1, None)
        if status.account_id != author.id or status.reblog_of_id is not None:
            raise not_found()
        if status.visibility not in embedding.EMBEDDABLE:
            raise not_found()
        (shown,) = await statuses(work, [status], None)
    return shown
