"""The door: which request gets what, and who is let in. Decisions only; `connection` carries them out."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, assert_never

import msgspec

from rostra.core import webvtt
from rostra.core.framing import CONTENT_TYPE
from rostra.core.keys import KeyRing
from rostra.core.limits import STREAMS_PER_LISTENER_MAX
from rostra.core.messages import ConversationRecord
from rostra.core.renditions import RENDITIONS
from rostra.core.shield import Strike
from rostra.core.ticket import LIFETIME_S, Ticket, TicketClass, sign, verify, verify_pass
from rostra.edge.channel import CHUNK_MS, OVER, Channel
from rostra.edge.cohort import Group
from rostra.edge.fanout import Lane
from rostra.edge.http import (
    CROSS_ORIGIN,
    PLAIN,
    PROBLEM,
    Reply,
    Request,
    json_reply,
    problem_json,
)
from rostra.edge.pages import Pages
from rostra.edge.streams import Streams

BUS_LOST_MAX_S: Final = 5.0  # longer, and who is sent elsewhere hears more than who waits here
RETRY_FULL_S: Final = 10
RETRY_STARTING_S: Final = 1
RETRY_SHARED_S: Final = 30  # by then a connection that died unnoticed is gone
_STREAM_FILES: Final = {"live.webm": "webm", "live.ogg": "ogg", "live.mp4": "mp4"}
_PREFLIGHT: Final = (
    *CROSS_ORIGIN,
    ("Access-Control-Allow-Methods", "GET, HEAD, POST"),
    ("Access-Control-Allow-Headers", "Content-Type, Range"),
    ("Access-Control-Max-Age", "86400"),
)


# --- admission (pure) ------------------------------------------------------------------------------------


class Pressure(msgspec.Struct, frozen=True, gc=False):
    """What an edge can bear at this moment."""

    descriptors: int
    descriptors_max: int
    bus_lost_s: float = 0.0
    draining: bool = False


@dataclass(frozen=True, slots=True)
class Admitted:
    pass


@dataclass(frozen=True, slots=True)
class Early:
    """The doors open in `wait_ms`."""

    wait_ms: int


class Refused(msgspec.Struct, frozen=True, gc=False):
    status: HTTPStatus
    reason: str
    title: str
    detail: str
    retry_after_s: int | None = None
    strike: Strike | None = None  # what nobody honest does, for the shield


_CAPPED: Final = Refused(
    HTTPStatus.FORBIDDEN,
    "rendition",
    "Not at this quality",
    "The ticket was given when there was room for a smaller rendition only. Join again: there may be room now.",
)
_SHARED: Final = Refused(
    HTTPStatus.TOO_MANY_REQUESTS,
    "shared",
    "This ticket is in use",
    f"{STREAMS_PER_LISTENER_MAX} streams are open with it. Who else wants to listen asks for another one.",
    RETRY_SHARED_S,
    strike=Strike.SHARED_TICKET,
)
Admission = Admitted | Early | Refused


def unfit(pressure: Pressure) -> Refused | None:
    """Why this edge can admit nobody, if so."""
    unavailable = HTTPStatus.SERVICE_UNAVAILABLE
    if pressure.draining:
        return Refused(unavailable, "draining", "This edge is going away", "Listen at another one.", 1)
    if pressure.bus_lost_s > BUS_LOST_MAX_S:
        detail = "This edge has lost its connection to the programme. Another one may have it."
        return Refused(unavailable, "bus", "No connection to the programme", detail, 2)
    if pressure.descriptors >= pressure.descriptors_max:
        detail = "As many people as it can carry listen at this edge. Another one may have room."
        return Refused(unavailable, "full", "This edge is full", detail, RETRY_FULL_S)
    return None


def decide(record: ConversationRecord, pressure: Pressure, *, now_ms: int) -> Admission:
    if record.state in OVER:
        word = "has ended" if record.state == "ended" else "has been cancelled"
        return Refused(HTTPStatus.GONE, record.state, f"This conversation {word}", "There is nothing to hear.")
    refused = unfit(pressure)
    if refused is not None:
        return refused
    if record.state == "scheduled":
        return Early(max(0, record.doors_ns // 1_000_000 - now_ms))
    return Admitted()


# --- requests ----------------------------------------------------------------------------------------------


class Listen(msgspec.Struct, frozen=True, gc=False):
    """Not an answer but a listener: write `opening`, then keep step with `group`."""

    lane: Lane
    group: Group
    opening: bytes
    position: int
    listener: bytes = b""  # of the ticket; empty for a plain stream, which needs none


@dataclass(slots=True)
class Door:
    """Answers every request of the crowd.

    `jitter` gives numbers in [0, 1) and spreads those who come back; `new_listener` gives 8 random bytes.
    """

    channels: Mapping[str, Channel]
    pages: Pages
    keys: KeyRing
    public_url: str
    jitter: Callable[[], float]
    new_listener: Callable[[], bytes]
    streams: Streams
    pressure: Callable[[], Pressure] = field(default=lambda: Pressure(0, 1))
    cadence_ms: int = CHUNK_MS
    alternates: Sequence[str] = ()
    refused: Counter[str] = field(default_factory=Counter)
    joins: int = 0
    _index: Reply | None = None
    _listen: dict[str, tuple[int, Reply]] = field(default_factory=dict)

    def forget_pages(self) -> None:
        """A conversation has changed."""
        self._index = None
        self._listen.clear()

    def answer(self, request: Request, *, source: str, date: str, now_ms: int) -> Reply | Listen:
        del source  # the waiting room's order is fair between networks
        match request.path.split("/")[1:]:
            case [""]:
                return self._reading(request) or self._index_page()
            case ["healthz"]:
                return self._reading(request) or self._health()
            case ["assets", name]:
                found = self.pages.asset(name, request)
                return self._reading(request) or found or self._not_found(request)
            case ["c", conversation, *rest] if conversation in self.channels:
                channel = self.channels[conversation]
                match rest:
                    case []:
                        return self._reading(request) or self._listening_page(channel, now_ms)
                    case ["captions.vtt"]:
                        return self._reading(request) or self._captions(channel)
                    case ["state"]:
                        return self._reading(request) or self._state(channel, now_ms)
                    case ["join"]:
                        return self._only(request, "POST") or self._join(channel, request, now_ms)
                    case ["stream"]:
                        return self._reading(request) or self._stream(channel, request, date, now_ms)
                    case [file] if file in _STREAM_FILES:
                        return self._reading(request) or self._file(channel, request, date, now_ms)
        return self._not_found(request)

    # --- pages -----------------------------------------------------------------------------------------

    def _index_page(self) -> Reply:
        if self._index is None:
            records = (channel.record for channel in self.channels.values())
            self._index = self.pages.index(record for record in records if record.state not in OVER)
        return self._index

    def _listening_page(self, channel: Channel, now_ms: int) -> Reply:
        kept = self._listen.get(channel.record.id)
        if kept is None or now_ms - kept[0] >= 1_000:
            kept = self._listen[channel.record.id] = now_ms, self.pages.listen(channel.state(now_ms=now_ms))
        return kept[1]

    def _state(self, channel: Channel, now_ms: int) -> Reply:
        return json_reply(channel.state(now_ms=now_ms), (*CROSS_ORIGIN, ("Cache-Control", "max-age=1")))

    def _captions(self, channel: Channel) -> Reply:
        headers = (*CROSS_ORIGIN, ("Cache-Control", "max-age=1"))
        return Reply(HTTPStatus.OK, webvtt.MEDIA_TYPE, channel.captions().encode(), headers)

    def _health(self) -> Reply:
        refused = unfit(self.pressure())
        if refused is None:
            return Reply(HTTPStatus.OK, PLAIN, b"ok\n", (("Cache-Control", "no-store"),))
        return Reply(refused.status, PLAIN, f"{refused.reason}\n".encode(), (("Cache-Control", "no-store"),))

    # --- listening ---------------------------------------------------------------------------------------

    def _join(self, channel: Channel, request: Request, now_ms: int) -> Reply:
        admission = decide(channel.record, self.pressure(), now_ms=now_ms)
        headers = (*CROSS_ORIGIN, ("Cache-Control", "no-store"))
        match admission:
            case Admitted():
                self.joins += 1
                return json_reply(self._admitted(channel, request, now_ms), headers)
            case Early():
                return json_reply({"status": "early", **channel.state(now_ms=now_ms)}, headers)
            case Refused():
                return self.refuse(request, admission)
            case _:
                assert_never(admission)

    def _admitted(self, channel: Channel, request: Request, now_ms: int) -> dict[str, Any]:
        """A ticket that outlasts any conversation. Who brings one (`pass`, from the site) stays who they are."""
        conversation = channel.record.id
        now_s = now_ms // 1_000
        known = verify_pass(request.query.get("pass", ""), conversation=conversation, keys=self.keys, now_s=now_s)
        ticket = Ticket(
            conversation,
            self.new_listener() if known is None else known.listener,
            TicketClass.ANONYMOUS if known is None else known.ticket_class,
            now_s,
            now_s + LIFETIME_S,
        )
        offered = channel.init.media if channel.init is not None else RENDITIONS
        return {
            "status": "admitted",
            "ticket": sign(ticket, keys=self.keys),
            "stream": f"/c/{conversation}/stream",
            "alternates": self.alternates,
            "renditions": [
                {"name": rendition.name, "mime": rendition.mime, "bps": rendition.bitrate_bps}
                for rendition in RENDITIONS.values()
                if rendition.name in offered
            ],
            "cadence_ms": self.cadence_ms,
            "now_ms": now_ms,
        }

    def _stream(self, channel: Channel, request: Request, date: str, now_ms: int) -> Reply | Listen:
        conversation = channel.record.id
        text = request.query.get("ticket", "")
        ticket = verify(text, conversation=conversation, keys=self.keys, now_s=now_ms // 1_000)
        if ticket is None:
            detail = f"Ask for one: POST /c/{conversation}/join."
            refused = Refused(
                HTTPStatus.FORBIDDEN, "ticket", "No valid ticket", detail, strike=Strike.FORGED_TICKET
            )
            return self.refuse(request, refused)
        if len(self.streams.of(ticket.listener)) >= STREAMS_PER_LISTENER_MAX:
            return self.refuse(request, _SHARED)
        asked = request.query.get("from", "")
        from_seq = int(asked) if asked.isdecimal() and asked.isascii() and len(asked) <= 10 else None
        rendition = request.query.get("rendition", next(iter(RENDITIONS)))
        if ticket.cap_kbps and rendition in RENDITIONS and RENDITIONS[rendition].bitrate_bps > ticket.cap_bps:
            return self.refuse(request, _CAPPED)
        return self._listen_to(channel, request, rendition, from_seq, date, now_ms, listener=ticket.listener)

    def _file(self, channel: Channel, request: Request, date: str, now_ms: int) -> Reply | Listen:
        refused = unfit(self.pressure())
        if refused is not None:
            return self.refuse(request, refused)
        container = _STREAM_FILES[request.path.rpartition("/")[2]]
        fitting = [name for name in RENDITIONS if name.startswith(f"{container}-")]
        rendition = request.query.get("rendition", fitting[0])
        if rendition not in fitting:
            return self._not_found(request)
        return self._listen_to(channel, request, rendition, None, date, now_ms, listener=None)

    def _listen_to(
        self,
        channel: Channel,
        request: Request,
        rendition: str,
        from_seq: int | None,
        date: str,
        now_ms: int,
        *,
        listener: bytes | None,
    ) -> Reply | Listen:
        framed = listener is not None
        if channel.ended or channel.record.state in OVER or not channel.on_air:
            return self.refuse(request, _silent(channel))
        assert channel.init is not None
        assert channel.ring.newest is not None
        if rendition not in channel.init.media or rendition not in RENDITIONS:
            return self._not_found(request)
        if request.method == "HEAD":
            content_type = CONTENT_TYPE if framed else RENDITIONS[rendition].mime
            return Reply(HTTPStatus.OK, content_type, b"", CROSS_ORIGIN, endless=True)
        lane = channel.lane(rendition, framed=framed)
        first = channel.resumption(from_seq)
        group = lane.cohort.place(newest=channel.ring.newest, from_seq=first)
        opening, position = channel.opening(lane, group, from_seq=first, date=date, now_ms=now_ms)
        return Listen(lane, group, opening, position, listener or b"")

    # --- refusals ----------------------------------------------------------------------------------------

    def refuse(self, request: Request | None, refused: Refused) -> Reply:
        """A problem a person or a program can act on: why, when to come back, where else to listen."""
        self.refused[refused.reason] += 1
        strike = refused.strike
        headers = [*CROSS_ORIGIN, ("Cache-Control", "no-store")]
        members: dict[str, Any] = {"reason": refused.reason}
        if refused.retry_after_s is not None:
            # Up to half as long again, so that those who were refused together do not return together.
            wait_s = round(refused.retry_after_s * (1 + self.jitter() / 2) + 0.49)
            headers.append(("Retry-After", str(wait_s)))
            others = [url for url in self.alternates if url != self.public_url]
            members |= {"retry_after_s": wait_s, "alternates": others}
        if request is not None and request.prefers_html:
            page = self.pages.problem(refused.status, refused.title, refused.detail)
            return Reply(page.status, page.content_type, page.body, [*page.headers, *headers], strike=strike)
        body = problem_json(refused.status, refused.title, refused.detail, **members)
        return Reply(refused.status, PROBLEM, body, headers, strike=strike)

    def _not_found(self, request: Request) -> Reply:
        detail = "There is nothing at this address. Perhaps it was cut in copying."
        return self.refuse(request, Refused(HTTPStatus.NOT_FOUND, "unknown", "Not found", detail))

    def _reading(self, request: Request) -> Reply | None:
        return None if request.method in ("GET", "HEAD") else self._only(request, "GET", "HEAD")

    def _only(self, request: Request, *methods: str) -> Reply | None:
        if request.method in methods:
            return None
        if request.method == "OPTIONS":
            return Reply(HTTPStatus.NO_CONTENT, "", b"", (*_PREFLIGHT, ("Allow", ", ".join(methods))))
        detail = f"This address answers to {' and '.join(methods)}."
        refused = Refused(HTTPStatus.METHOD_NOT_ALLOWED, "method", "Method not allowed", detail)
        reply = self.refuse(request, refused)
        allow = ("Allow", ", ".join(methods))
        return Reply(reply.status, reply.content_type, reply.body, [*reply.headers, allow])


def _silent(channel: Channel) -> Refused:
    """Why a conversation cannot be heard now."""
    state = channel.record.state
    if channel.ended or state in OVER:
        return Refused(HTTPStatus.GONE, "ended", "This conversation is over", "There is nothing to hear.")
    if state == "scheduled":
        detail = "The doors are still closed. They open before the conversation starts."
        return Refused(HTTPStatus.SERVICE_UNAVAILABLE, "early", "Too early", detail, RETRY_FULL_S)
    detail = "The sound is on its way to this edge."
    return Refused(HTTPStatus.SERVICE_UNAVAILABLE, "starting", "A moment", detail, RETRY_STARTING_S)
