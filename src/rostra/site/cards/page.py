"""Reads what a page says of itself: Open Graph, oEmbed's address, and failing these its title. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser

from rostra.core.limits import CARD_DESCRIPTION_LENGTH_MAX, CARD_TITLE_LENGTH_MAX

_CHARSET: Final = re.compile(rb"<meta[^>]+charset=[\"']?([\w-]+)", re.IGNORECASE)
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*", re.IGNORECASE)
_SANDBOX: Final = "allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox allow-forms"
_URL_LENGTH_MAX: Final = 2_000
_SIDE_MAX: Final = 4_096


@dataclass(frozen=True, slots=True)
class Page:
    """What was found; texts are plain, of one line, and cut; addresses are of the web."""

    url: str
    title: str
    description: str
    language: str
    kind: str  # link, photo, video, rich: the API's
    author_name: str
    author_url: str
    provider_name: str
    provider_url: str
    picture_url: str
    picture_description: str
    published_at: str | None
    html: str = ""
    width: int = 0
    height: int = 0
    embed_url: str = ""
    oembed_url: str = ""


def decoded(body: bytes, charset: str | None) -> str:
    """The page's text, by the charset that its answer or its head names."""
    named = charset
    if named is None:
        found = _CHARSET.search(body[:2048])
        named = found[1].decode("ascii") if found else "utf-8"
    try:
        return body.decode(named, errors="replace")
    except LookupError:
        return body.decode(errors="replace")


def read(text: str, url: str) -> Page | None:
    """What the page at `url` says of itself, or None if it says nothing."""
    tree = LexborHTMLParser(text)
    said = _metas(tree)
    title = _line(said.get("og:title") or said.get("twitter:title") or _text(tree, "title"), CARD_TITLE_LENGTH_MAX)
    if not title:
        return None
    canonical = _attribute(tree, "link[rel=canonical]", "href")
    address = _web(said.get("og:url") or canonical, url)
    host = urlsplit(url).netloc
    if urlsplit(address).netloc != host:  # a page speaks for its own host only
        address = url
    language = _attribute(tree, "html", "lang")
    return Page(
        url=address or url,
        title=title,
        description=_line(
            said.get("og:description") or said.get("twitter:description") or said.get("description", ""),
            CARD_DESCRIPTION_LENGTH_MAX,
        ),
        language=language.partition("-")[0].lower() if _LANGUAGE.fullmatch(language) else "",
        kind="link",
        author_name=_line(said.get("author") or said.get("og:author", ""), CARD_TITLE_LENGTH_MAX),
        author_url=_web(said.get("article:author", ""), url),
        provider_name=_line(said.get("og:site_name", ""), CARD_TITLE_LENGTH_MAX),
        provider_url="",
        picture_url=_web(
            said.get("og:image:secure_url") or said.get("og:image") or said.get("twitter:image", ""), url
        ),
        picture_description=_line(said.get("og:image:alt", ""), CARD_DESCRIPTION_LENGTH_MAX),
        published_at=said.get("article:published_time"),
        oembed_url=_web(_attribute(tree, 'link[type="application/json+oembed"]', "href"), url),
    )


def with_oembed(page: Page, answer: Mapping[str, Any]) -> Page:
    """The page with what its oEmbed answer adds (oembed.com §2.3); of its HTML a frame at most, written anew."""

    def text(name: str, length_max: int = CARD_TITLE_LENGTH_MAX) -> str:
        value = answer.get(name)
        return _line(value, length_max) if isinstance(value, str) else ""

    kind = text("type")
    html, embed_url = "", ""
    width, height = _side(answer.get("width")), _side(answer.get("height"))
    if kind == "photo":
        embed_url = _web(text("url", _URL_LENGTH_MAX), page.url)
    elif kind == "video":
        html = _frame(str(answer.get("html", "")), page, width, height)
    return Page(
        url=page.url,
        title=text("title") or page.title,
        description=page.description,
        language=page.language,
        kind=kind if embed_url or html else "link",
        author_name=text("author_name") or page.author_name,
        author_url=_web(text("author_url", _URL_LENGTH_MAX), page.url) or page.author_url,
        provider_name=text("provider_name") or page.provider_name,
        provider_url=_web(text("provider_url", _URL_LENGTH_MAX), page.url),
        picture_url=_web(text("thumbnail_url", _URL_LENGTH_MAX), page.url) or page.picture_url or embed_url,
        picture_description=page.picture_description,
        published_at=page.published_at,
        html=html,
        width=width if embed_url or html else 0,
        height=height if embed_url or html else 0,
        embed_url=embed_url,
    )


def first_link(content: str, *, own: Iterable[str] = ()) -> str | None:
    """The first address that a post's HTML links to, mentions and hashtags left aside."""
    for link in LexborHTMLParser(content).css("a[href]"):
        classes = (link.attributes.get("class") or "").split()
        href = link.attributes.get("href") or ""
        is_own = any(href.startswith(each) for each in own)
        if not is_own and not {"mention", "hashtag", "u-url"} & set(classes) and _web(href, href):
            return href
    return None


def _frame(html: str, page: Page, width: int, height: int) -> str:
    source = _attribute(LexborHTMLParser(html), "iframe", "src")
    address = _web(source, page.url)
    if urlsplit(address).scheme != "https":
        return ""
    size = "".join(f' {name}="{value}"' for name, value in (("width", width), ("height", height)) if value)
    return f'<iframe src="{escape(address)}"{size} sandbox="{_SANDBOX}" allowfullscreen></iframe>'


def _metas(tree: LexborHTMLParser) -> dict[str, str]:
    """What the head's metas say; of what is said twice the first."""
    said: dict[str, str] = {}
    for meta in tree.css("meta[content]"):
        name = meta.attributes.get("property") or meta.attributes.get("name")
        if name:
            said.setdefault(name.lower(), meta.attributes.get("content") or "")
    return said


def _text(tree: LexborHTMLParser, selector: str) -> str:
    node = tree.css_first(selector)
    return "" if node is None else node.text()


def _attribute(tree: LexborHTMLParser, selector: str, name: str) -> str:
    node = tree.css_first(selector)
    return "" if node is None else node.attributes.get(name) or ""


def _line(text: str, length_max: int) -> str:
    line = " ".join(text.replace("\x00", "").split())
    return line if len(line) <= length_max else line[: length_max - 1] + "…"


def _web(address: str, page_url: str) -> str:
    """The address in full, or nothing if it is none of the web."""
    if not address:
        return ""
    try:
        full = urljoin(page_url, address.strip())
        parts = urlsplit(full)
    except ValueError:
        return ""
    is_web = parts.scheme in {"http", "https"} and bool(parts.hostname)
    return full if is_web and len(full) <= _URL_LENGTH_MAX else ""


def _side(value: object) -> int:
    if not isinstance(value, int | str) or not str(value).isdecimal():
        return 0
    return min(int(value), _SIDE_MAX)
