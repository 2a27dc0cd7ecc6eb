"""Whoever leaves the bus leaves no connection behind, whatever the server does; and is heard in order till then."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

import pytest

from rostra.bus.connection import Address, connect
from rostra.bus.subjects import Role

INFO = b'INFO {"server_id":"S","version":"2.12.0","max_payload":1048576,"headers":true}\r\n'
TURNS = 12  # of the loop, from a connection's being there until the client goes on


class Server:
    """A NATS server that greets the first connection, and does with each later one what it is told."""

    def __init__(self, later: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> None:
        self.later = later
        self.count = 0
        self.open = 0
        self.heard: list[bytes] = []
        self._first: asyncio.StreamWriter | None = None

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.count += 1
        self.open += 1
        try:
            if self.count == 1:
                self._first = writer
                writer.write(INFO)
            else:
                await self.later(writer)
            while line := await reader.readline():
                self.heard.append(line.split()[0])
                if line.startswith(b"PING"):
                    writer.write(b"PONG\r\n")
        except ConnectionError:
            pass
        finally:
            self.open -= 1
            writer.close()

    def say(self, lines: bytes) -> None:
        """To the first connection."""
        assert self._first is not None
        self._first.write(lines)

    def drop(self) -> None:
        """The first connection breaks."""
        assert self._first is not None
        self._first.transport.abort()


@asynccontextmanager
async def serving(
    later: Callable[[asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[tuple[Server, Address]]:
    server = Server(later)
    listening = await asyncio.start_server(server.accept, "127.0.0.1", 0)
    host, port = listening.sockets[0].getsockname()
    async with listening:
        yield server, Address((f"nats://{host}:{port}",), None)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 # what is waited for is another's
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("turns", range(TURNS))
def test_who_leaves_while_it_connects_anew_does_not_go_on_with_it(turns: int) -> None:
    async def test() -> None:
        leave = asyncio.Event()

        async def hold(_: asyncio.StreamWriter) -> None:
            for _turn in range(turns):
                await asyncio.sleep(0)
            leave.set()

        async with serving(hold) as (server, address):
            async with connect(address, role=Role.EDGE, name="test"):
                server.drop()
                await leave.wait()
            await until(lambda: server.open == 0)
            count = server.count
            await asyncio.sleep(0.2)  # three attempts
            assert server.count == count

    asyncio.run(test())


def test_who_has_flushed_has_been_heard() -> None:
    async def test() -> None:
        async def hang_up(writer: asyncio.StreamWriter) -> None:
            writer.close()

        async with (
            serving(hang_up) as (server, address),
            connect(address, role=Role.EDGE, name="test") as connection,
            connection.notified("news"),
        ):
            await connection.client.flush()
            assert server.heard[-2:] == [b"SUB", b"PING"]

    asyncio.run(test())


def test_after_a_stall_what_came_first_is_taken_first_whatever_it_came_on() -> None:
    async def test() -> None:
        async def hang_up(writer: asyncio.StreamWriter) -> None:
            writer.close()

        async with (
            serving(hang_up) as (server, address),
            connect(address, role=Role.EDGE, name="test") as connection,
            asyncio.TaskGroup() as tasks,
        ):
            heard = 0

            async def gather() -> None:
                nonlocal heard
                async with aclosing(connection.subscribe("seats")) as seats:
                    async for _ in seats:
                        heard += 1

            async def follow() -> None:
                async with aclosing(connection.subscribe("chunks")) as chunks:
                    for count in range(1, 11):
                        await anext(chunks)
                        await asyncio.sleep(0)
                        assert heard >= 5 * count

            gathering = tasks.create_task(gather())
            following = tasks.create_task(follow())
            await until(lambda: server.heard.count(b"SUB") == 2)
            server.say((b"MSG seats 1 4\r\nsaid\r\n" * 5 + b"MSG chunks 2 4\r\nsaid\r\n") * 10)
            await following
            gathering.cancel()

    asyncio.run(test())


def test_a_server_that_hangs_up_before_it_greets_leaves_no_connection_open() -> None:
    async def test() -> None:
        async def hang_up(writer: asyncio.StreamWriter) -> None:
            writer.close()

        async with serving(hang_up) as (server, address):
            async with connect(address, role=Role.EDGE, name="test"):
                server.drop()
                await until(lambda: server.count > 3)
            await until(lambda: server.open == 0)

    asyncio.run(test())
    gc.collect()  # what is open still warns, and a warning is an error here
