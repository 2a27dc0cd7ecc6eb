"""One conversation on its way to the disk: heard on the bus, handed to the writer's thread twice a second."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from typing import Final, TypeVar

import structlog

from rostra.audio.frame import PCM16_FRAME_BYTES
from rostra.bus.connection import Connection
from rostra.bus.hops import follow_hops
from rostra.bus.programme import fetch_chunks, follow_programme
from rostra.bus.roster import RosterLog
from rostra.bus.seats import call_seats, follow_seats
from rostra.bus.state import read_init
from rostra.core.conversation import is_over, parse_id
from rostra.core.errors import BadInputError, BusError
from rostra.core.limits import (
    PROGRAMME_RETENTION_S,
    RECORDING_PENDING_CHUNKS_MAX,
    RECORDING_PENDING_ENTRIES_MAX,
    RECORDING_PENDING_FRAMES_MAX,
    RECORDING_STEMS_MAX,
    RECORDING_SYNC_S,
)
from rostra.core.messages import Chunk, ConversationRecord, FeedFrames
from rostra.core.records import from_record
from rostra.core.units import CHUNK_NS, SECOND_NS
from rostra.recorder import layout
from rostra.recorder.journal import AnyEntry, Arrived, Captioned, Conversing, Happened, Named, Seated
from rostra.recorder.tracks import HOLE_PATIENCE_S, Piece, ReorderBuffer
from rostra.recorder.writer import Batch, Writer

_log = structlog.get_logger()
RENDITION: Final = "ogg-64"
_REACH_CHUNKS: Final = PROGRAMME_RETENTION_S * SECOND_NS // CHUNK_NS
# The stage says its last words within 15 s of the end; who has heard nothing for longer will hear nothing more.
_CLOSING_S: Final = 20.0
_RETRY_S: Final = 1.0
_NUMBER_MAX: Final = 10**12  # what the name of a segment has room for: 600 years of frames
_Result = TypeVar("_Result")


class Recording:
    """Records one conversation until its last chunk, or until it is over and quiet.

    While the disk cannot be written, sound waits in memory (RECORDING_PENDING_CHUNKS_MAX, and as long of each seat;
    the oldest goes, counted), and is tried again once a second.
    """

    def __init__(self, connection: Connection, writer: Writer, record: ConversationRecord, *, stems: bool) -> None:
        self.failures = 0
        self.refused_pieces = 0
        self.done: Counter[str] = Counter()  # for evidence
        self._connection = connection
        self._writer = writer
        self._record = record
        self._stems = stems
        cursor = writer.journal.cursor(layout.PROGRAMME)
        first_seq = 0 if cursor is None else cursor.number
        self._chunks = ReorderBuffer(first_seq, pieces_max=RECORDING_PENDING_CHUNKS_MAX)
        self._newest_seq = first_seq - 1
        self._frames: dict[str, ReorderBuffer] = {}
        self._entries: deque[AnyEntry] = deque(maxlen=RECORDING_PENDING_ENTRIES_MAX)
        self._seated = writer.journal.seats[-1].seats if writer.journal.seats else []
        self._heard_s = time.monotonic()
        self._heard_end = False
        self._is_closed = writer.journal.closed is not None
        # A thread of its own: a disk that hangs under one recording holds up no other.
        self._disk = ThreadPoolExecutor(1, thread_name_prefix=record.id)
        self.update(record)

    @property
    def pending_chunks(self) -> int:
        return len(self._chunks)

    @property
    def dropped_chunks(self) -> int:
        return self._chunks.dropped_pieces

    def update(self, record: ConversationRecord) -> None:
        """Take over what the state bucket says now."""
        self._record = record
        self._entries.append(
            Conversing(
                time.time_ns(),
                record.id,
                record.title,
                record.starts_ns,
                record.doors_ns,
                record.timezone,
                record.language,
                record.state,
                record.since_ns,
            )
        )

    async def run(self, finish: Callable[[], _Result]) -> _Result:
        """Record to the end, then do `finish` in the writer's thread, while nobody else can have the recording."""
        try:
            if not self._is_closed:
                await self._record_all()
            return await self._on_disk(finish)
        finally:
            self._disk.submit(self._leave)
            self._disk.shutdown(wait=False)

    async def _record_all(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            background = [tasks.create_task(self._listen(), name=f"{self._record.id}: chunks")]
            if self._stems:
                gathering, calling = self._gather(), call_seats(self._connection, self._record.id)
                background.append(tasks.create_task(gathering, name=f"{self._record.id}: seats"))
                background.append(tasks.create_task(calling, name=f"{self._record.id}: calls"))
            roster = RosterLog(self._connection, self._record.id)
            background.append(tasks.create_task(roster.run(), name=f"{self._record.id}: roster"))
            background.append(tasks.create_task(self._learn_names(roster), name=f"{self._record.id}: names"))
            background.append(tasks.create_task(self._follow_hops(), name=f"{self._record.id}: hops"))
            while True:
                synced = await self._sync()
                if self._is_finished() and not self._chunks and await self._close():
                    break
                await asyncio.sleep(RECORDING_SYNC_S if synced else _RETRY_S)
            for task in background:
                task.cancel()

    # --- hearing -----------------------------------------------------------------------------------

    async def _listen(self) -> None:
        following = follow_programme(self._connection, self._record.id, reach_chunks=_REACH_CHUNKS)
        async with aclosing(following) as chunks:
            async for chunk in chunks:
                self._heard_s = time.monotonic()
                self._hear(chunk)

    def _hear(self, chunk: Chunk) -> None:
        if not 0 <= chunk.seq < _NUMBER_MAX or RENDITION not in chunk.media:
            self.refused_pieces += 1
            return
        if not self._chunks.offer(Piece(chunk.seq, 1, chunk.wall_ns - CHUNK_NS, chunk.media[RENDITION])):
            return
        now_ns = time.time_ns()
        self._entries += [Happened(now_ns, chunk.seq, event) for event in chunk.events]
        stays = (caption for caption in chunk.captions if caption.status != "partial")
        self._entries += [Captioned(now_ns, chunk.seq, caption) for caption in stays]
        seated = sorted(chunk.heard)
        if seated != self._seated and chunk.seq > self._newest_seq:
            self._seated = seated
            self._entries.append(Seated(now_ns, chunk.seq, seated))
        self._newest_seq = max(self._newest_seq, chunk.seq)
        self._heard_end = self._heard_end or chunk.last

    async def _fill_hole(self) -> None:
        """Ask once more: a chunk that was not stored yet when it was asked for is there a moment later."""
        hole, room = self._chunks.hole, RECORDING_PENDING_CHUNKS_MAX - len(self._chunks)
        if hole is not None and room > 0:
            first = max(hole.start, hole.stop - room)
            for chunk in await fetch_chunks(self._connection, self._record.id, first, hole.stop):
                self._hear(chunk)

    async def _gather(self) -> None:
        async with aclosing(follow_seats(self._connection, self._record.id)) as arrivals:
            async for frames in arrivals:
                piece = _piece(frames)
                waiting = None if piece is None else self._waiting(frames.seat)
                if piece is None or waiting is None:
                    self.refused_pieces += 1
                else:
                    waiting.offer(piece)

    async def _learn_names(self, roster: RosterLog) -> None:
        known = dict(self._writer.journal.names)
        while True:
            await roster.beyond(roster.number)
            names = {seated.person: seated.name for seated in roster.roster.seats}
            if new := {person: name for person, name in names.items() if known.get(person) != name}:
                known |= new
                self._entries.append(Named(time.time_ns(), new))

    async def _follow_hops(self) -> None:
        """How each voice came here: what a gate and a stage said of it, beside the chunk that was heard then."""
        async with aclosing(follow_hops(self._connection, self._record.id)) as reports:
            async for each in reports:
                self._entries.append(
                    Arrived(
                        each.at_ns,
                        max(0, self._newest_seq),
                        each.hop,
                        each.seat,
                        each.since_ns,
                        each.path,
                        each.counts,
                    )
                )

    def _waiting(self, seat: str) -> ReorderBuffer | None:
        """The frames of `seat` that are to be written; None if there are too many seats."""
        if seat not in self._frames:
            if len(self._frames) >= RECORDING_STEMS_MAX:
                return None
            cursor = self._writer.journal.cursor(layout.stem(seat))
            next_number = None if cursor is None else cursor.number
            self._frames[seat] = ReorderBuffer(next_number, pieces_max=RECORDING_PENDING_FRAMES_MAX)
        return self._frames[seat]

    def _is_finished(self) -> bool:
        over = is_over(from_record(self._record).state)
        return self._heard_end or (over and time.monotonic() - self._heard_s > _CLOSING_S)

    # --- writing -----------------------------------------------------------------------------------

    async def _sync(self) -> bool:
        """Put what has gathered on the disk; False if that could not be done: it waits on."""
        if self._writer.programme_header is None and not await self._fetch_header():
            return True  # the stage has not said how the sound begins: chunks wait for it
        await self._fill_hole()
        batch = self._take(patience_s=0.0 if self._is_finished() else HOLE_PATIENCE_S)
        if await self._try(lambda: self._writer.write(batch, now_ns=time.time_ns())):
            self.done.update(
                pieces_written=len(batch.pieces), piece_bytes=sum(len(piece.payload) for _, piece in batch.pieces)
            )
            return True
        self._put_back(batch)
        return False

    async def _close(self) -> bool:
        heard_end = self._heard_end
        self._is_closed = await self._try(lambda: self._writer.finish(heard_end=heard_end, now_ns=time.time_ns()))
        return self._is_closed

    async def _try(self, work: Callable[[], None]) -> bool:
        try:
            await self._on_disk(work)
        except OSError as error:
            self.failures += 1
            _log.error("recording.failed", conversation=self._record.id, error=str(error), failures=self.failures)
            return False
        return True

    async def _fetch_header(self) -> bool:
        try:
            init = await read_init(self._connection, self._record.id)
        except (BadInputError, BusError):
            return False
        self._writer.programme_header = None if init is None else init.media.get(RENDITION)
        return self._writer.programme_header is not None

    def _take(self, *, patience_s: float = HOLE_PATIENCE_S) -> Batch:
        now_s = time.monotonic()
        pieces = [(layout.PROGRAMME, piece) for piece in self._chunks.take(now_s, patience_s=patience_s)]
        for seat, waiting in self._frames.items():
            pieces += [(layout.stem(seat), piece) for piece in waiting.take(now_s, patience_s=patience_s)]
        batch = Batch(pieces, list(self._entries))
        self._entries.clear()
        return batch

    def _put_back(self, batch: Batch) -> None:
        """What could not be written is older than what has come meanwhile; the oldest of all goes first."""
        self._chunks.put_back([piece for track, piece in batch.pieces if track == layout.PROGRAMME])
        for seat, waiting in self._frames.items():
            waiting.put_back([piece for track, piece in batch.pieces if track == layout.stem(seat)])
        entries = [*batch.entries, *self._entries]
        self._entries.clear()
        self._entries += entries

    async def _on_disk(self, work: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)

    def _leave(self) -> None:
        """What is still in memory goes to the disk if it can be: the process is stopping, or all is there."""
        try:
            if not self._is_closed and self._writer.programme_header is not None:
                with suppress(OSError):
                    self._writer.write(self._take(patience_s=0.0), now_ns=time.time_ns())
        finally:
            self._writer.release()


def _piece(frames: FeedFrames) -> Piece | None:
    """The sound of a seat's message; None if a stem cannot hold it."""
    count, rest = divmod(len(frames.pcm), PCM16_FRAME_BYTES)
    if rest or not count or not 0 <= frames.seq < _NUMBER_MAX:
        return None
    try:
        parse_id(frames.seat)
    except BadInputError:
        return None
    return Piece(frames.seq, count, frames.due_ns, frames.pcm)
