"""A whole evening in a world without time: two stages, a feed, two edges, a crowd, one misfortune after another.

The stages, the feed, the edges' workers and the way over the bus are the real ones. Simulated are the bus itself
(`cluster`), the codecs (a frame of speech is a constant that tells its number, music has no constant part) and the
network (a listener is what its edge writes to it).
"""

import asyncio
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from cluster import Cluster, Connection
from virtual import NS, Machine, World

from rostra.audio.announcements import TEXTS
from rostra.bus.programmes import BusProgrammes
from rostra.bus.state import create_conversation
from rostra.bus.subjects import PROGRAMME_STREAM
from rostra.core.conversation import Conversation, Schedule
from rostra.core.framing import EVENT, MEDIA, FrameReader
from rostra.core.messages import decode
from rostra.core.shield import Shield
from rostra.core.units import CHUNK_SAMPLES, FRAME_NS, FRAME_SAMPLES
from rostra.edge import server as edge_server
from rostra.edge import worker as edge_worker
from rostra.edge.admission import Bounds
from rostra.edge.fanout import Fanout
from rostra.edge.fleet import Fleet
from rostra.edge.ladder import ladder
from rostra.edge.sources import Sources
from rostra.edge.streams import Streams
from rostra.edge.waiting_room import WaitingRoom
from rostra.evidence.testimony import Silence
from rostra.rehearsal.continuity import START, Event, Position, follow, resume
from rostra.stage import feed as stage_feed
from rostra.stage import producer as stage_producer
from rostra.stage import server as stage_server

FRAMES_PER_CHUNK = CHUNK_SAMPLES // FRAME_SAMPLES
NAME, RENDITION = "evening", "webm-64"
WALL_NS = 1_800_000_000 * NS
DOORS_NS, STARTS_NS = WALL_NS + 2 * NS, WALL_NS + 6 * NS
SPEECH_FIRST = 2_000  # of 32,768: loud enough that no frame passes for a pause
MUSIC = np.tile(np.float32([0.05, -0.05]), 24_000)
VOICE = np.tile(np.float32([0.03, -0.03]), 12_000)
BACK_AFTER_S = (0.5, 1.5)  # how long the supervisor and the start of a process take


# --- codecs that show what is in the sound -----------------------------------------------------------------


class Codec:
    """Five frames as ten 16-bit numbers: for each the speech heard in it (its constant part) and the music."""

    init = {RENDITION: b"", "ogg-64": b""}  # noqa: RUF012 # read only

    def __init__(self, _position: int, *, pre_roll: None) -> None:
        assert pre_roll is None
        self._frames: list[tuple[int, int]] = []

    def encode(self, sound: np.ndarray) -> dict[str, bytes] | None:
        # Behind the fade of 5 ms and the limiter's delay of as much, its last two samples show a frame's number.
        speech = round(float(sound[-2:].sum()) / 2 * 32_768)
        music = round(float(np.abs(np.diff(sound)).max()) / 2 * 32_768)
        self._frames.append((speech, music))
        if len(self._frames) < FRAMES_PER_CHUNK:
            return None
        shown = np.array(self._frames, ">i2").tobytes()
        self._frames.clear()
        return {RENDITION: shown, "ogg-64": shown}


