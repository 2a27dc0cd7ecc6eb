"""One recording's files: written and synced a batch at a time, in a thread; taken up again after a crash.

A batch is on the disk as a whole, or it is as if it had not been: then the caller keeps it and tries again, and
every track goes on in a new segment.
"""

import errno
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

from rostra.audio.containers import ogg
from rostra.audio.flac import HEADER_BYTES, with_length
from rostra.audio.frame import PCM16_FRAME_BYTES
from rostra.core.limits import RECORDING_DISK_FREE_MIN_BYTES, RECORDING_SEGMENTS_MAX, RECORDING_STEMS_OPEN_MAX
from rostra.core.units import FRAME_NS, FRAME_SAMPLES
from rostra.disk import blocks, sync, try_lock, write_whole
from rostra.recorder import layout
from rostra.recorder.coders import HELD_MAX_BYTES, Coder, Pages, stem_coder
from rostra.recorder.journal import AnyEntry, Closed, Journal, Level, Levels, Opened, Synced, read, summed, to_line
from rostra.recorder.level import LevelMeter
from rostra.recorder.tracks import Cursor, Piece, Placement, after, place

StemFormat = Literal["flac", "opus"]


@dataclass(slots=True)
class Batch:
    """What has come since the last one: sound by track in the order of its coming, and lines for the journal."""

    pieces: list[tuple[str, Piece]] = field(default_factory=list)
    entries: list[AnyEntry] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _Open:
    """A segment that is being written. With each batch that is on the disk as a whole it is `settled`."""

    name: layout.SegmentName
    file: IO[bytes]
    coder: Coder
    numbers: int = 0
    size: int = 0
    settled_size: int = 0
    _newest: bytes = b""  # payload, as much as a coder can hold back
    _held: bytes = b""  # of what is settled, the payload that the coder held back

    def put(self, payload: bytes, count: int) -> None:
        self.put_bytes(self.coder.encode(payload))
        self.numbers += count
        self._newest = (self._newest + payload)[-HELD_MAX_BYTES:]

    def put_bytes(self, data: bytes) -> None:
        write_whole(self.file, data)
        self.size += len(data)

    def sync(self) -> tuple[int, int]:
        """The number after the last that is on the disk, and the bytes."""
        os.fsync(self.file.fileno())
        return self.name.first + self.numbers - self.coder.held, self.size

    def settle(self) -> None:
        self.settled_size = self.size
        self._held = self._newest[-self.coder.held * PCM16_FRAME_BYTES :] if self.coder.held else b""

    def rest(self, cursor: Cursor) -> Piece | None:
        """What only the coder had of what is settled, which reaches to `cursor`."""
        count = len(self._held) // PCM16_FRAME_BYTES
        starts_ns = cursor.starts_ns - count * FRAME_NS
        return Piece(cursor.number - count, count, starts_ns, self._held) if count else None


