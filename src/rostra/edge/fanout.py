"""The write loop: one write per listener per cadence, in slices; only laggards have a state of their own.

This loop is what the product exists for (DESIGN §4.4). On the happy path it takes a number out of a set and
calls write(2); everything else happens once per group and chunk. It does its I/O through a `Wire`, so
that a test can be the network.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from rostra.core.limits import LAGGARD_CHUNKS_MAX, WRITES_PER_TURN_MAX
from rostra.core.units import CHUNK_NS, PLAYER_MARGIN_S, SECOND_NS
from rostra.edge.cohort import Cohort, Group
from rostra.edge.ring import START_CHUNKS, Feed, event_frame

PLANNED_CHUNKS_MAX: Final = LAGGARD_CHUNKS_MAX // 2  # a plan this old is given up; there is time left to catch up
_CHUNK_S: Final = CHUNK_NS / SECOND_NS
LAGGARD_WRITES_PER_TURN_MAX: Final = 8  # 128 chunks: enough to catch up, not enough to be a burden


class Wire(Protocol):
    """What the write loop needs of the network. Listeners are file descriptors."""

    @property
    def write(self) -> Callable[[int, bytes | memoryview], int]:
        """The bytes taken; BlockingIOError if there is no room, another OSError if the peer has gone."""

    def watch_writable(self, listener: int, *, wanted: bool) -> None:
        """Have `Fanout.writable` called when there is room again, or no longer."""

    def close(self, listener: int) -> None:
        """The listener has gone, or has to."""

    def finish(self, listener: int) -> None:
        """Everything is sent: end the response, then let the peer close."""


@dataclass(slots=True)
class Counters:
    """What the write loop has done so far.

    Planned writes are those of `turn`: they took `write_time_s`, of which the processor worked `write_cpu_s`.
    """

    writes: int = 0
    planned_writes: int = 0
    sent_bytes: int = 0
    lagged: int = 0
    moved: int = 0
    gone: int = 0
    cut: int = 0  # of those gone, whom we sent away
    skipped: int = 0  # chunks that those who were moved did not get
    paused_listener_s: float = 0.0  # of sound that came later than a player bridges, of all listeners in step
    write_time_s: float = 0.0
    write_cpu_s: float = 0.0


class Lane:
    """A cohort and the feed it listens to. `ending` closes the streams once the end has come."""

    __slots__ = ("cohort", "ending", "feed", "jobs", "lagging")

    def __init__(self, cohort: Cohort, feed: Feed) -> None:
        self.cohort = cohort
        self.feed = feed
        self.jobs: list[Job] = []
        self.lagging = 0
        self.ending: bytes | None = None

    @property
    def listeners(self) -> int:
        return len(self.cohort) + self.lagging


class Job:
    """The write of chunks `first … last` to one group; `behind` still have to be written."""

    __slots__ = ("behind", "buffer", "ends", "first", "group", "lane", "last", "size")

    def __init__(self, lane: Lane, group: Group, buffer: bytes, *, first: int, last: int, ends: bool) -> None:
        self.lane = lane
        self.group = group
        self.buffer = buffer
        self.first = first
        self.last = last
        self.ends = ends
        self.behind = group.members.copy()
        self.size = len(self.behind)


@dataclass(slots=True)
class Laggard:
    """A listener out of step: `rest` is still to be written, then it has everything up to `position`."""

    lane: Lane
    cadence: int
    rest: memoryview
    position: int
    ends: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a listener is: `behind` chunks after the newest, at most `cadence` if it is in step."""

    rendition: str
    cadence: int
    behind: int


