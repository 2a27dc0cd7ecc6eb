"""A whole edge on loopback, met as strangers meet it: over TCP, by docs/protocol.md."""

import asyncio
import json
import resource
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.request import urlopen

import msgspec

from rostra.core.framing import EVENT, INIT, MEDIA, Frame, FrameReader
from rostra.core.keys import Key, KeyRing
from rostra.core.limits import DESCRIPTORS_RESERVED, REQUEST_DEADLINE_S
from rostra.core.messages import Chunk, ConversationRecord, EdgeReport, Init
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

    async def report(self, report: EdgeReport) -> None:
        self.reports.append(report)
        self._wake()


@dataclass
class Edge:
    port: int
    stop: asyncio.Event
    peers: "list[Peer]" = field(default_factory=list)

    async def connect(self) -> "Peer":
        self.peers.append(Peer(*await asyncio.open_connection("127.0.0.1", self.port)))
        return self.peers[-1]


@asynccontextmanager
async def edge(bus: Bus, name: str = "edge-1", *, metrics_port: int | None = None) -> AsyncIterator[Edge]:
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
                metrics_port=metrics_port,
                announce=ready.set_result,
                stop=stop,
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


async def on_air(running: Edge, newest: int) -> None:
    """Wait until the edge has heard chunk `newest`."""
    peer = await running.connect()

    async def heard() -> bool:
        status, _, body = await peer.ask("GET", "/c/evening/state")
        return status == 200 and (json.loads(body)["seq"] or 0) >= newest

    await eventually(heard)


async def join(running: Edge) -> str:
    """The address of the framed stream, ticket included."""
    peer = await running.connect()
    status, _, body = await peer.ask("POST", "/c/evening/join", "Content-Length: 0")
    assert status == 200
    joined = json.loads(body)
    return f"{joined['stream']}?ticket={joined['ticket']}&rendition=webm-64"


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(30):
            await scenario()

    asyncio.run(bounded())


def test_a_listener_joins_hears_every_chunk_and_the_end() -> None:
    async def scenario() -> None:
        bus = Bus()
        bus.say(50)
        async with edge(bus) as running:
            await on_air(running, 49)
            peer = await running.connect()
            status, fields = await peer.listen(await join(running))
            assert (status, fields["content-type"]) == (200, "application/vnd.rostra.stream")
            assert "content-length" not in fields
            frames = await peer.frames_until(is_chunk(49))
            assert [frame.kind for frame in frames[:2]] == [INIT, EVENT]
            assert frames[0].payload == b"container head"
            hello = json.loads(frames[1].payload)
            assert (hello["type"], hello["seq"], hello["cadence_ms"]) == ("hello", seqs(frames)[0], 100)
            assert hello["conversation"]["title"] == RECORD.title
            bus.say(20)
            bus.say(last=True)
            frames += await peer.frames_until(lambda _: False)
            heard = seqs(frames)
            assert heard == list(range(heard[0], 71))
            assert all(frame.payload[4:] == frame.payload[:4] * 100 for frame in frames if frame.kind == MEDIA)
            assert json.loads(frames[-1].payload) == {"type": "ended", "reason": "ended"}

    play(scenario)


def test_a_conversation_that_is_cancelled_without_a_last_chunk_ends_all_the_same() -> None:
    async def scenario() -> None:
        bus = Bus()
        bus.say(20)
        async with edge(bus) as running:
            await on_air(running, 19)
            peer = await running.connect()
            await peer.listen(await join(running))
            bus.change("cancelled")
            frames = await peer.frames_until(lambda _: False)
            assert json.loads(frames[-1].payload) == {"type": "ended", "reason": "cancelled"}

    play(scenario)


