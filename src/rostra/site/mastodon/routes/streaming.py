"""Streams over the API: Server-Sent Events, and one WebSocket for any number of them."""

import asyncio
from contextlib import suppress
from http import HTTPStatus
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Request, WebSocket, WebSocketDisconnect
from sqlalchemy import select
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocketState

from rostra.site.answers import RefusedError, not_found
from rostra.site.app import TheSite
from rostra.site.database.tables.graph import List
from rostra.site.envelope import count_asking
from rostra.site.mastodon.body import Asked, asks
from rostra.site.oauth.bearer import Viewer, find_bearer
from rostra.site.oauth.scopes import allows
from rostra.site.streaming.streams import NAMES, Listener, Stream, Streams, Unknown, stream_of
from rostra.site.work import Site

router = APIRouter(prefix="/api/v1/streaming", tags=["streaming"])
_THUMP_S: Final = 15.0  # proxies close what is silent for a minute
_TOO_MANY: Final = "Too many streams"


@router.get("/health", response_class=PlainTextResponse)
async def health() -> PlainTextResponse:
    return PlainTextResponse("OK")


@router.get("", responses={200: {"content": {"text/event-stream": {}}}})
@router.get("/{path:path}", responses={200: {"content": {"text/event-stream": {}}}})
async def listen(
    request: Request,
    site: TheSite,
    asked: Annotated[Asked, asks(stream=str, only_media=bool, tag=str, list=str)],
    path: str = "",
) -> Response:
    viewer = await _viewer(site, request)
    name = path.strip("/").replace("/", ":") or asked.text("stream")
    if name.startswith("public") and asked.flag("only_media"):
        name += ":media"
    stream = stream_of(name, viewer.account_id, tag=asked.text("tag"), list_id=asked.text("list"))
    if isinstance(stream, Unknown):
        status = HTTPStatus.NOT_FOUND if name not in NAMES else HTTPStatus.BAD_REQUEST
        raise RefusedError(status, stream.message)
    await _check(site, viewer, stream)
    listener = _opened(site, viewer)
    if listener is None:
        raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS, _TOO_MANY)
    site.streams.subscribe(listener, stream)
    return EventStream(site.streams, listener)


class EventStream(Response):
    """Server-Sent Events until the client goes or the listener is closed."""

    def __init__(self, streams: Streams, listener: Listener) -> None:
        super().__init__(media_type="text/event-stream", headers={"Cache-Control": "private, no-store"})
        del self.headers["content-length"]
        self.headers["X-Accel-Buffering"] = "no"  # nginx would hold events back
        self._streams = streams
        self._listener = listener

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 # ASGI's signature
        try:
            async with asyncio.TaskGroup() as tasks:
                gone = tasks.create_task(self._wait_until_gone(receive), name="client")
                await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
                await self._write(send)
                gone.cancel()
        finally:
            self._streams.close(self._listener)

    async def _write(self, send: Send) -> None:
        await send({"type": "http.response.body", "body": b":)\n", "more_body": True})
        while True:
            try:
                found = await asyncio.wait_for(self._listener.next(), _THUMP_S)
            except TimeoutError:
                body = b":thump\n"
            else:
                if found is None:
                    break
                body = found[1].sse
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _wait_until_gone(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            continue
        self._listener.close()


@router.websocket("")
async def converse(socket: WebSocket) -> None:
    site: Site = socket.app.state.site
    offered = socket.headers.get("sec-websocket-protocol", "")
    try:
        count_asking(socket)
        viewer = await _viewer(site, socket)
    except RefusedError as refused:
        answer = Response(orjson.dumps({"error": refused.message}), refused.status, media_type="application/json")
        await socket.send_denial_response(answer)
        return
    listener = _opened(site, viewer)
    if listener is None:
        await socket.send_denial_response(Response(_TOO_MANY, HTTPStatus.TOO_MANY_REQUESTS))
        return
    try:
        await socket.accept(subprotocol=offered.partition(",")[0].strip() or None)
        with suppress(WebSocketDisconnect):
            async with asyncio.TaskGroup() as tasks:
                reading = tasks.create_task(_read(site, socket, viewer, listener), name="client")
                await _write(socket, listener)
                reading.cancel()
    finally:
        site.streams.close(listener)


async def _write(socket: WebSocket, listener: Listener) -> None:
    while (found := await listener.next()) is not None:
        await socket.send_text(found[1].message(found[0]))
    if socket.client_state == WebSocketState.CONNECTED:
        await socket.close()


def _opened(site: Site, viewer: Viewer) -> Listener | None:
    assert viewer.token_id is not None, "Streams are opened with a token."
    return site.streams.open(viewer.account_id, viewer.token_id)


async def _read(site: Site, socket: WebSocket, viewer: Viewer, listener: Listener) -> None:
    """Do what the client asks: at first in its address, then message by message."""
    asked = dict(socket.query_params)
    if asked.get("stream"):
        await _obey(site, socket, viewer, listener, {**asked, "type": "subscribe"})
    while (received := await socket.receive())["type"] != "websocket.disconnect":
        message = _parsed(received.get("text") or "")
        if message is None:
            await _complain(socket, "Invalid message")
        else:
            await _obey(site, socket, viewer, listener, message)
    listener.close()


async def _obey(site: Site, socket: WebSocket, viewer: Viewer, listener: Listener, message: dict[str, Any]) -> None:
    name, tag, list_id = (str(message.get(key) or "") for key in ("stream", "tag", "list"))
    stream = stream_of(name, viewer.account_id, tag=tag, list_id=list_id)
    if isinstance(stream, Unknown):
        await _complain(socket, stream.message)
        return
    match message.get("type"):
        case "subscribe":
            try:
                await _check(site, viewer, stream)
            except RefusedError as refused:
                await _complain(socket, refused.message, refused.status)
                return
            if not site.streams.subscribe(listener, stream):
                await _complain(socket, _TOO_MANY, HTTPStatus.TOO_MANY_REQUESTS)
        case "unsubscribe":
            site.streams.unsubscribe(listener, stream)
        case _:
            await _complain(socket, "Unknown message type")


async def _complain(socket: WebSocket, message: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
    await socket.send_text(orjson.dumps({"error": message, "status": status}).decode())


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return message if isinstance(message, dict) else None


async def _viewer(site: Site, connection: HTTPConnection) -> Viewer:
    """Who asks: by header, `?access_token=`, or the subprotocol, as the clients of browsers do."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        token = connection.query_params.get("access_token", "")
    if not token:
        token = connection.headers.get("sec-websocket-protocol", "").partition(",")[0]
    if not token.strip():
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "Missing access token")
    async with site.reading() as work:
        bearer = await find_bearer(work, token.strip())
    if bearer is None or bearer.viewer is None:
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "Invalid access token")
    return bearer.viewer


async def _check(site: Site, viewer: Viewer, stream: Stream) -> None:
    """RefusedError unless the token's scopes go so far and the list is one's own."""
    if not allows(viewer.scopes, NAMES[stream.name]):
        raise RefusedError(HTTPStatus.UNAUTHORIZED, "Access token does not have the required scopes")
    if stream.name == "list":
        async with site.reading() as work:
            owner = await work.session.scalar(select(List.account_id).where(List.id == int(stream.argument)))
        if owner != viewer.account_id:
            raise not_found()
