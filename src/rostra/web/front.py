"""What stands before uvicorn in site, gate and recorder: the edges' shield, bounds of headers, bodies and time."""

import asyncio
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from rostra.core.errors import BadInputError
from rostra.core.forwarded import asker, read_proxy
from rostra.core.limits import (
    BODY_BYTES_PER_S_MIN,
    REQUEST_DEADLINE_S,
    SITE_CONNECTIONS_MAX,
    SITE_HEADER_BYTES_MAX,
)
from rostra.core.prefixes import Prefixes
from rostra.core.shield import Prefix, Shield, Strike, Verdict
from rostra.web.refusal import BUSY, refusal

_BODY_LOOK_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Front:
    """Whom one process answers, and how much it reads of them."""

    shield: Shield = field(default_factory=Shield)
    trusted: Prefixes = field(default_factory=Prefixes)
    proxy_protocol: bool = False
    body_bytes_max: int = 64 * 1024
    connections_max: int = SITE_CONNECTIONS_MAX

    def protocol(self) -> type[asyncio.Protocol]:
        """For uvicorn's setting `http`."""
        front = self

        class Bound(Fronted):
            def __init__(self, *arguments: Any, **named: Any) -> None:
                super().__init__(front, *arguments, **named)

        return Bound


class Fronted(HttpToolsProtocol):
    """One connection of uvicorn's behind a `Front`."""

    def __init__(self, front: Front, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._front = front
        self._peer: Prefix | None = None
        self._source: Prefix | None = None
        self._proxy = ""
        self._header_due = False
        self._refused: tuple[HTTPStatus, str] | None = None
        self._head_bytes = 0
        self._body_bytes = 0
        self._body_seen = 0
        self._timer: asyncio.TimerHandle | None = None

    # --- connections -------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        super().connection_made(transport)
        front, now_s = self._front, time.monotonic()
        host = "0.0.0.0" if self.client is None else self.client[0]  # noqa: S104 # a Unix socket's peer has none
        self._peer = self._source = front.shield.source(host, now_s)
        front.shield.begin_asking(self._peer)
        if host in front.trusted:
            self._header_due = front.proxy_protocol
            self._proxy = "" if front.proxy_protocol else host
        verdict = front.shield.meet(self._source, now_s)
        if verdict in {Verdict.BANNED, Verdict.CROWDED}:
            transport.abort()
        elif verdict is Verdict.BUSY:
            self._refused = HTTPStatus.TOO_MANY_REQUESTS, BUSY
        elif len(self.connections) > front.connections_max:
            detail = "As many people as can be served at once are here. It goes on by itself in a few seconds."
            self._refused = HTTPStatus.SERVICE_UNAVAILABLE, detail
        self._within(REQUEST_DEADLINE_S, self._header_late)

    def connection_lost(self, exc: Exception | None) -> None:
        self._let_go()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        self._let_go()  # streams have bounds of their own
        super().handle_websocket_upgrade()

    def _let_go(self) -> None:
        self._within(0, None)
        if self._peer is not None:
            self._front.shield.end_asking(self._peer)
            self._peer = None

    def _within(self, seconds: float, late: Any) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if late is None else self.loop.call_later(seconds, late)

    # --- bytes -------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self._header_due:
            self._header_due = False
            try:
                data = self._announced(data)
            except BadInputError:
                self._strike(Strike.BAD_REQUEST)
                self.transport.abort()
                return
        if self._refused is not None:
            self._refuse(*self._refused, data)
            return
        if not data:
            return
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > SITE_HEADER_BYTES_MAX and not self.transport.is_closing():
            detail = f"At most {SITE_HEADER_BYTES_MAX} bytes are read."
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail, data)

    def _announced(self, data: bytes) -> bytes:
        proxied = read_proxy(data)
        if proxied.address is not None:
            now_s = time.monotonic()
            self.client = (proxied.address, 0)
            self._source = self._front.shield.source(proxied.address, now_s)
            if self._front.shield.meet(self._source, now_s) is not Verdict.WELCOME:
                self._refused = HTTPStatus.TOO_MANY_REQUESTS, BUSY
        return data[proxied.size :]

    def _refuse(self, status: HTTPStatus, detail: str, data: bytes = b"") -> None:
        if self.transport.is_closing():
            return
        if status not in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
            self._strike(Strike.TIMEOUT if status is HTTPStatus.REQUEST_TIMEOUT else Strike.BAD_REQUEST)
        date = formatdate(time.time(), usegmt=True)
        self.transport.write(refusal(data, status, detail, date=date, reason=status.name.lower()))
        self.transport.close()

    def _refuse_body(self) -> None:
        self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"At most {self._front.body_bytes_max} bytes are read.")

    def _strike(self, strike: Strike) -> None:
        assert self._source is not None
        self._front.shield.strike(self._source, strike, time.monotonic())

    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    # --- one request -------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._body_bytes = 0
        if self._timer is None:
            self._within(REQUEST_DEADLINE_S, self._header_late)

    def on_headers_complete(self) -> None:
        self._head_bytes = 0
        self._within(0, None)
        front, now_s = self._front, time.monotonic()
        again = self.cycle is not None
        try:
            if self._proxy:
                headers = dict(self.headers)
                forwarded, forwarded_for = (
                    b",".join(value for name, value in self.headers if name == wanted).decode("latin-1")
                    for wanted in (b"forwarded", b"x-forwarded-for")
                )
                address = asker(self._proxy, forwarded, forwarded_for, front.trusted)
                self._source = front.shield.source(address, now_s)
                self.scope["client"] = (address, 0)
                if headers.get(b"x-forwarded-proto") in {b"http", b"https"}:
                    self.scope["scheme"] = headers[b"x-forwarded-proto"].decode()
        except BadInputError as error:
            self._refuse(HTTPStatus.BAD_REQUEST, str(error))
            return
        assert self._source is not None
        if (again or self._proxy) and front.shield.ask(self._source, now_s) is not Verdict.WELCOME:
            self._refuse(HTTPStatus.TOO_MANY_REQUESTS, BUSY, b"".join(value for _, value in self.headers))
            return
        length = next((value for name, value in self.headers if name == b"content-length"), b"0")
        if len(length) > 15 or int(length) > front.body_bytes_max:
            self._refuse_body()
            return
        self._body_seen = 0
        self._within(_BODY_LOOK_S, self._body_late)
        super().on_headers_complete()
        front.shield.praise(self._source, now_s)

    def on_body(self, body: bytes) -> None:
        if self.transport.is_closing():
            return
        self._head_bytes = 0
        self._body_bytes += len(body)
        if self._body_bytes > self._front.body_bytes_max:
            self._refuse_body()
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._head_bytes = 0
        self._within(0, None)
        if not self.transport.is_closing():
            super().on_message_complete()

    # --- time --------------------------------------------------------------------------------------------

    def _header_late(self) -> None:
        self._timer = None
        self._refuse(HTTPStatus.REQUEST_TIMEOUT, "The request was not complete in time.")

    def _body_late(self) -> None:
        """A body that trickles holds a connection and a task; one that waits for us is not the asker's fault."""
        came, self._body_seen = self._body_bytes - self._body_seen, self._body_bytes
        if came < BODY_BYTES_PER_S_MIN * _BODY_LOOK_S and not self.flow.read_paused:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "The body came too slowly.")
        else:
            self._within(_BODY_LOOK_S, self._body_late)