class Writer:
    """Writes one recording. Belongs to one thread at a time; every method may take as long as a disk does."""

    def __init__(self, folder: Path, lock: IO[bytes], *, stems: StemFormat, now_ns: int) -> None:
        self.folder = folder
        self.programme_header: bytes | None = None  # must be known before the first chunk is written
        self.refused_pieces = 0
        self._lock = lock
        self._stem_suffix = layout.SUFFIXES[stems]
        self._open: dict[str, _Open] = {}
        self._meter = LevelMeter()
        self._journal = (folder / layout.JOURNAL).open("ab", buffering=0)
        try:
            self.journal = self._resumed(now_ns)
        except BaseException:
            self._journal.close()
            raise
        self._segments = len(self.journal.segments)
        self._cursors: dict[str, Cursor | None] = {each: self.journal.cursor(each) for each in self.journal.tracks}
        self._because = dict.fromkeys(self._cursors, "restart")
        self._rest: dict[str, Piece] = {}  # what coders of abandoned segments held back: it goes into the next ones

    def _resumed(self, now_ns: int) -> Journal:
        """What the recorder before us has left, once what is torn has been cut off. OSError, BadInputError."""
        before, whole = read((self.folder / layout.JOURNAL).read_bytes())
        self._journal.truncate(whole)
        self._journal_bytes = whole
        journal = summed(before)
        if not before or journal.closed is not None:
            return journal
        repair = Synced(now_ns, _repaired(self.folder, journal))
        self._append([repair])
        return summed([*before, repair])

    def write(self, batch: Batch, *, now_ns: int) -> None:
        """Put `batch` on the disk. OSError if that cannot be done; then nothing of it has been written."""
        with self._or_as_before():
            self._write([*self._rest.items(), *batch.pieces], batch.entries, now_ns)
        self._rest.clear()

    def finish(self, *, heard_end: bool, now_ns: int) -> None:
        """Nothing more comes. OSError as `write`."""
        with self._or_as_before():
            done = {str(segment.name): self._close(segment) for segment in list(self._open.values())}
            self._append([Synced(now_ns, done), Closed(now_ns, heard_end)])

    @contextmanager
    def _or_as_before(self) -> Iterator[None]:
        """If the work fails with OSError, go back to what was settled before it."""
        before, cursors, segments = list(self._open.values()), dict(self._cursors), self._segments
        try:
            yield
        except OSError:
            self._cursors, self._segments = cursors, segments
            self._abandon([*before, *(each for each in self._open.values() if each not in before)])
            raise
        for segment in self._open.values():
            segment.settle()

    def release(self) -> None:
        """Let go of every file; what is not synced may be lost."""
        for segment in self._open.values():
            segment.file.close()
        self._journal.close()
        self._lock.close()

    # --- a batch -----------------------------------------------------------------------------------

    def _write(self, pieces: Iterable[tuple[str, Piece]], entries: Iterable[AnyEntry], now_ns: int) -> None:
        if shutil.disk_usage(self.folder).free < RECORDING_DISK_FREE_MIN_BYTES:
            raise OSError(errno.ENOSPC, "too little room is left for the others")
        closed: dict[str, tuple[int, int]] = {}
        levels: dict[int, Level] = {}
        for track, piece in pieces:
            placement = place(piece, self._cursors.get(track), paused_matters=track != layout.PROGRAMME)
            if placement is Placement.DROP:
                continue
            appended = placement is Placement.APPEND and track in self._open
            if not appended:
                closed |= self._begin(track, piece, now_ns)
            segment = self._open.get(track)
            if segment is None:
                self.refused_pieces += 1
                continue
            segment.put(piece.payload, piece.count)
            cursor = self._cursors[track] if appended else None
            self._cursors[track] = after(piece, cursor, unit_ns=layout.unit_ns(track))
            if track == layout.PROGRAMME:
                levels[piece.number] = self._meter.add(piece.payload)
        synced = {
            str(segment.name): segment.sync()
            for segment in self._open.values()
            if segment.size != segment.settled_size
        }
        lines = list(entries)
        for first, run in _runs(levels):
            lines.append(Levels(now_ns, first, [level.lufs for level in run], [level.peak_dbtp for level in run]))
        if closed or synced:
            lines.append(Synced(now_ns, closed | synced))
        self._append(lines)

    def _begin(self, track: str, piece: Piece, now_ns: int) -> dict[str, tuple[int, int]]:
        """Open the segment of `track` that begins with `piece`; what was synced of those that are closed for it."""
        closed = {}
        if track in self._open:
            former = self._open[track]
            closed[str(former.name)] = self._close(former)
        elif len(self._open) > RECORDING_STEMS_OPEN_MAX:
            quiet = min(
                (each for name, each in self._open.items() if name != layout.PROGRAMME),
                key=lambda each: each.name.first + each.numbers,
            )
            closed[str(quiet.name)] = self._close(quiet)
        if self._segments >= RECORDING_SEGMENTS_MAX and track != layout.PROGRAMME:
            return closed
        coder: Coder
        if track == layout.PROGRAMME:
            assert self.programme_header is not None
            coder, suffix = Pages(self.programme_header), "ogg"
        else:
            coder, suffix = stem_coder(self._stem_suffix), self._stem_suffix
        because = self._because.pop(track, None)
        if because is None:
            cursor = self._cursors.get(track)
            because = "begin" if cursor is None else "hole" if cursor.number != piece.number else "pause"
        name = layout.SegmentName(track, piece.number, suffix)
        self._append([Opened(now_ns, str(name), piece.starts_ns, because)], durable=False)
        # A file of that name can only be one that the journal says is empty.
        segment = _Open(name, (self.folder / str(name)).open("wb", buffering=0), coder)
        self._open[track] = segment
        self._segments += 1
        segment.put_bytes(coder.header)
        sync(self.folder)
        return closed

    def _close(self, segment: _Open) -> tuple[int, int]:
        """Write what is held back and the length, close the file, and tell what was synced of it."""
        segment.put_bytes(segment.coder.finish())
        if segment.name.suffix == "flac":
            _tell_length(self.folder / str(segment.name), segment.numbers * FRAME_SAMPLES)
        end, size = segment.sync()
        segment.file.close()
        self._open.pop(segment.name.track, None)
        return end, size

    def _append(self, entries: list[AnyEntry], *, durable: bool = True) -> None:
        lines = b"".join(to_line(entry) for entry in entries)
        if not lines:
            return
        write_whole(self._journal, lines)
        if durable:
            os.fsync(self._journal.fileno())
            self._journal_bytes = os.fstat(self._journal.fileno()).st_size

    def _abandon(self, segments: Iterable[_Open]) -> None:
        """Leave `segments` with what is settled in them, and none open. Nothing here needs room on the disk."""
        for segment in segments:
            track, path = segment.name.track, self.folder / str(segment.name)
            if (cursor := self._cursors.get(track)) is not None and (rest := segment.rest(cursor)) is not None:
                self._rest[track] = rest
                self._cursors[track] = Cursor(rest.number, rest.starts_ns)
            with suppress(OSError):
                if segment.settled_size:
                    os.truncate(path, segment.settled_size)
                else:
                    path.unlink()
            with suppress(OSError):
                segment.file.close()
        self._open.clear()
        for track in self._cursors:
            self._because.setdefault(track, "disk")
        with suppress(OSError):
            self._journal.truncate(self._journal_bytes)


