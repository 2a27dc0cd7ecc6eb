"""What other sites make of a post: Open Graph, oEmbed, JSON-LD, a quotation that reads without us. Pure."""

from collections.abc import Mapping
from html import escape
from typing import Any, Final
from urllib.parse import urlencode

from babel.core import UnknownLocaleError
from babel.dates import format_date
from selectolax.lexbor import LexborHTMLParser

from rostra.site.mastodon.entities.status import StatusEntity
from rostra.site.pages.templates import instant
from rostra.site.settings import SiteSettings

EMBEDDABLE: Final = frozenset({"public", "unlisted"})
_DESCRIPTION_LENGTH_MAX: Final = 300
_OEMBED_WIDTH: Final = 400
_CACHE_AGE_S: Final = 86_400
_LOCALES: Final = {"en": "en_GB", "nl": "nl_NL", "de": "de_DE", "fr": "fr_FR"}


def plain(html: str) -> str:
    """The words of a post's HTML, a line for each paragraph."""
    tree = LexborHTMLParser(html.replace("<br />", "\n").replace("<br>", "\n").replace("</p>", "</p>\n"))
    return (tree.body.text() if tree.body else "").strip()


def about(settings: SiteSettings, status: StatusEntity, *, language: str) -> dict[str, Any]:
    """Values of the tags in the head of a post's page."""
    author = status["account"]
    name = author["display_name"] or author["username"]
    words = status["spoiler_text"] or plain(status["content"])
    pictures = (
        [] if status["sensitive"] else [each for each in status["media_attachments"] if each["type"] == "image"]
    )
    title = f"{name} (@{author['username']}@{settings.domain})"
    return {
        "og_title": title,
        "og_description": words[:_DESCRIPTION_LENGTH_MAX],
        "og_locale": _LOCALES.get(status["language"] or language, "en_GB"),
        "og_pictures": [
            (each["url"], each["meta"].get("original", {}), each["description"] or "") for each in pictures
        ],
        "og_films": [
            (each["url"], each["type"])
            for each in status["media_attachments"]
            if each["type"] in {"video", "gifv", "audio"} and each["url"] and not status["sensitive"]
        ],
        "json_ld": {
            "@context": "https://schema.org",
            "@type": "SocialMediaPosting",
            "url": status["url"],
            "datePublished": status["created_at"],
            "dateModified": status["edited_at"] or status["created_at"],
            "articleBody": words,
            "author": {
                "@type": "Person",
                "name": name,
                "alternateName": f"@{author['username']}",
                "url": author["url"],
            },
            "image": [each["url"] for each in pictures],
        },
    }


def discovery(settings: SiteSettings, status: StatusEntity) -> Mapping[str, str]:
    """The HTTP header by which a post's oEmbed is found (oEmbed §4)."""
    if status["visibility"] not in EMBEDDABLE:
        return {}
    return {"Link": f'<{oembed_url(settings, status)}>; rel="alternate"; type="application/json+oembed"'}


def date_of(status: StatusEntity) -> str:
    """The day of a post, as it is written in the post's language."""
    language = status["language"] or "en"
    try:
        return format_date(instant(status["created_at"]), "d MMM y", locale=language)
    except UnknownLocaleError:
        return format_date(instant(status["created_at"]), "d MMM y", locale="en")


def oembed_url(settings: SiteSettings, status: StatusEntity, *, form: str = "json") -> str:
    return f"{settings.url}/api/oembed?{urlencode({'url': status['url'], 'format': form})}"


def quotation(settings: SiteSettings, status: StatusEntity) -> str:
    """The post as a newspaper puts it into an article: readable when no script runs, and when we are gone."""
    author = status["account"]
    name = escape(author["display_name"] or author["username"])
    words = escape(status["spoiler_text"] or plain(status["content"])).replace("\n", "<br>")
    url, when = escape(status["url"]), escape(status["created_at"])
    return (
        f'<blockquote class="rostra-post" cite="{url}" data-embed-url="{url}/embed">'
        f'<p lang="{escape(status["language"] or "")}">{words}</p>'
        f"&mdash; {name} (@{escape(author['username'])}) "
        f'<a href="{url}"><time datetime="{when}">{escape(date_of(status))}</time></a></blockquote>'
        f'<script async src="{escape(settings.url)}/embed.js"></script>'
    )


def oembed(settings: SiteSettings, status: StatusEntity, *, width: int) -> dict[str, Any]:
    """OEmbed 1.0 §2.3.4.4, of the type `rich`."""
    author = status["account"]
    return {
        "type": "rich",
        "version": "1.0",
        "title": plain(status["content"])[:_DESCRIPTION_LENGTH_MAX],
        "author_name": author["display_name"] or author["username"],
        "author_url": author["url"],
        "provider_name": settings.title,
        "provider_url": f"{settings.url}/",
        "cache_age": _CACHE_AGE_S,
        "html": quotation(settings, status),
        "width": max(220, min(width, 550)) if width else _OEMBED_WIDTH,
        "height": None,
    }
