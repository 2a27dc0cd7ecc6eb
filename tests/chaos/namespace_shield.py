"""Run in a network namespace of its own by test_shield_kernel.py: bans meet real packets."""

import asyncio
import socket
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from rostra.core.errors import RostraError
from rostra.core.messages import BanNotice
from rostra.core.prefixes import Prefixes
from rostra.shield.server import refused, run

BANNED_S = 3.0
SPARED = Prefixes(["127.88.0.1"])


async def reaches(port: int, source: str, *, within_s: float = 0.6) -> bool:
    host = "::1" if ":" in source else "127.0.0.1"
    try:
        async with asyncio.timeout(within_s):
            _, writer = await asyncio.open_connection(host, port, local_addr=(source, 0))
    except TimeoutError:
        return False
    writer.close()
    return True


async def eventually_refused(port: int, source: str) -> None:
    async with asyncio.timeout(5):
        while await reaches(port, source, within_s=0.2):
            pass


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError, asyncio.CancelledError):
        while data := await reader.read(100):
            writer.write(data)
    writer.close()


async def main() -> None:
    server = await asyncio.start_server(echo, ["127.0.0.1", "::1"], 8080)
    other = await asyncio.start_server(echo, "127.0.0.1", 8081)
    notices: asyncio.Queue[BanNotice] = asyncio.Queue()

    async def bans() -> AsyncIterator[BanNotice]:
        while True:
            yield await notices.get()

    def ban(prefix: str, seconds: float) -> None:
        until_ns = time.time_ns() + int(seconds * 1e9) if seconds else 0
        notices.put_nowait(BanNotice(prefix, until_ns, "timeout", "edge-1"))

    reader, writer = await asyncio.open_connection("127.0.0.1", 8080, local_addr=("127.66.0.1", 0))
    async with asyncio.TaskGroup() as tasks:
        working = tasks.create_task(run(bans, ports=[8080], spared=SPARED, every_s=0.05), name="shield")
        assert await reaches(8080, "127.66.0.1")
        began_s = time.monotonic()
        ban("127.66.0.1/32", BANNED_S)
        ban("127.67.0.0/24", 600)
        ban("127.88.0.0/24", 600)
        ban("::/64", 600)
        await eventually_refused(8080, "127.66.0.1")
        await eventually_refused(8080, "127.67.0.9")
        await eventually_refused(8080, "::1")
        assert await reaches(8081, "127.66.0.1"), "another port is none of its business"
        assert await reaches(8080, "127.66.0.2"), "neighbours of a banned address are not banned"
        assert await reaches(8080, "127.88.0.1"), "spared"
        writer.write(b"still here")
        assert await reader.read(100) == b"still here", "who is connected stays connected"
        assert await refused() > 0
        ban("127.67.0.0/24", 0)
        async with asyncio.timeout(5):
            while not await reaches(8080, "127.67.0.9"):
                pass
        async with asyncio.timeout(BANNED_S + 5):
            while not await reaches(8080, "127.66.0.1"):
                pass
        assert time.monotonic() - began_s > BANNED_S - 1, "the ban ended too early"
        working.cancel()
    with pytest.raises(RostraError, match="CAP_NET_ADMIN"):
        await refused()  # its table is gone
    writer.close()
    server.close()
    other.close()
    assert socket.if_nameindex() == [(1, "lo")], "not in a namespace"


if __name__ == "__main__":
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    asyncio.run(main())