def claim(folder: Path, *, stems: StemFormat, now_ns: int) -> Writer | None:
    """The writer of the recording in `folder`, which is made; None while another process has it. OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / layout.LOCK).open("ab")
    if not try_lock(lock):
        lock.close()
        return None
    try:
        return Writer(folder, lock, stems=stems, now_ns=now_ns)
    except BaseException:
        lock.close()
        raise


def _repaired(folder: Path, journal: Journal) -> dict[str, tuple[int, int]]:
    """What the last segment of each track holds after a crash, once what is not whole has been cut off."""
    held = {}
    for track in journal.tracks:
        segment = max(
            (each for each in journal.segments.values() if each.track == track), key=lambda each: each.first
        )
        path = folder / segment.file
        end, size = segment.end, segment.size
        if track == layout.PROGRAMME and path.exists():
            end, size = _whole_pages(path, segment.first)
        if end == segment.first:
            path.unlink(missing_ok=True)
            held[segment.file] = (end, 0)
        elif path.exists() and path.stat().st_size >= size:
            os.truncate(path, size)
            held[segment.file] = (end, size)
    return held


def _whole_pages(path: Path, first: int) -> tuple[int, int]:
    """The number after the last whole page of a programme's segment, and where that page ends."""
    end, size = first, 0
    for page in ogg.pages(blocks(path)):
        number = ogg.number(page)
        if number is not None and number != end:
            break
        size += len(page)
        end += number is not None
    return end, size


def _tell_length(path: Path, samples: int) -> None:
    with path.open("r+b") as file:
        header = with_length(file.read(HEADER_BYTES), samples)
        file.seek(0)
        file.write(header)


def _runs(levels: Mapping[int, Level]) -> Iterator[tuple[int, list[Level]]]:
    """Levels by chunk as runs of consecutive chunks."""
    first, run = 0, list[Level]()
    for number, level in levels.items():
        if run and number != first + len(run):
            yield first, run
            run = []
        if not run:
            first = number
        run.append(level)
    if run:
        yield first, run