def test_p6_an_edge_that_goes_away_says_where_to_go_and_there_the_next_chunk_waits() -> None:
    async def scenario() -> None:
        bus = Bus()
        bus.say(30)
        async with edge(bus, "edge-2") as second:
            async with edge(bus, "edge-1") as first:
                await on_air(first, 29)
                await on_air(second, 29)

                async def both_known() -> bool:
                    return {"edge-1", "edge-2"} <= {report.edge for report in bus.reports}

                await eventually(both_known)
                target = await join(first)
                peer = await first.connect()
                await peer.listen(target)
                heard = seqs(await peer.frames_until(is_chunk(29)))
                first.stop.set()
                await asyncio.sleep(0.05)
                bus.say()
                frames = await peer.frames_until(is_chunk(30))
                drain = next(frame for frame in frames if is_event("drain")(frame))
                assert json.loads(drain.payload)["alternates"] == ["http://edge-2.test"]
                heard += seqs(frames)
                await peer.close()
            bus.say(5)
            await on_air(second, 35)
            peer = await second.connect()
            await peer.listen(f"{target}&from={heard[-1] + 1}")  # the same ticket: any edge takes it
            heard += seqs(await peer.frames_until(is_chunk(35)))
            assert heard == list(range(heard[0], 36))

    play(scenario)


def test_p3_a_listener_who_stops_reading_disturbs_nobody_and_is_told_what_it_missed() -> None:
    async def scenario() -> None:
        bus = Bus()
        bus.say(20, size_bytes=8_000)
        async with edge(bus) as running:
            await on_air(running, 19)
            target = await join(running)
            raw = socket.socket()
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
            raw.connect(("127.0.0.1", running.port))
            slow = Peer(*await asyncio.open_connection(sock=raw))
            running.peers.append(slow)
            await slow.listen(target)
            slow.writer.transport.pause_reading()  # type: ignore[attr-defined]
            quick = await running.connect()
            await quick.listen(target)
            heard = []
            for _ in range(30):
                bus.say(10, size_bytes=8_000)
                heard += seqs(await quick.frames_until(is_chunk(len(bus.said) - 1)))
            assert heard == list(range(heard[0], 320))
            slow.writer.transport.resume_reading()  # type: ignore[attr-defined]
            frames = await slow.frames_until(is_chunk(319))
            moved = next(json.loads(frame.payload) for frame in frames if is_event("moved")(frame))
            late = seqs(frames)
            cut = late.index(moved["to_seq"])
            assert late[:cut] == list(range(late[0], moved["to_seq"] - moved["missed"]))
            assert late[cut:] == list(range(moved["to_seq"], 320))

    play(scenario)


def test_a_plain_stream_is_the_container_and_nothing_else() -> None:
    async def scenario() -> None:
        bus = Bus()
        bus.say(10)
        async with edge(bus) as running:
            await on_air(running, 9)
            peer = await running.connect()
            status, fields = await peer.listen("/c/evening/live.webm")
            assert (status, fields["content-type"]) == (200, 'audio/webm; codecs="opus"')
            bus.say(5, last=False)
            bus.say(last=True)
            sound = await peer.reader.read()
            media = b"".join(chunk.media["webm-64"] for chunk in bus.said)
            assert sound == b"container head" + media

    play(scenario)


def test_pages_keep_their_connection_and_pipelined_requests_are_answered_in_order() -> None:
    async def scenario() -> None:
        bus = Bus()
        bus.say(1)
        async with edge(bus) as running:
            await on_air(running, 0)
            peer = await running.connect()
            for target in ("/", "/c/evening", "/healthz", "/c/evening/state", "/nowhere"):
                status, fields, body = await peer.ask("GET", target, "Accept: text/html")
                assert fields["connection"] == "keep-alive"
                assert body
                assert (status == 404) == (target == "/nowhere")
            _, fields, body = await peer.ask("HEAD", "/")
            assert int(fields["content-length"]) > 0
            peer.writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await peer.head())[0] == 200
            assert await peer.reader.readexactly(3) == b"ok\n"
            assert (await peer.head())[0] == 404

    play(scenario)


