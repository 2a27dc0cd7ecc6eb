"""A real nats-server for the tests of whatever uses the bus."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from rostra.bus.connection import Address, Connection, connect
from rostra.bus.server import EmbeddedServer
from rostra.bus.subjects import Role
from rostra.core.errors import BusError


class Bus:
    """A nats-server that can be killed and started again on the same port and folder."""

    def __init__(self, server: EmbeddedServer, *, external: bool) -> None:
        self._server = server
        self._external = external
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._server.command(), stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def address(self, role: Role) -> Address:
        if self._external:  # one account that may do everything, as an operator's own cluster may give
            return Address(self._server.address(role).urls, None)
        return self._server.address(role)

    @asynccontextmanager
    async def connect(self, role: Role) -> AsyncIterator[Connection]:
        async with asyncio.timeout(20):
            while True:
                try:
                    async with connect(self.address(role), role=role, name=f"test {role}") as connection:
                        await connection.client.flush()
                        break
                except BusError:
                    await asyncio.sleep(0.02)
        async with connect(self.address(role), role=role, name=f"test {role}") as connection:
            yield connection


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await test()

    asyncio.run(bounded())
