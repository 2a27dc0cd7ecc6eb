"""The pages as bytes: read once at the start, filled in when something changes, served from memory."""

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from http import HTTPStatus
from importlib.resources.abc import Traversable
from typing import Any, Final

import msgspec

from rostra.core.errors import RostraError
from rostra.core.messages import ConversationRecord
from rostra.core.units import SECOND_NS
from rostra.edge.http import HTML, Reply, Request

CONTENT_TYPES: Final[Mapping[str, str]] = {
    "css": "text/css; charset=utf-8",
    "html": HTML,
    "ico": "image/vnd.microsoft.icon",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "png": "image/png",
    "svg": "image/svg+xml",
    "webm": "audio/webm",
    "webmanifest": "application/manifest+json",
    "woff2": "font/woff2",
}
# No inline script or style. The player goes on at other edges, so it may connect to and play from any origin.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self' http: https:; media-src 'self' blob: http: https:; worker-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'"
)
_SECURITY: Final = (("Content-Security-Policy", _POLICY), ("Referrer-Policy", "no-referrer"))
_PAGE_HEADERS: Final = (*_SECURITY, ("Cache-Control", "max-age=1"), ("Vary", "Accept"))
_IMMUTABLE: Final = ("Cache-Control", "public, max-age=31536000, immutable")
_REVALIDATE: Final = ("Cache-Control", "no-cache")
_json = msgspec.json.Encoder()


@dataclass(frozen=True, slots=True)
class Asset:
    content_type: str
    body: bytes
    digest: str


class Pages:
    """The page files of `folder`. RostraError if one is missing or of an unknown type."""

    def __init__(self, folder: Traversable) -> None:
        try:
            assets = [_asset(file) for file in folder.joinpath("assets").iterdir() if file.is_file()]
            self._assets = dict(assets)
            self._index = self._template(folder, "index.html")
            self._listen = self._template(folder, "listen.html")
            self._problem = self._template(folder, "problem.html")
        except OSError as error:
            raise RostraError(f"The edge's page files are not complete: {error}.") from error

    def _template(self, folder: Traversable, name: str) -> str:
        """The page with a content hash behind the address of each asset."""
        text = folder.joinpath(name).read_text(encoding="utf-8")
        for asset, content in self._assets.items():
            for quote in ('"', "'"):
                address = f"/assets/{asset}"
                text = text.replace(f"{address}{quote}", f"{address}?v={content.digest}{quote}")
        return text

    def index(self, records: Iterable[ConversationRecord]) -> Reply:
        """What is on now and what comes, the next first."""
        coming = sorted(records, key=lambda record: (record.starts_ns, record.id))
        items = "".join(_item(record) for record in coming)
        return _page(HTTPStatus.OK, self._index.replace("<!--conversations-->", f"<ul>{items}</ul>"))

    def listen(self, state: Mapping[str, Any]) -> Reply:
        """The listening page of a conversation whose object `state` this is: the same bytes for all."""
        values = {name: html.escape(str(state[name])) for name in ("id", "title", "language")}
        values["state_json"] = _embeddable(state)
        return _page(HTTPStatus.OK, _filled(self._listen, values))

    def problem(self, status: HTTPStatus, title: str, detail: str) -> Reply:
        values = {"title": html.escape(title), "detail": html.escape(detail)}
        return _page(status, _filled(self._problem, values))

    def asset(self, name: str, request: Request) -> Reply | None:
        """An asset, or that the client has it already (RFC 9110 §13.1.2); None if there is none."""
        asset = self._assets.get(name)
        if asset is None:
            return None
        tag = f'"{asset.digest}"'
        cache = _IMMUTABLE if request.query.get("v") == asset.digest else _REVALIDATE
        headers = (*_SECURITY, ("ETag", tag), cache, ("Access-Control-Allow-Origin", "*"))
        known = {candidate.strip().removeprefix("W/") for candidate in request.if_none_match.split(",")}
        if tag in known or "*" in known:
            return Reply(HTTPStatus.NOT_MODIFIED, asset.content_type, b"", headers)
        return Reply(HTTPStatus.OK, asset.content_type, asset.body, headers)


def _asset(file: Traversable) -> tuple[str, Asset]:
    suffix = file.name.rpartition(".")[2]
    if suffix not in CONTENT_TYPES:
        raise RostraError(f"The edge does not know the type of its page file {file.name}.")
    body = file.read_bytes()
    return file.name, Asset(CONTENT_TYPES[suffix], body, sha256(body).hexdigest()[:16])


def _page(status: HTTPStatus, text: str) -> Reply:
    return Reply(status, HTML, text.encode(), _PAGE_HEADERS)


def _filled(template: str, values: Mapping[str, str]) -> str:
    """One pass over the template, so that a value with braces in it stays what it is."""
    parts = template.split("{{")
    filled = [parts[0]]
    for part in parts[1:]:
        name, closing, rest = part.partition("}}")
        filled.append(values[name] + rest if closing and name in values else "{{" + part)
    return "".join(filled)


def _embeddable(state: Mapping[str, Any]) -> str:
    """JSON that cannot end the script element it stands in (HTML §4.12.1.3)."""
    text = _json.encode(state).decode()
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _item(record: ConversationRecord) -> str:
    starts = datetime.fromtimestamp(record.starts_ns // SECOND_NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f'<li data-state="{html.escape(record.state)}"><a href="/c/{html.escape(record.id)}" '
        f'lang="{html.escape(record.language)}">{html.escape(record.title)}</a> '
        f'<time datetime="{starts}">{starts[:16].replace("T", " ")} UTC</time></li>'
    )
