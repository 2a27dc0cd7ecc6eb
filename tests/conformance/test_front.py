"""What stands before site, gate and recordings: whoever sends too much, too slowly or too often."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from rostra.core.limits import REQUEST_DEADLINE_S, SITE_HEADER_BYTES_MAX
from rostra.core.prefixes import Prefixes
from rostra.core.shield import Ban, Shield
from rostra.web.front import Front

HEAD = b"POST /echo HTTP/1.1\r\nHost: x\r\n"


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Tells who asked, and how long the body was."""
    length, more = 0, True
    while more:
        message = await receive()
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    body = json.dumps([scope["client"][0], scope["scheme"], length]).encode()
    start = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]}
    await send(start)
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving(front: Front) -> AsyncIterator[int]:
    config = uvicorn.Config(
        echo, http=front.protocol(), proxy_headers=False, lifespan="off", port=0, log_config=None, ws="none"
    )
    server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as tasks:
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup()
        running = tasks.create_task(server.main_loop(), name="uvicorn")
        try:
            yield server.servers[0].sockets[0].getsockname()[1]
        finally:
            server.should_exit = True
            await running
            await server.shutdown()


async def ask(port: int, *pieces: bytes, source: str = "127.0.0.1", pause_s: float = 0.0) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    try:
        for piece in pieces:
            writer.write(piece)
            await asyncio.sleep(pause_s)
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return int(head.split()[1]), await reader.readexactly(int(length.split(b":")[1]))
    finally:
        writer.transport.abort()


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(40):
            await scenario()

    asyncio.run(bounded())


def test_bodies_and_headers_have_a_bound_whatever_they_say_of_themselves() -> None:
    async def scenario() -> None:
        async with serving(Front(body_bytes_max=1_000)) as port:
            assert await ask(port, HEAD + b"Content-Length: 1000\r\n\r\n" + bytes(1_000)) == (
                200,
                b'["127.0.0.1", "http", 1000]',
            )
            assert (await ask(port, HEAD + b"Content-Length: 1001\r\n\r\n"))[0] == 413
            chunked = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
            assert (await ask(port, chunked, b"3E9\r\n" + bytes(1_001) + b"\r\n"))[0] == 413
            status, body = await ask(port, HEAD + b"X: " + b"x" * SITE_HEADER_BYTES_MAX)
            assert (status, json.loads(body)["status"]) == (431, 431)
            assert (await ask(port, b"\x16\x03\x01 nonsense\r\n\r\n"))[0] == 400

    play(scenario)


def test_who_does_not_finish_in_time_is_answered_and_closed() -> None:
    async def scenario() -> None:
        async with serving(Front()) as port:
            slow = [HEAD, *[b"X: y\r\n"] * 5]
            began_s = asyncio.get_running_loop().time()
            trickle = asyncio.wait_for(ask(port, HEAD + b"Content-Length: 60000\r\n\r\n", b"a"), 30)
            async with asyncio.TaskGroup() as tasks:
                headers = tasks.create_task(ask(port, *slow, pause_s=1.1), name="headers")
                body = tasks.create_task(trickle, name="body")
            assert (headers.result()[0], body.result()[0]) == (408, 408)
            assert asyncio.get_running_loop().time() - began_s < REQUEST_DEADLINE_S + 12

    play(scenario)


def test_a_source_has_a_budget_also_on_one_connection_and_a_banned_one_gets_nothing() -> None:
    async def scenario() -> None:
        shield = Shield()
        async with serving(Front(shield)) as port:
            request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.66.0.1", 0))
            statuses = []
            while 429 not in statuses:
                shield.share = 0.1
                writer.write(request)
                head = await reader.readuntil(b"\r\n\r\n")
                statuses.append(int(head.split()[1]))
                length = int(head.lower().split(b"content-length: ")[1].split()[0])
                await reader.readexactly(length)
            assert len(statuses) > 100
            writer.close()
            assert (await ask(port, request, source="127.66.0.1"))[0] == 429
            assert (await ask(port, request, source="127.77.0.1"))[0] == 200
            shield.hear(Ban("127.66.0.0/24", 60, "timeout"), asyncio.get_running_loop().time())
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await ask(port, request, source="127.66.0.2")

    play(scenario)


def test_more_connections_than_fit_are_told_when_to_come_again() -> None:
    async def scenario() -> None:
        async with serving(Front(connections_max=2)) as port:
            open_ = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
            status, body = await ask(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (status, json.loads(body)["retry_after_s"]) == (503, 5)
            for _, writer in open_:
                writer.close()

    play(scenario)


def test_a_trusted_proxy_says_who_asks_and_nobody_else_does() -> None:
    async def scenario() -> None:
        trusted = Prefixes(["127.0.0.1"])
        said = b"X-Forwarded-Proto: https\r\nX-Forwarded-For: 203.0.113.9, 192.0.2.7\r\n\r\n"
        forwarded = b"GET / HTTP/1.1\r\nHost: x\r\n" + said
        async with serving(Front(Shield(trusted), trusted)) as port:
            assert await ask(port, forwarded) == (200, b'["192.0.2.7", "https", 0]')
            assert await ask(port, forwarded, source="127.77.0.1") == (200, b'["127.77.0.1", "http", 0]')
            assert (await ask(port, b"GET / HTTP/1.1\r\nHost: x\r\nForwarded: for=me\r\n\r\n"))[0] == 400
        header = b"PROXY TCP4 192.0.2.7 127.0.0.1 4000 80\r\n"
        async with serving(Front(Shield(trusted), trusted, proxy_protocol=True)) as port:
            assert await ask(port, header + forwarded) == (200, b'["192.0.2.7", "http", 0]')
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await ask(port, forwarded)

    play(scenario)
