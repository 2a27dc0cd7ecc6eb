"""A whole edge on loopback with a bus in memory, for tests that meet it as strangers do."""

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from rostra.core.framing import EVENT, MEDIA, Frame, FrameReader
from rostra.core.keys import Key, KeyRing
from rostra.core.messages import BanNotice, Chunk, ConversationRecord, EdgeReport, Init
from rostra.edge.server import run

T = TypeVar("T")
NOW_NS = time.time_ns()
RECORD = ConversationRecord(
    id="evening",
    title="An evening at the forum",
    starts_ns=NOW_NS,
    doors_ns=NOW_NS,
    ends_ns=NOW_NS + 3_600 * 10**9,
    timezone="Europe/Rome",
    language="en",
    revision=0,
    state="live",
)


@dataclass
class Bus:
    """`Programmes` in memory, for any number of edges: what is said is kept and given to whoever follows."""

    connected_since: float | None = 0.0
    records: list[ConversationRecord] = field(default_factory=lambda: [RECORD])
    said: list[Chunk] = field(default_factory=list)
    reports: list[EdgeReport] = field(default_factory=list)
    notices: list[BanNotice] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def _wake(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    def say(self, count: int = 1, *, size_bytes: int = 400, last: bool = False) -> None:
        for _ in range(count):
            seq = len(self.said)
            media = {"webm-64": seq.to_bytes(4, "big") * (size_bytes // 4)}
            self.said.append(
                Chunk(
                    conversation="evening",
                    epoch=1,
                    seq=seq,
                    wall_ns=0,
                    state="live",
                    level_dbfs=-20.0,
                    media=media,
                    last=last,
                )
            )
        self._wake()

    def change(self, state: str) -> None:
        self.records.append(msgspec.structs.replace(RECORD, state=state))
        self._wake()

    async def _follow(self, told: list[T]) -> AsyncIterator[T]:
        at = 0
        while True:
            changed = self.changed
            while at < len(told):
                at += 1
                yield told[at - 1]
            await changed.wait()

    def conversations(self) -> AsyncIterator[ConversationRecord]:
        return self._follow(self.records)

    def chunks(self, conversation: str) -> AsyncIterator[Chunk]:
        assert conversation == "evening"
        return self._follow(self.said)

    def edge_reports(self) -> AsyncIterator[EdgeReport]:
        return self._follow(self.reports)

    async def init(self, conversation: str) -> Init:
        return Init(conversation=conversation, media={"webm-64": b"container head"})

    def bans(self) -> AsyncIterator[BanNotice]:
        return self._follow(self.notices)

    async def tell_ban(self, notice: BanNotice) -> None:
        self.notices.append(notice)
        self._wake()

    async def report(self, report: EdgeReport) -> None:
        self.reports.append(report)
        self._wake()


@dataclass
class Edge:
    port: int
    stop: asyncio.Event
    peers: "list[Peer]" = field(default_factory=list)

    async def connect(self, source: str = "127.0.0.1", *, tls: ssl.SSLContext | None = None) -> "Peer":
        """A connection from an address of the loopback net."""
        name = None if tls is None else "edge.test"
        self.peers.append(
            Peer(
                *await asyncio.open_connection(
                    "127.0.0.1", self.port, local_addr=(source, 0), ssl=tls, server_hostname=name
                )
            )
        )
        return self.peers[-1]


@asynccontextmanager
async def edge(bus: Bus, name: str = "edge-1", **options: Any) -> AsyncIterator[Edge]:
    """A running edge; at the end it drains."""
    stop = asyncio.Event()
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(
            run(
                bus,
                edge_id=name,
                host="127.0.0.1",
                port=0,
                public_url=f"http://{name}.test",
                keys=KeyRing(Key(0, 0, b"k" * 32)),
                metrics_port=options.pop("metrics_port", None),
                announce=ready.set_result,
                stop=stop,
                **options,
            ),
            name=name,
        )
        running = Edge(await ready, stop)
        try:
            yield running
        finally:
            for peer in running.peers:
                await peer.close()
            stop.set()


class Peer:
    """A TCP connection to an edge that can wait for things."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._frames = FrameReader()
        self._ready: list[Frame] = []

    async def ask(self, method: str, target: str, *headers: str) -> tuple[int, dict[str, str], bytes]:
        """One request and its whole response."""
        lines = [f"{method} {target} HTTP/1.1", "Host: edge.test", *headers, "", ""]
        self.writer.write("\r\n".join(lines).encode())
        status, fields = await self.head()
        length = 0 if method == "HEAD" else int(fields.get("content-length", "0"))
        return status, fields, await self.reader.readexactly(length)

    async def head(self) -> tuple[int, dict[str, str]]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        return int(first.split()[1]), {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
        }

    async def listen(self, target: str) -> tuple[int, dict[str, str]]:
        self.writer.write(f"GET {target} HTTP/1.1\r\nHost: edge.test\r\n\r\n".encode())
        return await self.head()

    async def frame(self) -> Frame | None:
        """The next frame of the stream; None at its end."""
        while not self._ready:
            data = await self.reader.read(65_536)
            if not data:
                return None
            self._ready.extend(self._frames.feed(data))
        return self._ready.pop(0)

    async def frames_until(self, wanted: Callable[[Frame], bool]) -> list[Frame]:
        frames = []
        while (frame := await self.frame()) is not None:
            frames.append(frame)
            if wanted(frame):
                break
        return frames

    async def close(self) -> None:
        self.writer.transport.abort()
        with suppress(ConnectionError):
            await self.writer.wait_closed()


def is_chunk(seq: int) -> Callable[[Frame], bool]:
    return lambda frame: frame.kind == MEDIA and frame.seq >= seq


def is_event(kind: str) -> Callable[[Frame], bool]:
    return lambda frame: frame.kind == EVENT and json.loads(frame.payload)["type"] == kind


def seqs(frames: list[Frame]) -> list[int]:
    return [frame.seq for frame in frames if frame.kind == MEDIA]


async def eventually(look: Callable[[], Awaitable[bool]]) -> None:
    """Look every 20 ms; `play` bounds how often."""
    for _ in range(1_000):
        if await look():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(look)


async def on_air(running: Edge, newest: int, *, tls: ssl.SSLContext | None = None) -> None:
    """Wait until the edge has heard chunk `newest`."""
    peer = await running.connect(tls=tls)

    async def heard() -> bool:
        status, _, body = await peer.ask("GET", "/c/evening/state")
        return status == 200 and (json.loads(body)["seq"] or 0) >= newest

    await eventually(heard)


async def join(running: Edge, *, tls: ssl.SSLContext | None = None) -> str:
    """The address of the framed stream, ticket included."""
    peer = await running.connect(tls=tls)
    status, _, body = await peer.ask("POST", "/c/evening/join", "Content-Length: 0")
    assert status == 200
    joined = json.loads(body)
    return f"{joined['stream']}?ticket={joined['ticket']}&rendition=webm-64"


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await scenario()

    asyncio.run(bounded())
