"""The edge process: wires the bus, the crowd and the clock to one worker, and goes away politely."""

import asyncio
import random
import resource
import secrets
import signal
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, suppress
from importlib.resources import files
from pathlib import Path
from typing import Final, Protocol

import structlog
from prometheus_client import CollectorRegistry, start_http_server

from rostra.core.errors import BadInputError, BusError
from rostra.core.keys import KeyRing
from rostra.core.limits import DESCRIPTORS_RESERVED
from rostra.core.messages import BanNotice, Chunk, ConversationRecord, EdgeReport, Init
from rostra.core.prefixes import network_of
from rostra.core.shield import Ban
from rostra.core.units import SECOND_NS
from rostra.edge.account import account
from rostra.edge.admission import Bounds
from rostra.edge.channel import OVER, Channel
from rostra.edge.connection import Crowd
from rostra.edge.door import Door
from rostra.edge.entrance import Entrance, listen
from rostra.edge.fanout import Fanout
from rostra.edge.fleet import Fleet
from rostra.edge.ladder import ladder
from rostra.edge.metrics import WorkerCollector
from rostra.edge.pages import Pages
from rostra.edge.reached import Rounds
from rostra.edge.receipts import Receipts
from rostra.edge.sources import Sources
from rostra.edge.streams import Streams
from rostra.edge.tls import Tls
from rostra.edge.waiting_room import WaitingRoom
from rostra.edge.worker import DRAIN_S, Wanted, Worker
from rostra.evidence.change import Change
from rostra.evidence.testimony import Silence
from rostra.verifier.receipt import MINUTE_MS, RECEIPTS

_log = structlog.get_logger()
RETRY_S: Final = 0.5
LAST_CHUNK_WAIT_S: Final = 15.0  # the stage says goodbye and lets the music fade: five seconds
LAG_PROBE_S: Final = 0.1
DRAIN_LOOK_S: Final = 0.1
CERTIFICATE_LOOK_S: Final = 1.0


class Programmes(Protocol):
    """What an edge needs of the bus. Only what it follows may take for ever."""

    def conversations(self) -> AsyncIterator[ConversationRecord]: ...
    def chunks(self, conversation: str) -> AsyncIterator[Chunk]: ...
    async def init(self, conversation: str) -> Init | None: ...
    def edge_reports(self) -> AsyncIterator[EdgeReport]: ...
    async def report(self, report: EdgeReport) -> None: ...
    def bans(self) -> AsyncIterator[BanNotice]: ...
    async def tell_ban(self, notice: BanNotice) -> None: ...
    @property
    def connected_since(self) -> float | None: ...


