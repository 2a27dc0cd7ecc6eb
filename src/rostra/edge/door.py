"""The door: which request gets what, and who is let in. Decisions only; `connection` carries them out."""

import json
from base64 import urlsafe_b64decode
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, assert_never
from urllib.parse import urlsplit

import msgspec

from rostra.core import webvtt
from rostra.core.framing import CONTENT_TYPE
from rostra.core.keys import KeyRing
from rostra.core.leave import NONCE, proof
from rostra.core.limits import STREAMS_PER_LISTENER_MAX
from rostra.core.prefixes import network_of, source_of
from rostra.core.renditions import RENDITIONS, is_within, renditions_within
from rostra.core.shield import Strike
from rostra.core.ticket import (
    LIFETIME_S,
    Ticket,
    TicketClass,
    sign,
    sign_place,
    verify,
    verify_pass,
    verify_place,
)
from rostra.edge.cadence import RUNGS_CHUNKS
from rostra.edge.channel import CHUNK_MS, OVER, Channel
from rostra.edge.cohort import Group
from rostra.edge.demand import Demand
from rostra.edge.fanout import Lane
from rostra.edge.http import (
    CROSS_ORIGIN,
    PLAIN,
    PROBLEM,
    Reply,
    Request,
    json_reply,
    problem_json,
    whole_number,
)
from rostra.edge.ladder import Rung, ladder
from rostra.edge.pages import Pages
from rostra.edge.receipts import Receipts
from rostra.edge.refusals import (
    CAPPED,
    FULL,
    NO_RECEIPT,
    NO_TICKET,
    NOT_FOUND,
    RECEIPTS_FULL,
    REVOKED,
    SHARED,
    Early,
    Open,
    Pressure,
    Refused,
    decide,
    not_allowed,
    silent,
    unfit,
)
from rostra.edge.streams import Streams
from rostra.edge.waiting_room import LetIn, Wait, WaitingRoom
from rostra.verifier.errors import FlawError

_STREAM_FILES: Final = {"live.webm": "webm", "live.ogg": "ogg", "live.mp4": "mp4"}
_COPIES: Final = {"webm": "webm-64", "mp4": "mp4-96"}
_SHOWN: Final = ("Access-Control-Expose-Headers", "Rostra-Receipt")
_FRESH: Final = (*CROSS_ORIGIN, ("Cache-Control", "no-store"))
_PREFLIGHT: Final = (
    *CROSS_ORIGIN,
    ("Access-Control-Allow-Methods", "GET, HEAD, POST"),
    ("Access-Control-Allow-Headers", "Content-Type, Range"),
    ("Access-Control-Max-Age", "86400"),
)


