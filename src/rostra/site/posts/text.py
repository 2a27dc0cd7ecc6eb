"""The text of posts and profiles: how long it is, whom and what it names, and the HTML made of it. Pure.

As Mastodon does it, so that what a client counts or shows beforehand is what comes of it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import Final, assert_never
from urllib.parse import quote

import grapheme
from linkify_it import LinkifyIt

LINK_LENGTH: Final = 23  # whatever the address: nobody shortens links to save room
_SHOWN_LENGTH: Final = 30  # of an address, after its prefix

_links = (
    LinkifyIt(options={"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
    .add("ftp:", None)
    .add("//", None)
    .add("mailto:", None)
)
_NAMED: Final = re.compile(
    r"(?<![=/\w])@(?:(?P<far>[a-z0-9_]+(?:[.-]+[a-z0-9_]+)*)@(?P<domain>[\w.-]*\w(?::\d{1,5})?)|(?P<near>[a-z0-9_]+))"
    r"|(?<![=/)\w&])[##](?P<tag>\w*[^\W\d_]\w*(?:[·\u200c]\w+)*)",
    re.IGNORECASE,
)
_PREFIX: Final = re.compile(r"https?://(?:www\.)?", re.IGNORECASE)
_PARAGRAPHS: Final = re.compile(r"\n{2,}")


@dataclass(frozen=True, slots=True)
class Words:
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    url: str


@dataclass(frozen=True, slots=True)
class Mentioned:
    """`domain` is empty for somebody here."""

    username: str
    domain: str
    written: str


@dataclass(frozen=True, slots=True)
class Hashtag:
    name: str
    written: str


Piece = Words | Link | Mentioned | Hashtag


def pieces(text: str) -> Iterator[Piece]:
    """The text in order: words, addresses (http and https only), mentions and hashtags."""
    at = 0
    for link in _links.match(text) or []:
        yield from _named_between(text, at, link.index)
        yield Link(text[link.index : link.last_index])
        at = link.last_index
    yield from _named_between(text, at, len(text))


def _named_between(text: str, begin: int, end: int) -> Iterator[Piece]:
    at = begin
    for match in _NAMED.finditer(text, begin, end):
        if at < match.start():
            yield Words(text[at : match.start()])
        yield _named(match)
        at = match.end()
    if at < end:
        yield Words(text[at:end])


def _named(match: re.Match[str]) -> Mentioned | Hashtag:
    if match["tag"] is not None:
        return Hashtag(match["tag"], match[0])
    return Mentioned(match["near"] or match["far"], match["domain"] or "", match[0])


def length(text: str) -> int:
    """In characters as people see them (grapheme clusters); any address has 23, `@user@domain` that of `@user`."""
    total = 0
    for piece in pieces(text):
        match piece:
            case Words(written) | Hashtag(_, written):
                total += grapheme.length(written)
            case Link():
                total += LINK_LENGTH
            case Mentioned(username):
                total += 1 + len(username)
            case _:
                assert_never(piece)
    return total


def mentioned(text: str, domain: str) -> list[str]:
    """The usernames of those here whom `text` mentions, in lower case, each once. `domain` is ours."""
    found = (
        piece.username.lower()
        for piece in pieces(text)
        if isinstance(piece, Mentioned) and piece.domain.lower() in {"", domain.lower()}
    )
    return list(dict.fromkeys(found))


def hashtags(text: str) -> dict[str, str]:
    """The hashtags in `text`: as they are kept (lower case), and as they were first written."""
    found: dict[str, str] = {}
    for piece in pieces(text):
        if isinstance(piece, Hashtag):
            found.setdefault(tag_key(piece.name), piece.name)
    return found


def tag_key(name: str) -> str:
    """A hashtag's name as it is kept and looked up."""
    return name.lower()


def tag_url(site_url: str, name: str) -> str:
    return f"{site_url}/tags/{quote(tag_key(name))}"


def render(text: str, *, site_url: str, usernames: Mapping[str, str]) -> str:
    """The HTML. `usernames` has those who exist by their name in lower case; other mentions stay words."""
    domain = site_url.partition("://")[2].lower()
    html: list[str] = []
    for piece in pieces(_normal(text)):
        match piece:
            case Words(written):
                html.append(escape(written))
            case Link(url):
                html.append(_link(url))
            case Hashtag(name):
                address = escape(tag_url(site_url, name))
                html.append(
                    f'<a href="{address}" class="mention hashtag" rel="tag">#<span>{escape(name)}</span></a>'
                )
            case Mentioned(username, at, written):
                known = usernames.get(username.lower()) if at.lower() in {"", domain} else None
                html.append(_mention(site_url, known) if known else escape(written))
            case _:
                assert_never(piece)
    whole = "".join(html)
    if not whole:
        return ""
    return "".join(f"<p>{each.replace(chr(10), '<br>')}</p>" for each in _PARAGRAPHS.split(whole))


def _normal(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _mention(site_url: str, username: str) -> str:
    address = escape(f"{site_url}/@{username}")
    return (
        f'<span class="h-card" translate="no"><a href="{address}" class="u-url mention">'
        f"@<span>{escape(username)}</span></a></span>"
    )


def _link(url: str) -> str:
    """An address as three spans: clients show the middle one, and copying still gives the whole."""
    prefix = match[0] if (match := _PREFIX.match(url)) else ""
    shown, rest = url[len(prefix) : len(prefix) + _SHOWN_LENGTH], url[len(prefix) + _SHOWN_LENGTH :]
    return (
        f'<a href="{escape(url)}" target="_blank" rel="nofollow noopener" translate="no">'
        f'<span class="invisible">{escape(prefix)}</span>'
        f'<span class="{"ellipsis" if rest else ""}">{escape(shown)}</span>'
        f'<span class="invisible">{escape(rest)}</span></a>'
    )
