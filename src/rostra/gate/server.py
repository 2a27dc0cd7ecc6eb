"""The gate's HTTP surface: the stage page, WHIP (RFC 9725), the state of the stage as it changes, acts on it."""

import asyncio
import json
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from rostra.audio.frame import Samples
from rostra.audio.voice import Sound
from rostra.bus.connection import Connection
from rostra.bus.state import follow_conversations, invitation_key
from rostra.bus.telemetry import follow_reports, publish_report
from rostra.core.conversation import is_over
from rostra.core.errors import BadInputError, BusError, ConflictError, RostraError
from rostra.core.invitation import Invitation, sign, verify
from rostra.core.limits import GATE_BODY_BYTES_MAX, GATE_CONVERSATIONS_MAX, GATE_ECHOES_MAX, GATE_WATCHERS_MAX
from rostra.core.messages import GateReport
from rostra.core.records import from_record
from rostra.core.roster import Declined
from rostra.evidence.testimony import Silence
from rostra.gate.callers import Callers
from rostra.gate.desk import DONE, Desk, Session, parse_asked
from rostra.gate.echo import echo
from rostra.gate.pages import Pages
from rostra.gate.peer import Peer
from rostra.gate.sdp import read_fragment
from rostra.gate.telephone import TelephoneSettings, run_telephone
from rostra.gate.transport import Transport
from rostra.verifier.canonical import Json
from rostra.web.front import Front
from rostra.web.serving import Server

_log = structlog.get_logger()
_SDP: Final = "application/sdp"
_FRAGMENT: Final = "application/trickle-ice-sdpfrag"
_LOOK_S: Final = 0.2  # who speaks changes no faster for an eye
_LOOK_FROM_BELOW_S: Final = 1.0  # thousands may have a hand up
_KEEP_ALIVE_S: Final = 2.0  # a page that has heard nothing for twice this looks for another gate
_STRANGER_S: Final = 6 * 3600  # who asks to speak without an invitation comes for this evening