LOWEST: Final = ladder(has_copy=False)[0]
_CADENCES: Final = {str(cadence * CHUNK_MS): cadence for cadence in RUNGS_CHUNKS}
_NONE: Final[Mapping[str, int]] = {}
_NOBODY: Final = Ticket("", b"", TicketClass.ANONYMOUS, 0, 0)


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
    room: WaitingRoom
    pressure: Callable[[], Pressure] = field(default=Pressure)
    rung: Rung = LOWEST
    rehearsal_token: str = ""  # empty: no crowd is sent from elsewhere
    copy_url: str = ""  # where the copy at a CDN is, if there is one
    alternates: Sequence[str] = ()
    revoked: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # conversation → listener → until
    refused: Counter[str] = field(default_factory=Counter)
    demand: Demand = field(default_factory=Demand)
    receipts: Receipts | None = None  # where the ledger is kept
    joins: int = 0
    _index: Reply | None = None
    _listen: dict[str, tuple[int, Reply]] = field(default_factory=dict)

    def forget_pages(self) -> None:
        """A conversation has changed."""
        self._index = None
        self._listen.clear()

    def answer(self, request: Request, *, source: str, date: str, now_ms: int) -> Reply | Listen:
        match request.path.split("/")[1:]:
            case [""]:
                return self._reading(request) or self._index_page()
            case ["healthz"]:
                return self._reading(request) or self._health()
            case [".well-known", "rostra-rehearsal"]:
                return self._reading(request) or self._leave(request)
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
                        reply = self._only(request, "POST") or self._join(channel, request, source, now_ms)
                        return (
                            self._signed(channel, request, reply, now_ms) if "receipt" in request.query else reply
                        )
                    case ["receipts"] if self.receipts is not None:
                        return self._only(request, "POST") or self._receive(self.receipts, channel, request, now_ms)
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

    def _leave(self, request: Request) -> Reply:
        """Prove to a rehearsal that our operator knows its secret (core/leave.py)."""
        nonce = request.query.get("nonce", "")
        if not self.rehearsal_token or NONCE.fullmatch(nonce) is None:
            return self.refuse(request, NOT_FOUND)
        given = proof(self.rehearsal_token, host=urlsplit(self.public_url).netloc, nonce=nonce)
        return json_reply({"proof": given}, (("Cache-Control", "no-store"),))

    # --- listening ---------------------------------------------------------------------------------------

    def _join(self, channel: Channel, request: Request, source: str, now_ms: int) -> Reply:
        opening = decide(channel.record, self.pressure(), now_ms=now_ms)
        match opening:
            case Open():
                return json_reply(self._let_in(channel, request, source, now_ms), _FRESH)
            case Early():
                return json_reply({"status": "early", **channel.state(now_ms=now_ms)}, _FRESH)
            case Refused():
                self.demand.ask(request.query, TicketClass.ANONYMOUS, proven=False)
                return self.refuse(request, opening)
            case _:
                assert_never(opening)

    def _let_in(self, channel: Channel, request: Request, source: str, now_ms: int) -> dict[str, Any]:
        """The answer to a join. Who brings a ticket is in; who brings a pass of the site stays who they are."""
        conversation, now_s, query = channel.record.id, now_ms // 1_000, request.query
        had = verify(query.get("ticket", ""), conversation=conversation, keys=self.keys, now_s=now_s)
        if had is not None and not self._is_revoked(had, now_s):
            self.demand.ask(query, had.ticket_class, proven=True)
            return self._admitted(channel, had.listener, had.ticket_class, now_ms, asked_ms=now_ms)
        known = verify_pass(query.get("pass", ""), conversation=conversation, keys=self.keys, now_s=now_s)
        self.demand.passes_refused += known is None and "pass" in query
        if known is not None and self._is_revoked(known, now_s):
            known = None
        place = verify_place(query.get("place", ""), conversation=conversation, keys=self.keys, now_s=now_s)
        listener = place.listener if place else known.listener if known else self.new_listener()
        ticket_class = min(each.ticket_class for each in (known, place, _NOBODY) if each is not None)
        self.demand.ask(query, ticket_class, proven=place is not None)
        if self.rung.copy and not self.room.closed(ticket_class):
            return self._copy(conversation)
        asked = self.room.ask(
            conversation, listener, ticket_class, place, network=network_of(source_of(source)), now_ms=now_ms
        )
        match asked:
            case LetIn():
                asked_ms = now_ms if place is None else place.asked_ms
                if place is not None:
                    self.demand.let_in(now_ms - asked_ms)
                return self._admitted(channel, listener, ticket_class, now_ms, asked_ms=asked_ms)
            case Wait():
                return self._wait(channel, asked, now_ms)
            case _:
                assert_never(asked)

    def _signed(self, channel: Channel, request: Request, reply: Reply, now_ms: int) -> Reply:
        """The answer to a join with what it says, signed by us: whoever asked can show it to others."""
        nonce = request.query["receipt"]
        if self.receipts is None or NONCE.fullmatch(nonce) is None:
            return reply
        outcome = (
            json.loads(reply.body).get("status", "") if reply.status is HTTPStatus.OK else str(reply.status.value)
        )
        signed = self.receipts.joined(outcome, nonce, channel.record.id, now_ms=now_ms)
        headers = () if signed is None else (("Rostra-Receipt", signed), _SHOWN)
        return msgspec.structs.replace(reply, headers=(*reply.headers, *headers))

    def _receive(self, receipts: Receipts, channel: Channel, request: Request, now_ms: int) -> Reply:
        """A listener's own word of a minute; the answer is our signature that it will be in the ledger."""
        try:
            text = urlsafe_b64decode(request.query.get("receipt", "").encode())
            promise = receipts.take(channel.record.id, text, now_ms=now_ms)
        except (FlawError, ValueError):
            return self.refuse(request, NO_RECEIPT)
        return self.refuse(request, RECEIPTS_FULL) if promise is None else json_reply(promise, _FRESH)

    def _is_revoked(self, ticket: Ticket, now_s: int) -> bool:
        return self.revoked.get(ticket.conversation, _NONE).get(ticket.listener.hex(), 0) > now_s

    def _wait(self, channel: Channel, wait: Wait, now_ms: int) -> dict[str, Any]:
        self.demand.waits += 1
        return {
            "status": "waiting",
            "place": sign_place(wait.place, keys=self.keys),
            "number": wait.number,
            "waiting": wait.waiting,
            "wait_s": None if wait.wait_s is None else round(wait.wait_s),
            "again_s": round(wait.again_s, 1),
            "reason": "closed" if self.room.closed(wait.place.ticket_class) else "full",
            "conversation": channel.state(now_ms=now_ms),
            "now_ms": now_ms,
        }

    def _copy(self, conversation: str) -> dict[str, Any]:
        """Where the programme can be heard from a CDN, some seconds later."""
        self.demand.copies += 1
        files = {f"live.{kind}": RENDITIONS[name].mime for kind, name in _COPIES.items()}
        sources = [
            {"url": f"{self.copy_url}/c/{conversation}/{name}", "mime": mime} for name, mime in files.items()
        ]
        return {"status": "copy", "sources": sources}

    def _admitted(
        self, channel: Channel, listener: bytes, ticket_class: TicketClass, now_ms: int, *, asked_ms: int
    ) -> dict[str, Any]:
        """A ticket that outlasts any conversation."""
        self.joins += 1
        conversation, now_s, cap_kbps = channel.record.id, now_ms // 1_000, self.rung.cap_kbps
        ticket = Ticket(conversation, listener, ticket_class, now_s, now_s + LIFETIME_S, cap_kbps, asked_ms)
        offered = channel.init.media if channel.init is not None else RENDITIONS
        return {
            "status": "admitted",
            "ticket": sign(ticket, keys=self.keys),
            "stream": f"/c/{conversation}/stream",
            "alternates": self.alternates,
            "renditions": [
                {"name": rendition.name, "mime": rendition.mime, "bps": rendition.bitrate_bps}
                for rendition in renditions_within(cap_kbps, offered)
            ],
            "cadence_ms": self.rung.cadence * CHUNK_MS,
            "now_ms": now_ms,
        }

    def _stream(self, channel: Channel, request: Request, date: str, now_ms: int) -> Reply | Listen:
        conversation = channel.record.id
        text = request.query.get("ticket", "")
        ticket = verify(text, conversation=conversation, keys=self.keys, now_s=now_ms // 1_000)
        if ticket is None:
            is_old = verify(text, conversation=conversation, keys=self.keys, now_s=0) is not None
            self.demand.tickets["expired" if is_old else "forged" if text else "none"] += 1
            return self.refuse(
                request, msgspec.structs.replace(NO_TICKET, strike=Strike.FORGED_TICKET if text else None)
            )
        if self._is_revoked(ticket, now_ms // 1_000):
            self.demand.tickets["withdrawn"] += 1
            return self.refuse(request, REVOKED)
        self.demand.tickets["valid"] += 1
        streams = len(self.streams.of(ticket.listener)) + self.room.fleet.streams(ticket.listener)
        if streams >= STREAMS_PER_LISTENER_MAX:
            return self.refuse(request, SHARED)
        from_seq = whole_number(request.query, "from", digits=10)
        rendition = request.query.get("rendition", next(iter(RENDITIONS)))
        if rendition in RENDITIONS and not is_within(ticket.cap_kbps, RENDITIONS[rendition]):
            return self.refuse(request, CAPPED)
        return self._listen_to(channel, request, rendition, from_seq, date, now_ms, ticket=ticket)

    def _file(self, channel: Channel, request: Request, date: str, now_ms: int) -> Reply | Listen:
        refused = unfit(self.pressure())
        if refused is not None:
            return self.refuse(request, refused)
        container = _STREAM_FILES[request.path.rpartition("/")[2]]
        fitting = [name for name in RENDITIONS if name.startswith(f"{container}-")]
        allowed = renditions_within(self.rung.cap_kbps, fitting)
        rendition = request.query.get("rendition", allowed[0].name)
        if rendition not in fitting:
            return self._not_found(request)
        return self._listen_to(channel, request, rendition, None, date, now_ms, ticket=None)

    def _listen_to(
        self,
        channel: Channel,
        request: Request,
        rendition: str,
        from_seq: int | None,
        date: str,
        now_ms: int,
        *,
        ticket: Ticket | None,
    ) -> Reply | Listen:
        framed = ticket is not None
        if channel.ended or channel.record.state in OVER or not channel.on_air:
            return self.refuse(request, silent(channel.record.state, ended=channel.ended))
        assert channel.init is not None
        assert channel.ring.newest is not None
        if rendition not in channel.init.media or rendition not in RENDITIONS:
            return self._not_found(request)
        if request.method == "HEAD":
            content_type = CONTENT_TYPE if framed else RENDITIONS[rendition].mime
            return Reply(HTTPStatus.OK, content_type, b"", CROSS_ORIGIN, endless=True)
        if ticket is None:
            self.demand.first[TicketClass.ANONYMOUS] += 1
            if not self.room.plain(now_ms):
                return self.refuse(request, FULL)
            self.demand.plain += 1
            self.demand.sound[0] += 1  # asked for and given in one request
        else:
            self.room.opened(ticket.listener)
            if from_seq is None:
                self.demand.hear(ticket, now_ms)
            else:
                self.demand.resume(ticket.listener, request.query)
        lane = channel.lane(rendition, framed=framed)
        first = channel.resumption(from_seq)
        group = lane.cohort.place(newest=channel.ring.newest, from_seq=first, cadence=_cadence_of(request))
        opening, position = channel.opening(lane, group, from_seq=first, date=date, now_ms=now_ms)
        return Listen(lane, group, opening, position, b"" if ticket is None else ticket.listener)

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
        return self.refuse(request, NOT_FOUND)

    def _reading(self, request: Request) -> Reply | None:
        return None if request.method in ("GET", "HEAD") else self._only(request, "GET", "HEAD")

    def _only(self, request: Request, *methods: str) -> Reply | None:
        if request.method in methods:
            return None
        if request.method == "OPTIONS":
            return Reply(HTTPStatus.NO_CONTENT, "", b"", (*_PREFLIGHT, ("Allow", ", ".join(methods))))
        reply = self.refuse(request, not_allowed(methods))
        allow = ("Allow", ", ".join(methods))
        return Reply(reply.status, reply.content_type, reply.body, [*reply.headers, allow])


def _cadence_of(request: Request) -> int | None:
    """The cadence that somebody who resumes has a buffer for, in chunks."""
    return _CADENCES.get(request.query.get("cadence_ms", ""))