def test_who_does_not_speak_http_gets_an_answer_and_the_connection_ends() -> None:
    async def scenario() -> None:
        async with edge(Bus()) as running:
            for sent, expected in (
                (b"\x16\x03\x01\x00\xa5\x01", 400),
                (b"GET /" + b"a" * 9_000 + b" HTTP/1.1\r\n", 414),
                (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 9_000, 431),
                (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 90000\r\n\r\n" + b"a" * 20_000, 413),
            ):
                peer = await running.connect()
                peer.writer.write(sent)
                status, fields = await peer.head()
                assert (status, fields["content-type"]) == (expected, "application/problem+json")
                assert json.loads(await peer.reader.read())["status"] == expected
                await peer.close()

    play(scenario)


def test_a_slowloris_is_sent_away_when_its_time_is_over_though_it_keeps_sending() -> None:
    async def scenario() -> None:
        async with edge(Bus()) as running:
            peer = await running.connect()
            began = time.monotonic()

            async def drip() -> None:
                for byte in b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: " + b"a" * 1_000:
                    peer.writer.write(bytes([byte]))
                    await asyncio.sleep(0.1)

            async with asyncio.TaskGroup() as tasks:
                dripping = tasks.create_task(drip(), name="drip")
                status, _ = await peer.head()
                dripping.cancel()
            assert status == 408
            assert REQUEST_DEADLINE_S - 0.5 <= time.monotonic() - began <= REQUEST_DEADLINE_S + 2.5

    play(scenario)


def test_an_edge_without_the_bus_keeps_its_pages_and_says_that_it_can_admit_nobody() -> None:
    async def scenario() -> None:
        bus = Bus()
        bus.say(10)
        async with edge(bus) as running:
            await on_air(running, 9)
            listener = await running.connect()
            await listener.listen(await join(running))
            bus.connected_since = None
            peer = await running.connect()

            async def fit() -> bool:
                return (await peer.ask("GET", "/healthz"))[0] == 200

            async def unfit() -> bool:
                return not await fit()

            await eventually(unfit)
            assert (await peer.ask("GET", "/c/evening"))[0] == 200
            refused = await peer.ask("POST", "/c/evening/join", "Content-Length: 0")
            assert refused[0] == 503
            assert "retry-after" in refused[1]
            bus.connected_since = 1.0
            bus.say(5)
            assert seqs(await listener.frames_until(is_chunk(14)))[-1] == 14
            await eventually(fit)

    play(scenario)


def test_the_inner_port_tells_what_the_loop_counted() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        metrics_port = free.getsockname()[1]

    async def scenario() -> None:
        bus = Bus()
        bus.say(10)
        async with edge(bus, metrics_port=metrics_port) as running:
            await on_air(running, 9)
            peer = await running.connect()
            await peer.listen(await join(running))
            await peer.frames_until(is_chunk(9))
            address = f"http://127.0.0.1:{metrics_port}/metrics"
            text = (await asyncio.to_thread(lambda: urlopen(address).read())).decode()
            assert "rostra_edge_listeners 1.0" in text
            assert "rostra_edge_joins_total 1.0" in text
            assert 'rostra_edge_chunks_total{verdict="accepted"} 10.0' in text

    play(scenario)


def test_p2_who_finds_the_edge_full_is_told_so_and_those_inside_stay() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def scenario() -> None:
        bus = Bus()
        bus.say(10)
        async with edge(bus) as running:
            await on_air(running, 9)
            inside = await running.connect()
            await inside.listen(await join(running))
            # One who only keeps a connection open gives way to the last of those who listen.
            targets = [await join(running) for _ in range(2)]
            for target in [*targets[:1] * 2, *targets[1:] * 3]:
                assert (await (await running.connect()).listen(target))[0] == 200
            late = await running.connect()
            late.writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            status, fields = await late.head()
            assert status == 503
            assert "retry-after" in fields
            bus.say(5)
            assert seqs(await inside.frames_until(is_chunk(14)))[-1] == 14

    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS_RESERVED + 6, hard))
    try:
        play(scenario)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
