"""The programme on the bus: published in order and acknowledged, followed without a gap."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Final

import structlog

from rostra.bus.connection import Connection
from rostra.bus.subjects import PROGRAMME_STREAM, chunk_subject
from rostra.core.errors import BadInputError, BusError, ConflictError, StorageError
from rostra.core.limits import MEDIA_HEARTBEAT_LOST_MS, PUBLISH_BACKLOG_CHUNKS_MAX, RING_CHUNKS_MAX
from rostra.core.messages import Chunk, decode, encode

_log = structlog.get_logger()
# Acknowledgements may take this many chunks (1 s) to cross a cluster before publishing waits for them.
_IN_FLIGHT_MAX: Final = 10
_RETRY_S: Final = 0.05
# Who can read the lease but not store for so long has a bus without a disk; a new connection is a new chance.
_DOUBT_NS: Final = 500_000_000
_LATE_NS: Final = MEDIA_HEARTBEAT_LOST_MS * 1_000_000 // 2  # nobody takes over before twice this


class ProgrammePublisher:
    """Publishes one conversation's chunks in order; keeps them while the bus is away.

    The backlog is bounded (PUBLISH_BACKLOG_CHUNKS_MAX); when it is full the oldest chunk goes and is counted.
    Each chunk is written once and for all: if another stage has written that number, ours is refused.
    Chunks that come late (the process was frozen, the bus was away) are published only if `may_publish`
    says that the lease is still ours: meanwhile another stage may have gone on from there. If it is not,
    this one is `deposed`: nothing more of it is published until `reinstate`.
    If the bus is there but cannot store (its disk is full), chunks still reach whoever is connected: they are
    let go unstored, counted. Nobody acknowledges those, so the newest of them are published once more on the
    next connection: the old one may have died with them.
    """

    def __init__(
        self, connection: Connection, *, may_publish: Callable[[], Awaitable[bool]], clock_ns: Callable[[], int]
    ) -> None:
        self._connection = connection
        self._may_publish = may_publish
        self._clock_ns = clock_ns
        self._backlog: deque[Chunk] = deque()
        self._offered = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self.dropped_chunks = 0
        self.refused_chunks = 0
        self.unstored_chunks = 0
        self.deposed = False
        self._doubted_ns: int | None = None
        self._unstorable_since: float | None = None  # the connection on which nothing can be stored
        self._unacknowledged: deque[Chunk] = deque(maxlen=_IN_FLIGHT_MAX)

    @property
    def backlog_chunks(self) -> int:
        return len(self._backlog)

    def reinstate(self) -> None:
        """There is a new lease."""
        self.deposed = False

    def offer(self, chunk: Chunk) -> None:
        if self.deposed:
            self.refused_chunks += 1
            return
        if len(self._backlog) >= PUBLISH_BACKLOG_CHUNKS_MAX:
            self._backlog.popleft()
            self.dropped_chunks += 1
        self._backlog.append(chunk)
        self._empty.clear()
        self._offered.set()

    async def run(self) -> None:
        """Publish for ever. After a failure everything unacknowledged is sent again, oldest first."""
        while True:
            await self._offered.wait()
            self._offered.clear()
            while self._backlog:
                batch = [self._backlog[i] for i in range(min(len(self._backlog), _IN_FLIGHT_MAX))]
                if not await self._hand_on(batch):
                    await asyncio.sleep(_RETRY_S)
            self._empty.set()

    async def _hand_on(self, batch: list[Chunk]) -> bool:
        """Whether `batch` is done with."""
        connected_since = self._connection.connected_since
        if connected_since is not None and connected_since == self._unstorable_since:
            return await self._spread(batch)
        if self._unacknowledged and connected_since is not None:
            self._backlog.extendleft(reversed(self._unacknowledged))
            self._unacknowledged.clear()
            return True
        if not await self._confirmed(batch[0]):
            return False
        try:
            stored = await self._publish(batch)
        except StorageError as error:
            now_ns = self._clock_ns()
            self._doubted_ns = self._doubted_ns or now_ns
            if now_ns - self._doubted_ns >= _DOUBT_NS:
                _log.error("chunk.unstorable", conversation=batch[0].conversation, error=str(error))
                self._unstorable_since = connected_since
            return False
        self._doubted_ns = None
        return stored

    async def _spread(self, batch: list[Chunk]) -> bool:
        """Past the stream, which nobody can write (nor can anybody take the lease): to whoever is connected."""
        try:
            for chunk in batch:
                await self._connection.publish(chunk_subject(chunk.conversation, chunk.seq), encode(chunk))
        except BusError:
            return False
        self.unstored_chunks += len(batch)
        self._unacknowledged.extend(batch)
        self._forget(batch)
        return True

    def _forget(self, batch: list[Chunk]) -> None:
        for chunk in batch:
            if self._backlog and self._backlog[0] is chunk:
                self._backlog.popleft()

    async def drained(self) -> None:
        """Return when everything offered so far has been acknowledged."""
        await self._empty.wait()

    async def _confirmed(self, oldest: Chunk) -> bool:
        """Whether publishing may go on; if the lease is lost everything that waits is void, and what follows."""
        if self._clock_ns() - oldest.wall_ns < _LATE_NS:
            return True
        try:
            if await self._may_publish():
                return True
        except BusError:
            return False
        self.deposed = True
        self._unacknowledged.clear()
        self.refused_chunks += len(self._backlog)
        self._backlog.clear()
        return False

    async def _publish(self, batch: list[Chunk]) -> bool:
        """Whether the whole batch is stored. StorageError if the bus answers that it cannot."""
        # Tasks of a group start in the order of their making, and one connection keeps that order.
        async with asyncio.TaskGroup() as tasks:
            storing = [tasks.create_task(self._store(chunk), name=f"chunk {chunk.seq}") for chunk in batch]
        failures = [failure for task in storing if (failure := task.result()) is not None]
        if not failures:
            self._forget(batch)
            return True
        if all(isinstance(failure, StorageError) for failure in failures):
            raise failures[0]
        return False

    async def _store(self, chunk: Chunk) -> BusError | None:
        """What went wrong, as a value: one failure must not cancel the chunks that are under way."""
        try:
            await self._connection.store(
                chunk_subject(chunk.conversation, chunk.seq),
                encode(chunk),
                message_id=f"{chunk.conversation}.{chunk.epoch}.{chunk.seq}",
                expected_revision=0,
            )
        except ConflictError:
            self.refused_chunks += 1
        except BusError as error:
            return error
        return None


async def follow_programme(
    connection: Connection, conversation: str, *, reach_chunks: int = RING_CHUNKS_MAX
) -> AsyncGenerator[Chunk, None]:
    """The newest chunks (`reach_chunks` at most), then each new one, in order of `seq`, for ever.

    A hole in the numbers (the bus was restarted, a message was lost) is filled from the stream, as far as
    `reach_chunks` back, before what follows is handed on. Chunks of an older epoch than the newest one heard are
    dropped.
    """
    next_seq = 0  # if nothing is stored yet, what was published just before we came is a hole too
    epoch = 0
    async with aclosing(connection.subscribe(chunk_subject(conversation, "*"))) as messages:
        for chunk in await stored_chunks(connection, conversation, reach_chunks=reach_chunks):
            epoch = max(epoch, chunk.epoch)
            next_seq = chunk.seq + 1
            yield chunk
        async for message in messages:
            newest = _parse(message.data)
            if newest is None or newest.epoch < epoch or newest.seq < next_seq:
                continue
            if newest.seq > next_seq:
                first = max(next_seq, newest.seq - reach_chunks)
                for missed in await fetch_chunks(connection, conversation, first, newest.seq):
                    epoch = max(epoch, missed.epoch)
                    yield missed
            epoch = max(epoch, newest.epoch)
            next_seq = newest.seq + 1
            yield newest


async def last_chunk(connection: Connection, conversation: str) -> Chunk | None:
    stored = await connection.last_of_any(PROGRAMME_STREAM, chunk_subject(conversation, "*"))
    return None if stored is None else _parse(stored.payload)


async def stored_chunks(
    connection: Connection, conversation: str, *, reach_chunks: int = RING_CHUNKS_MAX
) -> list[Chunk]:
    """The newest chunks in the stream, `reach_chunks` at most; none while the bus is away."""
    try:
        last = await last_chunk(connection, conversation)
    except BusError:
        return []
    if last is None:
        return []
    return await fetch_chunks(connection, conversation, max(0, last.seq + 1 - reach_chunks), last.seq + 1)


async def fetch_chunks(connection: Connection, conversation: str, first: int, end: int) -> list[Chunk]:
    """Chunks [first, end) that the stream still has, in order of `seq`."""
    chunks: list[Chunk] = []
    for start in range(first, end, RING_CHUNKS_MAX):  # one answer holds 1,024 messages at most (ADR-31)
        subjects = [chunk_subject(conversation, seq) for seq in range(start, min(end, start + RING_CHUNKS_MAX))]
        try:
            found = await connection.last_of_each(PROGRAMME_STREAM, subjects)
        except BusError as error:
            _log.warning("chunk.unfetched", conversation=conversation, first=start, end=end, error=str(error))
            break
        chunks += [chunk for stored in found if (chunk := _parse(stored.payload)) is not None]
    return sorted(chunks, key=lambda chunk: chunk.seq)


def _parse(payload: bytes) -> Chunk | None:
    try:
        message = decode(payload)
    except BadInputError as error:
        _log.warning("chunk.refused", error=str(error))
        return None
    return message if isinstance(message, Chunk) else None