async def run(
    programmes: Programmes,
    *,
    edge_id: str,
    host: str,
    port: int,
    public_url: str,
    keys: KeyRing,
    revoked: Mapping[str, Mapping[str, int]] | None = None,
    metrics_port: int | None,
    listeners_max: int | None = None,
    egress_bps: float | None = None,
    copy_url: str = "",
    rehearsal_token: str = "",
    metrics_host: str = "127.0.0.1",
    stage_url: str = "",
    replay_url: str = "",
    entrance: Entrance | None = None,
    testimony: Silence | None = None,
    announce: Callable[[int], None] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """Serve until `stop` is set or SIGTERM or SIGINT comes, then drain and return.

    `announce` is called with the port as soon as connections are accepted (`port` 0: one that is free). Without
    `metrics_port` no metrics are exported. `stage_url` and `replay_url` are the addresses of a gate and of
    the recordings, for links on the page. `listeners_max` is what was certified or set, `egress_bps` what the line
    carries, `copy_url` where a CDN has a copy, `revoked` whose tickets are withdrawn, `rehearsal_token` what a
    rehearsal from elsewhere has to know.
    """
    pages = Pages(files("rostra.edge").joinpath("pages"), stage_url=stage_url, replay_url=replay_url)
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    bounds = Bounds(soft - DESCRIPTORS_RESERVED, listeners_max, egress_bps)
    listening = listen(host, port)
    entrance = entrance or Entrance()
    worker = _worker(
        listening, entrance, Fleet(edge_id, public_url), bounds, keys=keys, pages=pages, copy_url=copy_url
    )
    worker.door.rehearsal_token = rehearsal_token
    worker.door.revoked = {} if revoked is None else revoked
    testimony = testimony or Silence()
    sources = Sources(lambda: secrets.token_bytes(32))
    rounds = Rounds()
    testimony.figures = lambda: account(worker, sources, rounds, now_s=time.monotonic())
    if (signer := testimony.signer()) is not None:
        worker.door.receipts = Receipts(edge_id, signer.run, signer.sign)
    loop = asyncio.get_running_loop()
    stop = stop or _stop_on_signals(loop)
    with ExitStack() as stack:
        stack.callback(worker.close)
        loop.add_reader(worker.crowd.fileno(), worker.crowd.turn)
        stack.callback(loop.remove_reader, worker.crowd.fileno())
        if metrics_port is not None:
            registry = CollectorRegistry()
            registry.register(WorkerCollector(worker))
            exporter, _ = start_http_server(metrics_port, metrics_host, registry)
            stack.callback(exporter.server_close)
            stack.callback(exporter.shutdown)
        if entrance.tls is not None:
            asked = asyncio.Event()
            loop.add_signal_handler(signal.SIGHUP, asked.set)
            stack.callback(loop.remove_signal_handler, signal.SIGHUP)
        if announce is not None:
            announce(worker.crowd.port)
        _log.info("edge.start", edge=edge_id, port=worker.crowd.port)
        server = Server(worker, programmes, sources, testimony)
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(server.follow_conversations(tasks), name="conversations"),
                tasks.create_task(server.follow_reports(), name="reports"),
                tasks.create_task(server.follow_bans(), name="bans"),
                tasks.create_task(server.keep_time(), name="clock"),
                tasks.create_task(server.feel_lag(), name="lag"),
            ]
            if entrance.tls is not None:
                running.append(tasks.create_task(server.watch_certificate(entrance.tls, asked), name="certificate"))
            await testimony.before(
                Change("scale", edge_id, "process", before=0, after=worker.capacity, text="come")
            )
            await stop.wait()
            await server.drain()
            for task in [*running, *server.followers.values(), *server.endings]:
                task.cancel()
        server.say_receipts(now_ms=time.time_ns() // 1_000_000 + MINUTE_MS)  # also of the minute that is not over
    _log.info("edge.stop", edge=edge_id)


def _worker(
    listening: socket.socket,
    entrance: Entrance,
    fleet: Fleet,
    bounds: Bounds,
    *,
    keys: KeyRing,
    pages: Pages,
    copy_url: str,
) -> Worker:
    crowd = Crowd(listening, descriptors_max=bounds.descriptors, entrance=entrance)
    fanout = Fanout(crowd)
    channels: dict[str, Channel] = {}
    door = Door(
        channels=channels,
        pages=pages,
        keys=keys,
        public_url=fleet.url,
        jitter=random.random,
        new_listener=lambda: secrets.token_bytes(8),
        streams=Streams(fanout.has),
        room=WaitingRoom(fleet, listeners=lambda: fanout.listeners, jitter=random.random),
        copy_url=copy_url,
        alternates=(fleet.url,),
    )
    worker = Worker(
        crowd,
        door,
        fanout,
        channels=channels,
        fleet=fleet,
        bounds=bounds,
        rungs=ladder(has_copy=bool(copy_url)),
    )
    door.pressure = worker.pressure
    crowd.serve(fanout, door)
    return worker


def _memory_free_bytes() -> int | None:
    """What the kernel could give without swapping (proc_meminfo(5)); None where it does not tell."""
    with suppress(OSError), Path("/proc/meminfo").open(encoding="ascii") as lines:
        for line in lines:
            name, _, amount = line.partition(":")
            if name == "MemAvailable":
                return int(amount.split()[0]) * 1024
    return None


def _stop_on_signals(loop: asyncio.AbstractEventLoop) -> asyncio.Event:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


class Server:
    """The tasks of one edge process."""

    def __init__(self, worker: Worker, programmes: Programmes, sources: Sources, testimony: Silence) -> None:
        self._worker = worker
        self._programmes = programmes
        self._sources = sources
        self._testimony = testimony
        worker.crowd.shield.asked = {}
        self._loop = asyncio.get_running_loop()
        self._writing = False
        self.followers: dict[str, asyncio.Task[None]] = {}
        self.endings: set[asyncio.Task[None]] = set()

    # --- the bus ---------------------------------------------------------------------------------------

    async def follow_conversations(self, tasks: asyncio.TaskGroup) -> None:
        async for record in self._programmes.conversations():
            id_, worker = record.id, self._worker
            follow = worker.know(record)
            follower = self.followers.get(id_)
            if follow and follower is None:
                self.followers[id_] = tasks.create_task(self._follow(id_), name=f"programme {id_}")
            elif not follow and follower is not None:
                del self.followers[id_]
                if record.state in OVER:
                    ending = tasks.create_task(self._end_late(id_, follower), name=f"end {id_}")
                    self.endings.add(ending)
                    ending.add_done_callback(self.endings.discard)
                else:
                    follower.cancel()
                    worker.restart(id_)

    async def _follow(self, conversation: str) -> None:
        """Take a conversation's chunks until its last one."""
        init, epoch = None, -1
        async for chunk in self._programmes.chunks(conversation):
            if init is None or chunk.epoch > epoch:
                init, epoch = await self._init(conversation) or init, chunk.epoch
            self._worker.take(chunk, init)
            self._write_soon()
            if chunk.last:
                return

    async def _init(self, conversation: str) -> Init | None:
        try:
            return await self._programmes.init(conversation)
        except BusError as error:
            _log.warning("init.unread", conversation=conversation, error=str(error))
            return None

    async def _end_late(self, conversation: str, follower: asyncio.Task[None]) -> None:
        """Give the last chunk a moment to come; then end without it."""
        try:
            await asyncio.wait([follower], timeout=LAST_CHUNK_WAIT_S)
        finally:
            follower.cancel()
        if conversation in self._worker.channels:
            self._worker.end(conversation)
            self._write_soon()

    async def follow_reports(self) -> None:
        async for report in self._programmes.edge_reports():
            self._worker.hear(report, now_s=time.monotonic())

    async def follow_bans(self) -> None:
        shield = self._worker.crowd.shield
        async for notice in self._programmes.bans():
            if notice.edge != self._worker.fleet.edge_id:
                left_s = max(0.0, (notice.until_ns - time.time_ns()) / SECOND_NS) if notice.until_ns else 0.0
                if left_s or not notice.until_ns:
                    shield.hear(Ban(notice.prefix, left_s, notice.strike), time.monotonic())

    async def _tell_bans(self) -> None:
        """What the bus does not take now waits for the next second."""
        pending, edge_id = self._worker.crowd.shield.pending, self._worker.fleet.edge_id
        if pending:
            kinds = Counter(ban.strike if ban.seconds else "objection" for ban in pending)
            text = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
            await self._testimony.before(Change("mitigation", edge_id, "shield", after=len(pending), text=text))
        while pending:
            ban = pending[0]
            until_ns = time.time_ns() + round(ban.seconds * SECOND_NS) if ban.seconds else 0
            try:
                await self._programmes.tell_ban(BanNotice(ban.prefix, until_ns, ban.strike, edge_id))
            except BusError:
                return
            pending.popleft()
            # A household's address goes no further than the bus; its network is enough to look into a log for.
            event = "ban.made" if ban.seconds else "ban.objected"
            _log.info(event, network=network_of(ban.prefix), seconds=ban.seconds, strike=ban.strike)

    # --- the clock -------------------------------------------------------------------------------------

    async def keep_time(self) -> None:
        """Once a second: deadlines, load, cadence, and a report to the others."""
        while True:
            await asyncio.sleep(1)
            worker = self._worker
            worker.bus_lost_s = 0.0 if self._programmes.connected_since is not None else worker.bus_lost_s + 1
            worker.memory_free_bytes = _memory_free_bytes()
            worker.second(now_s=time.monotonic(), wall_s=time.time())
            self.say_receipts(now_ms=time.time_ns() // 1_000_000)
            self._sources.second(worker.crowd.shield.taken(), on_air=worker.on_air, now_s=time.monotonic())
            if worker.wanted is not None:
                await self._testimony.before(self._limit(worker.wanted))
                worker.step(worker.wanted)
            self._write_soon()
            await self._report()
            await self._tell_bans()

    def _limit(self, wanted: Wanted) -> Change:
        worker, felt = self._worker, wanted.felt
        shares = f"write share {felt.load.share:.2f}, egress share {felt.egress_share:.2f}"
        text = f"{shares}, lag {1_000 * felt.lag_s:.0f} ms"
        return Change("limit", worker.fleet.edge_id, "ladder", worker.rung.name, wanted.rung.name, text)

    async def _report(self) -> None:
        try:
            await self._programmes.report(self._worker.report(now_ns=time.time_ns()))
        except BusError as error:
            _log.debug("report.unsent", error=str(error))

    async def feel_lag(self) -> None:
        while True:
            due_s = time.monotonic() + LAG_PROBE_S
            await asyncio.sleep(LAG_PROBE_S)
            now_s = time.monotonic()
            self._worker.feel(late_s=now_s - due_s, now_s=now_s)

    def _write_soon(self) -> None:
        if not self._writing:
            self._writing = True
            self._loop.call_soon(self._write)

    def _write(self) -> None:
        self._writing = self._worker.fanout.turn()
        if self._writing:
            self._loop.call_soon(self._write)

    async def watch_certificate(self, tls: Tls, asked: asyncio.Event) -> None:
        """One that cannot be used is told of, and the former one goes on. `asked` (SIGHUP): look at once."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(CERTIFICATE_LOOK_S):
                    await asked.wait()
            asked.clear()
            try:
                if tls.has_changed():
                    edge_id = self._worker.fleet.edge_id
                    await self._testimony.before(Change("certificate", edge_id, "operator", after=tls.digest()))
                    tls.reload()
                    _log.info("certificate.changed")
            except BadInputError as error:
                _log.error("certificate.refused", error=str(error))

    def say_receipts(self, *, now_ms: int) -> None:
        """Those of minutes that are over go into the ledger."""
        if self._worker.door.receipts is not None:
            for body in self._worker.door.receipts.done(now_ms=now_ms):
                self._testimony.note(RECEIPTS, body)

    # --- going away ------------------------------------------------------------------------------------

    async def drain(self) -> None:
        """Return when nobody listens any more, after DRAIN_S at the latest."""
        worker = self._worker
        await self._testimony.before(
            Change("scale", worker.fleet.edge_id, "process", before=worker.capacity, after=0, text="drain")
        )
        worker.drain()
        await self._report()
        for _ in range(round(DRAIN_S / DRAIN_LOOK_S)):
            if not worker.fanout.listeners:
                return
            await asyncio.sleep(DRAIN_LOOK_S)