class Fanout:
    """All listeners of one worker. `clock` and `cpu` (of this thread) give seconds and only measure."""

    def __init__(
        self,
        wire: Wire,
        *,
        clock: Callable[[], float] = time.perf_counter,
        cpu: Callable[[], float] = time.thread_time,
    ) -> None:
        self._wire = wire
        self._clock = clock
        self._cpu = cpu
        self._queue: deque[Job] = deque()
        self._lanes: dict[Cohort, Lane] = {}
        self.seats: dict[int, Group] = {}
        self.laggards: dict[int, Laggard] = {}
        self.counters = Counters()

    @property
    def listeners(self) -> int:
        return len(self.seats) + len(self.laggards)

    def has(self, listener: int) -> bool:
        return listener in self.seats or listener in self.laggards

    def place(self, listener: int) -> Place:
        """Of somebody who listens."""
        laggard = self.laggards.get(listener)
        if laggard is not None:
            feed = laggard.lane.feed
            return Place(feed.rendition, laggard.cadence, (feed.ring.newest or 0) - laggard.position)
        group = self.seats[listener]
        feed = self._lanes[group.cohort].feed
        newest = feed.ring.newest or 0
        return Place(feed.rendition, group.cadence, newest - group.position(newest, floor=feed.ring.floor))

    @property
    def behind(self) -> bool:
        """Whether planned writes wait."""
        return bool(self._queue)

    def open_lane(self, feed: Feed, *, cadence: int) -> Lane:
        lane = Lane(Cohort(cadence, self.seats), feed)
        self._lanes[lane.cohort] = lane
        return lane

    def close_lane(self, lane: Lane) -> None:
        """Let go of everybody who is still in the lane, and of the lane."""
        seated = [listener for group in lane.cohort.groups for listener in group.members]
        lagging = [listener for listener, laggard in self.laggards.items() if laggard.lane is lane]
        self.cut(seated + lagging)
        self._lanes.pop(lane.cohort, None)

    # --- listeners come and go -----------------------------------------------------------------------

    def admit(self, listener: int, lane: Lane, group: Group, opening: bytes, *, position: int) -> None:
        """Write a newcomer's first bytes, after which it is where its group is."""
        lane.cohort.join(listener, group)
        try:
            sent = self._wire.write(listener, opening)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.dismiss([listener])
            return
        self.counters.writes += 1
        self.counters.sent_bytes += sent
        if sent < len(opening):
            self._fall_behind(lane, listener, memoryview(opening)[sent:], position=position)

    def leave(self, listener: int) -> None:
        """Forget a listener. Whoever calls this closes the connection."""
        laggard = self.laggards.pop(listener, None)
        if laggard is not None:
            laggard.lane.lagging -= 1
        elif listener in self.seats:
            group = self.seats[listener].cohort.leave(listener)
            for job in self._lanes[group.cohort].jobs:
                job.behind.discard(listener)

    def dismiss(self, listeners: Iterable[int]) -> None:
        """Let go of them at once."""
        for listener in listeners:
            self.leave(listener)
            self._wire.close(listener)
            self.counters.gone += 1

    def cut(self, listeners: list[int]) -> None:
        """Let go of them although the programme goes on."""
        self.counters.cut += len(listeners)
        self.dismiss(listeners)

    def _finish(self, listener: int) -> None:
        self.leave(listener)
        self._wire.finish(listener)

    # --- planning ------------------------------------------------------------------------------------

    def advance(self, lane: Lane, seq: int) -> None:
        """Chunk `seq` is in the ring: plan what is due."""
        cohort, floor = lane.cohort, lane.feed.ring.floor
        due = cohort.due(seq)
        for group in due:
            self._plan(lane, group, first=max(seq - group.cadence + 1, floor), last=seq)
        for group in due:
            cohort.migrate(group, seq)
        for job in [job for job in lane.jobs if seq - job.first > PLANNED_CHUNKS_MAX]:
            # The loop itself is too slow. Whoever is left catches up by itself, or is moved on and told.
            if job.behind:
                self._rest(job)
            for listener in list(job.behind):
                self._fall_behind(lane, listener, memoryview(b""), position=job.first - 1)

    def flush(self, lane: Lane) -> None:
        """Plan for every group whatever it has not been given yet."""
        ring = lane.feed.ring
        newest = -1 if ring.newest is None else ring.newest
        for group in lane.cohort.groups:
            first = group.position(newest, floor=ring.floor) + 1
            if group.members and (first <= newest or lane.ending is not None):
                self._plan(lane, group, first=first, last=newest)

    def end(self, lane: Lane, ending: bytes) -> None:
        """The newest chunk was the last: give it to everybody, then `ending`, then end the responses."""
        lane.ending = ending
        self.flush(lane)

    def _plan(self, lane: Lane, group: Group, *, first: int, last: int) -> None:
        ending = lane.ending
        buffer = lane.feed.span(first, last) + (ending or b"")
        job = Job(lane, group, buffer, first=first, last=last, ends=ending is not None)
        lane.jobs.append(job)
        self._queue.append(job)

    # --- writing -------------------------------------------------------------------------------------

    def turn(self, writes_max: int = WRITES_PER_TURN_MAX) -> bool:
        """Do up to `writes_max` planned writes, oldest first. True if some are left."""
        began, cpu_began = self._clock(), self._cpu()
        queue = self._queue
        while queue and writes_max > 0:
            job = queue[0]
            count = min(len(job.behind), writes_max)
            writes_max -= count + 1  # taking up a job costs about as much as a write
            self._write(job, count)
            if not job.behind:
                queue.popleft()
                job.lane.jobs.remove(job)
                self._rest(job)
        self.counters.write_cpu_s += self._cpu() - cpu_began
        self.counters.write_time_s += self._clock() - began
        return bool(queue)

    def _rest(self, job: Job) -> None:
        """A group has its chunks, or gave up on them: count how long those in step have had no sound before."""
        group, now_s = job.group, self._clock()
        last, at_s, there = group.written
        group.written = job.last, now_s, len(group.members)
        if (
            job.first == last + 1 or job.first == job.lane.feed.ring.floor > last >= 0
        ):  # else nobody was there between
            held_s = group.cadence * _CHUNK_S + PLAYER_MARGIN_S
            self.counters.paused_listener_s += max(0.0, now_s - at_s - held_s) * min(there, job.size)

    def _write(self, job: Job, count: int) -> None:
        write, buffer, whole, pop = self._wire.write, job.buffer, len(job.buffer), job.behind.pop
        batch = [pop() for _ in range(count)]
        short: list[tuple[int, int]] = []
        gone: list[int] = []
        for listener in batch:
            try:
                sent = write(listener, buffer)
                if sent != whole:
                    short.append((listener, sent))
            except BlockingIOError:
                short.append((listener, 0))
            except OSError:
                gone.append(listener)
        self.counters.writes += count
        self.counters.planned_writes += count
        self.counters.sent_bytes += whole * (count - len(short) - len(gone))
        for listener, sent in short:
            self.counters.sent_bytes += sent
            rest = memoryview(buffer)[sent:]
            self._fall_behind(job.lane, listener, rest, position=job.last, ends=job.ends)
        self.dismiss(gone)
        if job.ends:
            for listener in batch:
                if listener in self.seats:
                    self._finish(listener)

    # --- laggards ------------------------------------------------------------------------------------

    def _fall_behind(
        self, lane: Lane, listener: int, rest: memoryview, *, position: int, ends: bool = False
    ) -> None:
        cadence = self.seats[listener].cadence
        self.leave(listener)
        self.laggards[listener] = Laggard(lane, cadence, rest, position, ends)
        lane.lagging += 1
        self.counters.lagged += 1
        self._wire.watch_writable(listener, wanted=True)

    def writable(self, listener: int) -> None:
        """A laggard's connection takes bytes again: give it what it lacks, until it is in step."""
        laggard = self.laggards[listener]
        for _ in range(LAGGARD_WRITES_PER_TURN_MAX):
            if not laggard.rest and self._in_step(listener, laggard):
                return
            try:
                sent = self._wire.write(listener, laggard.rest)
            except BlockingIOError:
                return
            except OSError:
                self.dismiss([listener])
                return
            self.counters.writes += 1
            self.counters.sent_bytes += sent
            laggard.rest = laggard.rest[sent:]
            if laggard.rest:
                return

    def _in_step(self, listener: int, laggard: Laggard) -> bool:
        """Whether the laggard has rejoined a group or got its end; if not, `rest` is what it needs next."""
        lane, ring = laggard.lane, laggard.lane.feed.ring
        newest = laggard.position if ring.newest is None else ring.newest
        lag = newest - laggard.position
        if laggard.ends:
            self._finish(listener)
            return True
        if lane.ending is not None and lag == 0:
            laggard.rest, laggard.ends = memoryview(lane.ending), True
            return False
        cadence = lane.cohort.cadence_for(laggard.cadence, newest=newest)
        if lane.ending is None and lag < cadence and laggard.position >= ring.floor - 1:
            self.leave(listener)
            lane.cohort.join(listener, lane.cohort.group(cadence, laggard.position))
            self._wire.watch_writable(listener, wanted=False)
            return True
        oldest = ring.oldest
        if lag > LAGGARD_CHUNKS_MAX or (oldest is not None and laggard.position + 1 < oldest):
            laggard.rest = self._move(lane.feed, laggard, newest)
            laggard.position = newest
        else:
            piece, laggard.position = lane.feed.piece(laggard.position + 1)
            laggard.rest = memoryview(piece)
        return False

    def _move(self, feed: Feed, laggard: Laggard, newest: int) -> memoryview:
        first = feed.first_of_burst(newest, chunks=laggard.cadence + START_CHUNKS, size_bytes=0)
        first = max(first, laggard.position + 1)
        self.counters.moved += 1
        self.counters.skipped += first - laggard.position - 1
        moved = moved_frame(to_seq=first, missed=first - laggard.position - 1) if feed.framed else b""
        return memoryview(moved + feed.span(first, newest))


def moved_frame(*, to_seq: int, missed: int) -> bytes:
    return event_frame("moved", to_seq=to_seq, missed=missed)
