"""Requests in, responses out: the small part of HTTP/1.1 (RFC 9112) that an edge speaks. No I/O."""

from collections.abc import Mapping, Sequence
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote_plus

import httptools
import msgspec

from rostra.core.limits import REQUEST_BYTES_MAX
from rostra.core.shield import Strike

CROSS_ORIGIN: Final = (("Access-Control-Allow-Origin", "*"),)  # a player resumes at another edge
PLAIN: Final = "text/plain; charset=utf-8"
JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"  # RFC 9457
_NAME_LENGTHS: Final = frozenset(map(len, ("host", "accept", "if-none-match", "forwarded", "x-forwarded-for")))
_json = msgspec.json.Encoder()


# Structs, not dataclasses: a frozen dataclass takes six times as long to make, and a join makes four of these.
class Request(msgspec.Struct, frozen=True, gc=False):
    method: str
    path: str
    query: Mapping[str, str]
    prefers_html: bool
    if_none_match: str
    keep_alive: bool
    forwarded: str = ""  # both are believed of trusted proxies only
    forwarded_for: str = ""


def whole_number(query: Mapping[str, str], name: str, *, digits: int) -> int | None:
    """Of a query; None for what is none, or longer."""
    said = query.get(name, "")
    return int(said) if said.isdecimal() and said.isascii() and len(said) <= digits else None


class Rejected(msgspec.Struct, frozen=True, gc=False):
    """What came is no request that could be answered otherwise; the connection ends with this."""

    status: HTTPStatus
    detail: str


class Reply(msgspec.Struct, frozen=True, gc=False):
    """An answer with a known length, or to HEAD of an endless one.

    `strike` is what the asker did that nobody honest does, for the shield.
    """

    status: HTTPStatus
    content_type: str
    body: bytes
    headers: Sequence[tuple[str, str]] = ()
    endless: bool = False
    strike: Strike | None = None


def json_reply(value: Any, headers: Sequence[tuple[str, str]] = ()) -> Reply:
    return Reply(HTTPStatus.OK, JSON, _json.encode(value), headers)


def problem_json(status: HTTPStatus, title: str, detail: str, **members: Any) -> bytes:
    """RFC 9457 problem details with extension members."""
    return _json.encode({"title": title, "status": status.value, "detail": detail, **members})


def serialize(reply: Reply, *, date: str, keep_alive: bool, head_only: bool = False) -> bytes:
    """The bytes of a response. `date` is an IMF-fixdate (RFC 9110 §5.6.7)."""
    lines = [
        f"HTTP/1.1 {reply.status.value} {reply.status.phrase}",
        f"Date: {date}",
        f"Connection: {'keep-alive' if keep_alive else 'close'}",
        "X-Content-Type-Options: nosniff",
    ]
    if reply.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED):
        lines.append(f"Content-Type: {reply.content_type}")
        if not reply.endless:
            lines.append(f"Content-Length: {len(reply.body)}")
    lines += [f"{name}: {value}" for name, value in reply.headers]
    head = "\r\n".join([*lines, "\r\n"]).encode("latin-1")
    return head if head_only else head + reply.body


class ImfDate:
    """A time as an IMF-fixdate (RFC 9110 §5.6.7), written once a second."""

    def __init__(self) -> None:
        self._text = ""
        self._second = 0

    def at(self, unix_s: float) -> str:
        second = int(unix_s)
        if second != self._second:
            self._second, self._text = second, formatdate(second, usegmt=True)
        return self._text


def stream_head(content_type: str, *, date: str) -> bytes:
    """The head of an endless response: it has no length and ends with the connection (RFC 9112 §6.3)."""
    return (
        f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Type: {content_type}\r\nConnection: close\r\n"
        "Cache-Control: no-store\r\nAccess-Control-Allow-Origin: *\r\nX-Content-Type-Options: nosniff\r\n"
        # nginx in front would gather our writes otherwise.
        "X-Accel-Buffering: no\r\n\r\n"
    ).encode("ascii")