class _Refused(Exception):  # noqa: N818 # an answer, not an error
    """An answer that is a problem (RFC 9457). Caught by `problem`, which sends it."""

    def __init__(self, status: HTTPStatus, detail: str, **headers: str) -> None:
        self.status = status
        self.detail = detail
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Gate:
    """Desks of every conversation that is not over, and the answers to what people ask of them."""

    def __init__(
        self, connection: Connection, *, name: str, url: str, urls: list[str], key: bytes, transport: Transport
    ) -> None:
        self.desks: dict[str, Desk] = {}
        self._connection = connection
        self._name = name
        self._url = url
        self._urls = urls
        self._key = key
        self._transport = transport
        self._pages = Pages()
        self._echoes = 0
        self._watchers = 0
        self._tasks = asyncio.TaskGroup()
        self._done: Counter[str] = Counter()  # at desks that are gone

    # --- what runs beside the answers -------------------------------------------------------------------

    async def run(self) -> None:
        """Open a desk for each conversation, until cancelled."""
        async with self._tasks as tasks:
            tasks.create_task(self._report(), name="reports")
            tasks.create_task(self._listen_to_gates(), name="gates")
            open_desks: dict[str, asyncio.Task[None]] = {}
            async with aclosing(follow_conversations(self._connection)) as records:
                async for record in records:
                    conversation = from_record(record)
                    desk = self.desks.get(conversation.id)
                    if desk is not None:
                        desk.conversation = conversation
                    if is_over(conversation.state):
                        if desk is not None:
                            self._done += self.desks.pop(conversation.id).done()
                        if (closing := open_desks.pop(conversation.id, None)) is not None:
                            closing.cancel()
                    elif desk is None and len(self.desks) < GATE_CONVERSATIONS_MAX:
                        desk = self.desks[conversation.id] = Desk(self._connection, conversation, self._transport)
                        open_desks[conversation.id] = tasks.create_task(desk.run(), name=f"desk {conversation.id}")

    def account(self) -> dict[str, Json]:
        """For evidence."""
        done = sum((desk.done() for desk in self.desks.values()), self._done)
        return {"did": {name: done[name] for name in DONE}}

    async def _report(self) -> None:
        while True:
            await publish_report(
                self._connection,
                GateReport(
                    gate=self._name,
                    url=self._url,
                    at_ns=time.time_ns(),
                    connected={desk.conversation.id: desk.connected for desk in self.desks.values()},
                    frames_late=sum(desk.room.frames_late for desk in self.desks.values()),
                ),
            )
            await asyncio.sleep(1)

    async def _listen_to_gates(self) -> None:
        async with aclosing(follow_reports(self._connection, "gate")) as reports:
            async for report in reports:
                if isinstance(report, GateReport):
                    for conversation, persons in report.connected.items():
                        if (desk := self.desks.get(conversation)) is not None:
                            desk.heard_of(persons)

    # --- pages ------------------------------------------------------------------------------------------

    async def page(self, request: Request) -> Response:
        desk = self._desk(request)
        schedule = desk.conversation.schedule
        return self._pages.stage(
            {
                "id": desk.conversation.id,
                "title": schedule.title,
                "language": schedule.language,
                "gates": self._urls,
            }
        )

    async def asset(self, request: Request) -> Response:
        found = self._pages.asset(request.path_params["name"], request.query_params.get("v"))
        if found is None:
            raise _Refused(HTTPStatus.NOT_FOUND, "There is no such file.")
        return found

    # --- WHIP -------------------------------------------------------------------------------------------

    async def offer(self, request: Request) -> Response:
        desk, invitation = self._desk(request), self._invitation(request)
        name = request.query_params.get("name", "Encoder")
        try:
            sound = Sound(request.query_params.get("sound", Sound.RAW))
        except ValueError as error:
            raise BadInputError(f"`sound` is one of {', '.join(Sound)}.") from error
        admitted = await desk.admit(invitation, name, await _body(request, _SDP), sound=sound)
        if isinstance(admitted, Declined):
            raise _Refused(HTTPStatus.FORBIDDEN, admitted.reason)
        session, answer = admitted
        location = f"{self._url}/whip/{desk.conversation.id}/{session.id}"
        return self._created(answer, {"Location": location, "ETag": session.etag})

    def _created(self, answer: str, headers: dict[str, str]) -> Response:
        created = Response(answer, HTTPStatus.CREATED, headers, media_type=_SDP)
        for server in self._transport.servers(now_s=int(time.time())):
            created.headers.append("Link", server.link)
        return created

    async def trickle(self, request: Request) -> Response:
        _, session = self._session(request)
        fragment = read_fragment(await _body(request, _FRAGMENT))
        expected = request.headers.get("If-Match")
        if expected is None:
            raise _Refused(HTTPStatus.PRECONDITION_REQUIRED, "Send If-Match with the session's ETag (RFC 9725).")
        if session.peer.restarts(fragment.ufrag):
            raise _Refused(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "ICE cannot be restarted here: begin a new session, the seat is kept.",
            )
        if expected != session.etag:
            raise _Refused(HTTPStatus.PRECONDITION_FAILED, "This session has another ETag.")
        await session.peer.add_candidates(list(fragment.candidates))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def hang_up(self, request: Request) -> Response:
        desk, session = self._session(request)
        desk.end(session)
        return Response(status_code=HTTPStatus.OK)

    async def options(self, request: Request) -> Response:
        self._desk(request)
        return Response(status_code=HTTPStatus.NO_CONTENT, headers={"Accept-Post": _SDP})

    async def echo(self, request: Request) -> Response:
        """Pre-flight: a session that hears itself, so that a page can measure the way there and back."""
        self._desk(request)
        self._invitation(request)
        if self._echoes >= GATE_ECHOES_MAX:
            raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Many people test their sound now.", Retry_After="10")
        peer = Peer(self._transport)
        try:
            answer = await peer.accept(await _body(request, _SDP))
        except (BadInputError, _Refused):
            await peer.close()
            raise
        self._tasks.create_task(self._echo(peer), name="echo")
        return self._created(answer, {})

    async def _echo(self, peer: Peer) -> None:
        self._echoes += 1
        try:
            await echo(peer)
        finally:
            self._echoes -= 1
            await peer.close()

    # --- the stage --------------------------------------------------------------------------------------

    async def state(self, request: Request) -> Response:
        """The stage as the holder of the invitation sees it: a line of JSON now and after each change."""
        desk, invitation = self._desk(request), self._invitation(request)
        if self._watchers >= GATE_WATCHERS_MAX:
            raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE, "Too many people look at stages here.", Retry_After="5")
        return StreamingResponse(
            self._views(desk, invitation.person),
            media_type="application/x-ndjson",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    async def _views(self, desk: Desk, person: str) -> AsyncIterator[bytes]:
        self._watchers += 1
        try:
            told: dict[str, Any] | None = None
            told_s = 0.0
            while self.desks.get(desk.conversation.id) is desk:
                view = desk.view(person)
                if view != told or time.monotonic() - told_s > _KEEP_ALIVE_S:
                    told, told_s = view, time.monotonic()
                    yield json.dumps(view | {"now_ms": time.time_ns() // 1_000_000}).encode() + b"\n"
                number = desk.log.number
                try:
                    look_s = _LOOK_S if view["role"] is not None else _LOOK_FROM_BELOW_S
                    async with asyncio.timeout(look_s):
                        await desk.log.beyond(number)
                except TimeoutError:
                    continue
            yield json.dumps(desk.view(person) | {"over": True}).encode() + b"\n"
        finally:
            self._watchers -= 1

    async def act(self, request: Request) -> Response:
        desk, invitation = self._desk(request), self._invitation(request)
        asked = parse_asked((await _body(request, "application/json")).encode())
        declined = await desk.do(invitation.person, asked.act, why=asked.why)
        if declined is not None:
            raise _Refused(HTTPStatus.CONFLICT, declined.reason)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    async def stranger(self, request: Request) -> Response:
        """An invitation for somebody who has none: it lets its holder raise a hand."""
        desk = self._desk(request)
        invitation = Invitation(
            desk.conversation.id, secrets.token_hex(8), None, expires_s=int(time.time()) + _STRANGER_S
        )
        return _json({"token": sign(invitation, key=self._key)}, HTTPStatus.CREATED)

    # --- what all need ----------------------------------------------------------------------------------

    def _desk(self, request: Request) -> Desk:
        desk = self.desks.get(request.path_params["conversation"])
        if desk is None:
            raise _Refused(HTTPStatus.NOT_FOUND, "There is no such conversation, or it is over.")
        return desk

    def _invitation(self, request: Request) -> Invitation:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        found = None
        if scheme.lower() == "bearer":
            conversation = request.path_params["conversation"]
            found = verify(token.strip(), conversation=conversation, key=self._key, now_s=int(time.time()))
        if found is None:
            raise _Refused(
                HTTPStatus.UNAUTHORIZED,
                "This needs the invitation of this conversation as a bearer token, and it must not have expired.",
                WWW_Authenticate="Bearer",
            )
        return found

    def _session(self, request: Request) -> tuple[Desk, Session]:
        desk, invitation = self._desk(request), self._invitation(request)
        session = desk.sessions.get(request.path_params["session"])
        if session is None or session.person != invitation.person:
            raise _Refused(HTTPStatus.NOT_FOUND, "There is no such session: it has ended.")
        return desk, session

    @property
    def application(self) -> Starlette:
        whip = "/whip/{conversation}"
        return Starlette(
            routes=[
                Route("/stage/{conversation}", self.page, methods=["GET"]),
                Route("/stage/{conversation}/state", self.state, methods=["GET"]),
                Route("/stage/{conversation}/acts", self.act, methods=["POST"]),
                Route("/stage/{conversation}/strangers", self.stranger, methods=["POST"]),
                Route("/stage/{conversation}/echo", self.echo, methods=["POST"]),
                Route(whip, self.offer, methods=["POST"]),
                Route(whip, self.options, methods=["OPTIONS"]),
                Route(whip + "/{session}", self.trickle, methods=["PATCH"]),
                Route(whip + "/{session}", self.hang_up, methods=["DELETE"]),
                Route("/assets/{name}", self.asset, methods=["GET"]),
            ],
            middleware=[
                Middleware(
                    CORSMiddleware,
                    allow_origins=["*"],
                    allow_methods=["GET", "POST", "PATCH", "DELETE"],
                    allow_headers=["Authorization", "Content-Type", "If-Match"],
                    expose_headers=["Location", "ETag", "Link", "Accept-Post"],
                    max_age=3600,
                )
            ],
            exception_handlers={
                _Refused: problem,
                BadInputError: problem,
                ConflictError: problem,
                BusError: problem,
                404: problem,
                405: problem,
            },
        )


async def problem(_: Request, error: Exception) -> Response:
    """Problem details (RFC 9457) for whatever could not be done."""
    headers: dict[str, str] = {}
    match error:
        case _Refused(status=status, detail=detail, headers=headers):
            pass
        case ConflictError():
            status, detail = HTTPStatus.CONFLICT, str(error)
        case BusError():
            status, detail = HTTPStatus.SERVICE_UNAVAILABLE, "The bus is away for a moment: try again."
            headers = {"Retry-After": "1"}
        case RostraError():
            status, detail = HTTPStatus.BAD_REQUEST, str(error)
        case _:
            status = HTTPStatus(getattr(error, "status_code", 500))
            detail, headers = status.description, dict(getattr(error, "headers", None) or {})
    return _json(
        {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail},
        status,
        headers,
        media_type="application/problem+json",
    )


def _json(
    value: object,
    status: HTTPStatus,
    headers: dict[str, str] | None = None,
    *,
    media_type: str = "application/json",
) -> Response:
    return Response(json.dumps(value), status, headers, media_type=media_type)


async def _body(request: Request, media_type: str) -> str:
    """The body as text, if it is of `media_type` and no longer than what we read."""
    if request.headers.get("Content-Type", "").partition(";")[0].strip().lower() != media_type:
        raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Send {media_type}.")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > GATE_BODY_BYTES_MAX:
            raise _Refused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"Nothing here is longer than {GATE_BODY_BYTES_MAX} bytes."
            )
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise BadInputError("This is no UTF-8.") from error


@dataclass(frozen=True, slots=True)
class Telephone:
    """Where a gate takes calls, and what callers hear while they wait (mono, 48 kHz)."""

    settings: TelephoneSettings
    music: Samples


async def run(
    connection: Connection,
    *,
    name: str,
    host: str,
    port: int,
    url: str,
    urls: list[str],
    transport: Transport,
    telephone: Telephone | None = None,
    front: Front | None = None,
    testimony: Silence | None = None,
) -> None:
    """Serve until cancelled; `telephone` if people may dial in here."""
    key = await invitation_key(connection)
    gate = Gate(connection, name=name, url=url, urls=urls, key=key, transport=transport)
    (testimony or Silence()).figures = gate.account
    server = Server(
        uvicorn.Config(
            gate.application,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=1,
            http=(front or Front(body_bytes_max=GATE_BODY_BYTES_MAX)).protocol(),
            proxy_headers=False,  # `Front` knows whom to believe
        )
    )
    _log.info("gate.start", gate=name, port=port)
    async with asyncio.TaskGroup() as tasks:
        working = [tasks.create_task(gate.run(), name="gate")]
        if telephone is not None:
            calls = run_telephone(telephone.settings, Callers(gate.desks, key=key), music=telephone.music)
            working.append(tasks.create_task(calls, name="telephone"))
        await server.serve()
        for task in working:
            task.cancel()