def shown(payload: bytes) -> list[tuple[int, int]]:
    """(number of the speaker's frame or -1, level of the music) for each frame of a chunk."""
    pairs = np.frombuffer(payload, ">i2").reshape(-1, 2).tolist()
    return [(speech - SPEECH_FIRST if speech > SPEECH_FIRST // 2 else -1, music) for speech, music in pairs]


def speech() -> Iterator[np.ndarray]:
    """A speaker who counts."""
    for number in range(20_000):
        yield np.full(FRAME_SAMPLES, (SPEECH_FIRST + number) / 32_768, np.float32)


# --- listeners -----------------------------------------------------------------------------------------------


@dataclass(eq=False)
class Listener:
    """What one person hears, over all the edges that served it."""

    name: int
    joined_s: float
    slow: bool = False
    room: float = float("inf")
    position: Position = START
    frames: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    missing: int = 0
    repeated: int = 0
    missed: int = 0
    head: bytes = b""
    reader: FrameReader = field(default_factory=FrameReader)

    def connect(self) -> None:
        self.position, self.head, self.reader = resume(self.position), b"", FrameReader()
        self.room = float("inf")

    def receive(self, data: bytes) -> None:
        if not self.head.endswith(b"\r\n\r\n"):
            head, end, data = (self.head + data).partition(b"\r\n\r\n")
            self.head = head + end
        heard = follow(self.position, data)
        self.position = heard.position
        self.missing += heard.missing
        self.repeated += heard.repeated
        self.missed += heard.missed
        self.events += heard.events
        for frame in self.reader.feed(data):
            if frame.kind == MEDIA:
                self.frames[frame.seq] = shown(frame.payload[4:])
            else:
                assert frame.kind in {EVENT, 1, 0}


class Edge:
    """A real worker; its crowd is in memory."""

    def __init__(self, evening: "Evening", name: str) -> None:
        self.machine = Machine(name)
        self.connection = evening.cluster.connect()
        self.listeners: dict[int, Listener] = {}
        self.watched: set[int] = set()
        crowd = SimpleNamespace(
            shield=Shield(),
            descriptors=0,
            expire=lambda **_: None,
            stop_accepting=lambda: None,
            close_all=lambda: None,
        )
        self.fanout = Fanout(self, clock=evening.world.time, cpu=evening.world.time)
        fleet = Fleet(name, f"http://{name}")
        door = SimpleNamespace(
            receipts=None,
            forget_pages=lambda: None,
            alternates=(),
            joins=0,
            demand=SimpleNamespace(resumed=0),
            streams=Streams(self.fanout.has),
            revoked={},
            room=WaitingRoom(fleet, listeners=lambda: self.fanout.listeners, jitter=lambda: 0.5),
        )
        self.worker = edge_worker.Worker(
            crowd,  # type: ignore[arg-type]
            door,  # type: ignore[arg-type]
            self.fanout,
            channels={},
            fleet=fleet,
            bounds=Bounds(10_000),
            rungs=ladder(has_copy=False),
        )

    async def run(self) -> None:
        programmes = BusProgrammes(self.connection)  # type: ignore[arg-type]
        server = edge_server.Server(self.worker, programmes, Sources(lambda: b"key"), Silence())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.follow_conversations(tasks))
            tasks.create_task(server.follow_reports())
            tasks.create_task(server.keep_time())

    def admit(self, listener: Listener) -> bool:
        """As the door does. False while there is nothing to hear here."""
        channel = self.worker.channels.get(NAME)
        if self.machine.dead or self.machine.frozen or channel is None or not channel.on_air:
            return False
        listener.connect()
        asked = listener.position.next_seq if listener.position.next_seq >= 0 else None
        lane = channel.lane(RENDITION, framed=True)
        first = channel.resumption(asked)
        assert channel.ring.newest is not None
        group = lane.cohort.place(newest=channel.ring.newest, from_seq=first)
        opening, position = channel.opening(lane, group, from_seq=first, date="", now_ms=0)
        self.listeners[listener.name] = listener
        self.fanout.admit(listener.name, lane, group, opening, position=position)
        return True

    # What `Wire` asks for:

    def write(self, number: int, data: bytes | memoryview) -> int:
        listener = self.listeners[number]
        taken = int(min(len(data), listener.room))
        if taken == 0:
            raise BlockingIOError
        listener.room -= taken
        listener.receive(bytes(data[:taken]))
        return taken

    def watch_writable(self, number: int, *, wanted: bool) -> None:
        (self.watched.add if wanted else self.watched.discard)(number)

    def close(self, number: int) -> None:
        self.listeners.pop(number, None)
        self.watched.discard(number)

    finish = close


# --- the evening -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mishap:
    at_s: float
    what: str
    seconds: float = 0.0
    who: str = ""

    def __str__(self) -> str:
        return f"{self.at_s:.2f}: {self.what} {self.who} {self.seconds:.2f}".strip()


KINDS = (
    "stage killed",
    "stage frozen",
    "stage cut off",
    "bus killed",
    "edge killed",
    "edge frozen",
    "edge cut off",
)


def mishaps(chance: random.Random, *, until_s: float) -> list[Mishap]:
    """One every few seconds, so that each finds the system whole again."""
    planned, at_s = [], chance.uniform(3, 9)
    while at_s < until_s - 5:
        kind = chance.choice(KINDS)
        planned.append(Mishap(at_s, kind, chance.uniform(0.05, 2.5), chance.choice(["1", "2"])))
        at_s += chance.uniform(5, 8)
    return planned


class Evening:
    """Everything that takes part, and what happened."""

    def __init__(
        self,
        seed: int,
        *,
        seconds: float = 26.0,
        crowd: int = 8,
        planned: list[Mishap] | None = None,
        announced_at_s: float = 0.0,
    ) -> None:
        self.chance = random.Random(seed)
        self.seconds = seconds
        self.world = World(wall_ns=WALL_NS)
        self.cluster = Cluster(self.world, self.chance)
        self.mishaps = mishaps(self.chance, until_s=seconds) if planned is None else planned
        self.machines: dict[str, Machine] = {}
        self.connections: dict[str, Connection] = {}
        self.edges: dict[str, Edge] = {}
        self.listeners: list[Listener] = []
        self.trace: list[str] = []
        self._crowd = crowd
        self._announced_at_s = announced_at_s
        self._dead: list[Machine] = []
        self._tasks: list[asyncio.Task[Any]] = []

    def run(self) -> "Evening":
        clocks = self.world.clocks()

        async def at_once(function: Callable[..., Any], *arguments: Any) -> Any:
            return function(*arguments)

        with pytest.MonkeyPatch.context() as world:  # the module `time` itself is what these processes are given
            for module in (stage_producer, stage_server, stage_feed, edge_server, edge_worker):
                world.setattr(module, "time", clocks)
            world.setattr(stage_producer, "ProgrammeEncoder", Codec)
            world.setattr(stage_producer, "_decoded", lambda _: None)
            world.setattr(asyncio, "to_thread", at_once)
            try:
                self.world.run_until_complete(self._hold())
            finally:
                self._bury()
        return self

    # --- machines -----------------------------------------------------------------------------------------------

    def _note(self, what: str) -> None:
        self.trace.append(f"{self.world.now_s - 1000:.6f} {what}")

    def _start_stage(self, name: str) -> None:
        machine = self.machines[name] = Machine(name, skew_ns=self.chance.randint(-5_000_000, 5_000_000))
        connection = self.connections[name] = self.cluster.connect()
        sounds = stage_producer.Sounds(MUSIC, {"en": dict.fromkeys(TEXTS["en"], VOICE)})
        server = stage_server.StageServer(connection, name, sounds)  # type: ignore[arg-type]
        self._tasks.append(self.world.boot(machine, server.run()))

    def _start_edge(self, name: str) -> None:
        edge = self.edges[name] = Edge(self, name)
        self.machines[name], self.connections[name] = edge.machine, edge.connection
        self._tasks.append(self.world.boot(edge.machine, edge.run()))

    def _start_feed(self) -> None:
        machine = self.machines["feed"] = Machine("feed")
        connection = self.cluster.connect()
        feed = stage_feed.run_feed(connection, NAME, "host", speech(), live=False, even_level=False)  # type: ignore[arg-type]
        self._tasks.append(self.world.boot(machine, feed))

    async def _hold(self) -> None:
        await asyncio.sleep(self._announced_at_s)
        schedule = Schedule("Evening", STARTS_NS, DOORS_NS, STARTS_NS + 3600 * NS, "UTC")
        await create_conversation(self.cluster.connect(), Conversation(NAME, schedule))  # type: ignore[arg-type]
        for number in (1, 2):
            self._start_stage(f"stage-{number}")
            self._start_edge(f"edge-{number}")
        self._start_feed()
        driver = asyncio.get_running_loop().create_task(self._listen_all())
        for mishap in self.mishaps:
            await asyncio.sleep(mishap.at_s - (self.world.now_s - 1000))
            self._note(str(mishap))
            self._befall(mishap)
        await asyncio.sleep(self.seconds - (self.world.now_s - 1000))
        driver.cancel()

    def _befall(self, mishap: Mishap) -> None:
        kind, _, what = mishap.what.partition(" ")
        if kind == "bus":
            self.cluster.restart(after_s=0.2 + mishap.seconds / 4)
            return
        name = f"{kind}-{mishap.who}"
        machine = self.machines[name]
        if what == "killed":
            machine.dead = True
            self._dead.append(machine)
            self.connections[name].cut(seconds=1e9)
            start = self._start_stage if kind == "stage" else self._start_edge
            self.world.call_later(self.chance.uniform(*BACK_AFTER_S), start, name)
        elif what == "frozen":
            machine.frozen = True
            self.world.call_later(mishap.seconds, self.world.thaw, machine)
        else:
            self.connections[name].cut(seconds=mishap.seconds)

    # --- the crowd ----------------------------------------------------------------------------------------------

    async def _listen_all(self) -> None:
        async with asyncio.TaskGroup() as people:
            for number in range(self._crowd):
                people.create_task(self._listen(100 + number))

    async def _listen(self, name: int) -> None:
        """Join at some time, stay; when the edge is gone or silent for 1.5 s, go on at another."""
        await asyncio.sleep(self.chance.uniform(2.5, 12))
        listener = Listener(name, self.world.now_s, slow=self.chance.random() < 0.25)
        self.listeners.append(listener)
        while True:
            names = sorted(self.edges)
            self.chance.shuffle(names)
            edge = next((self.edges[each] for each in names if self.edges[each].admit(listener)), None)
            if edge is None:
                await asyncio.sleep(0.1)
                continue
            await self._stay(listener, edge)
            edge.fanout.leave(listener.name)
            edge.close(listener.name)

    async def _stay(self, listener: Listener, edge: Edge) -> None:
        quiet_s, seq = 0.0, listener.position.seq
        while listener.name in edge.listeners and not edge.machine.dead and quiet_s < 1.5:
            if listener.slow and self.chance.random() < 0.02:
                listener.room = self.chance.choice([0, 30, 100])
            elif self.chance.random() < 0.05:
                listener.room = float("inf")
            await asyncio.sleep(0.05)
            if listener.name in edge.watched and listener.room and not edge.machine.frozen:
                edge.fanout.writable(listener.name)
            quiet_s = 0.0 if listener.position.seq != seq else quiet_s + 0.05
            seq = listener.position.seq

    # --- afterwards ---------------------------------------------------------------------------------------------

    def _bury(self) -> None:
        """End every task, also those of the dead, so that nothing is left behind."""
        for machine in [*self.machines.values(), *self._dead]:
            machine.dead = False
            self.world.thaw(machine)
        self.world.is_over = True
        while pending := asyncio.all_tasks(self.world):  # what died in the middle of an ending is told twice
            for task in pending:
                task.cancel()
            self.world.run_until_complete(asyncio.wait(pending, timeout=1))
        self.world.run_until_complete(self.world.shutdown_asyncgens())
        self.world.close()

    # --- what was heard -------------------------------------------------------------------------------------------

    def programme(self) -> list[tuple[int, int]]:
        """Every frame from doors-open on, by number, as the bus holds it."""
        stored = self.cluster.find(["rostra.programme.>"], stream=PROGRAMME_STREAM)
        chunks = sorted((decode(each.payload) for each in stored), key=lambda chunk: chunk.seq)
        return [frame for chunk in chunks for frame in shown(chunk.media[RENDITION])]


FIRST_SPEECH_FRAME = (STARTS_NS - DOORS_NS) // FRAME_NS