class RequestReader:
    """Cuts what one connection sends into requests; bodies are read and dropped, nothing here needs one.

    A request may have REQUEST_BYTES_MAX bytes. After a `Rejected` the reader must not be fed again.
    """

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._items: list[Request | Rejected] = []
        self._unfinished_bytes = 0
        self.on_message_begin()
        self.amid_request = False  # between two requests no bytes are expected soon

    def close(self) -> None:
        """Part from the parser, which refers back to this: no garbage is left for the collector."""
        del self._parser

    def feed(self, data: bytes) -> list[Request | Rejected]:
        self._items = []
        self._unfinished_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # RFC 9110 §7.8: a server may ignore Upgrade. What follows is not HTTP/1.1, so nothing more is read.
            return self._items
        except httptools.HttpParserError as error:
            return [*self._items, Rejected(HTTPStatus.BAD_REQUEST, f"This is no HTTP/1.1 request: {error}.")]
        if self._unfinished_bytes > REQUEST_BYTES_MAX:
            self._items.append(self._too_large())
        return self._items

    def _too_large(self) -> Rejected:
        limit = f"An edge takes {REQUEST_BYTES_MAX} bytes."
        if not self._header_seen:
            return Rejected(HTTPStatus.REQUEST_URI_TOO_LONG, f"The address is too long. {limit}")
        if not self._headers_complete:
            return Rejected(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"The headers are too long. {limit}")
        return Rejected(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body is too long. {limit}")

    # --- called by httptools ---------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self.amid_request = True
        self._url: bytes = b""
        self._accept: bytes = b""
        self._if_none_match: bytes = b""
        self._forwarded: bytes = b""
        self._forwarded_for: bytes = b""
        self._hosts: int = 0
        self._header_seen = False
        self._headers_complete = False

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_seen = True
        if len(name) not in _NAME_LENGTHS:
            return
        name = name.lower()
        if name == b"host":
            self._hosts += 1
        elif name == b"accept":
            self._accept = value
        elif name == b"if-none-match":
            self._if_none_match = value
        elif name == b"forwarded":
            self._forwarded += b"," + value if self._forwarded else value
        elif name == b"x-forwarded-for":
            self._forwarded_for += b"," + value if self._forwarded_for else value

    def on_headers_complete(self) -> None:
        self._headers_complete = True

    def on_message_complete(self) -> None:
        self._unfinished_bytes = 0
        self.amid_request = False
        self._items.append(self._finish())

    def _finish(self) -> Request | Rejected:
        # RFC 9112 §3.2: exactly one Host in HTTP/1.1.
        if self._hosts > 1 or (self._hosts == 0 and self._parser.get_http_version() == "1.1"):
            return Rejected(HTTPStatus.BAD_REQUEST, "A request names one host.")
        try:
            url = httptools.parse_url(self._url)
            path = (url.path or b"/").decode("ascii")
            query = parse_query((url.query or b"").decode("ascii"))
        except (httptools.HttpParserInvalidURLError, UnicodeDecodeError):
            return Rejected(HTTPStatus.BAD_REQUEST, "The address cannot be read.")
        return Request(
            method=self._parser.get_method().decode("ascii"),
            path=path,
            query=query,
            prefers_html=b"text/html" in self._accept,
            if_none_match=self._if_none_match.decode("latin-1"),
            keep_alive=self._parser.should_keep_alive() and not self._parser.should_upgrade(),
            forwarded=self._forwarded.decode("latin-1"),
            forwarded_for=self._forwarded_for.decode("latin-1"),
        )


def parse_query(text: str) -> dict[str, str]:
    """The pairs of a query. Of a repeated name the last one counts."""
    pairs = (pair.partition("=") for pair in text.split("&") if pair)
    return {_decoded(name): _decoded(value) for name, _, value in pairs}


def _decoded(text: str) -> str:
    return unquote_plus(text) if "%" in text or "+" in text else text
