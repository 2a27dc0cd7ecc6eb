"""One recording's files: written and synced a batch at a time, in a thread; taken up again after a crash.

A batch is on the disk as a whole, or it is as if it had not been: then the caller keeps it and tries again, and
every track goes on in a new segment.
"""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, Literal

from rostra.audio.containers import ogg
from rostra.audio.flac import HEADER_BYTES, with_length
from rostra.core.limits import RECORDING_DISK_FREE_MIN_BYTES, RECORDING_SEGMENTS_MAX, RECORDING_STEMS_OPEN_MAX
from rostra.core.units import FRAME_SAMPLES
from rostra.recorder import layout
from rostra.recorder.coders import Coder, Pages, stem_coder
from rostra.recorder.journal import AnyEntry, Closed, Journal, Levels, Opened, Synced, read, summed, to_line
from rostra.recorder.level import Level, LevelMeter
from rostra.recorder.tracks import Cursor, Piece, Placement, after, place

StemFormat = Literal["flac", "opus"]
_READ_BYTES: Final = 1 << 20


@dataclass(slots=True)
class Batch:
    """What has come since the last one: sound by track in the order of its coming, and lines for the journal."""

    pieces: list[tuple[str, Piece]] = field(default_factory=list)
    entries: list[AnyEntry] = field(default_factory=list)


@dataclass(slots=True)
class _Open:
    """A segment that is being written. `synced_bytes` of it are on the disk."""

    name: layout.SegmentName
    file: IO[bytes]
    coder: Coder
    numbers: int = 0
    size: int = 0
    synced_bytes: int = 0

    def put(self, data: bytes) -> None:
        _write_whole(self.file, data)
        self.size += len(data)

    def sync(self) -> tuple[int, int]:
        """The number after the last that is on the disk, and the bytes."""
        os.fsync(self.file.fileno())
        self.synced_bytes = self.size
        return self.name.first + self.numbers - self.coder.held, self.size


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
        before, whole = read((folder / layout.JOURNAL).read_bytes())
        self._journal.truncate(whole)
        self._journal_bytes = whole
        self.journal = summed(before)
        self._segments = len(self.journal.segments)
        if before and self.journal.closed is None:
            repair = Synced(now_ns, _repaired(folder, self.journal))
            try:
                self._append([repair])
            except OSError:
                self._journal.close()
                raise
            self.journal = summed([*before, repair])
        self._cursors: dict[str, Cursor | None] = {each: self.journal.cursor(each) for each in self.journal.tracks}
        self._because = dict.fromkeys(self._cursors, "restart")

    def write(self, batch: Batch, *, now_ns: int) -> None:
        """Put `batch` on the disk. OSError if that cannot be done; then nothing of it has been written."""
        cursors = dict(self._cursors)
        try:
            self._write(batch, now_ns)
        except OSError:
            self._cursors = cursors
            self._abandon()
            raise

    def finish(self, *, heard_end: bool, now_ns: int) -> None:
        """Nothing more comes. OSError as `write`."""
        try:
            done = {str(segment.name): self._close(segment) for segment in list(self._open.values())}
            self._append([Synced(now_ns, done), Closed(now_ns, heard_end)])
        except OSError:
            self._abandon()
            raise

    def release(self) -> None:
        """Let go of every file; what is not synced may be lost."""
        for segment in self._open.values():
            segment.file.close()
        self._journal.close()
        self._lock.close()

    # --- a batch -----------------------------------------------------------------------------------

    def _write(self, batch: Batch, now_ns: int) -> None:
        if shutil.disk_usage(self.folder).free < RECORDING_DISK_FREE_MIN_BYTES:
            raise OSError(errno.ENOSPC, "too little room is left for the others")
        closed: dict[str, tuple[int, int]] = {}
        levels: dict[int, Level] = {}
        for track, piece in batch.pieces:
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
            segment.put(segment.coder.encode(piece.payload))
            segment.numbers += piece.count
            cursor = self._cursors[track] if appended else None
            self._cursors[track] = after(piece, cursor, unit_ns=layout.unit_ns(track))
            if track == layout.PROGRAMME:
                levels[piece.number] = self._meter.add(piece.payload)
        synced = {
            str(segment.name): segment.sync()
            for segment in self._open.values()
            if segment.size != segment.synced_bytes
        }
        entries = list(batch.entries)
        for first, run in _runs(levels):
            entries.append(Levels(now_ns, first, [level.lufs for level in run], [level.peak_dbtp for level in run]))
        if closed or synced:
            entries.append(Synced(now_ns, closed | synced))
        self._append(entries)

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
        segment.put(coder.header)
        _sync_folder(self.folder)
        return closed

    def _close(self, segment: _Open) -> tuple[int, int]:
        """Write what is held back and the length, close the file, and tell what was synced of it."""
        segment.put(segment.coder.finish())
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
        _write_whole(self._journal, lines)
        if durable:
            os.fsync(self._journal.fileno())
            self._journal_bytes = os.fstat(self._journal.fileno()).st_size

    def _abandon(self) -> None:
        """Go back to what was synced last. Nothing here needs room on the disk."""
        for segment in self._open.values():
            path = self.folder / str(segment.name)
            with suppress(OSError):
                if segment.synced_bytes:
                    segment.file.truncate(segment.synced_bytes)
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
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    try:
        return Writer(folder, lock, stems=stems, now_ns=now_ns)
    except BaseException:
        lock.close()
        raise


def blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a file, a megabyte at a time."""
    with path.open("rb") as file:
        while data := file.read(_READ_BYTES):
            yield data


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


def _write_whole(file: IO[bytes], data: bytes) -> None:
    """Write all of `data`: a disk that is filling up takes a part of it before it says no."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
