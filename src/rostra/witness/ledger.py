"""The ledger on disk: an append-only log as plain files (C2SP tlog-tiles), and a tail of what came since.

A folder holds `checkpoint`, `tile/…` and one `tail.N`: the entries from N on, each behind its length and CRC-32.
An entry is safe once `sync` has returned, and public with the next `checkpoint`. Every file but the tail appears
as a whole; files are written in the order tiles, checkpoint, tail. So whatever system call a process dies in,
what `Ledger` finds is a log that lacks at most what was never synced.
"""

import struct
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final, Protocol
from zlib import crc32

from rostra import disk
from rostra.core.errors import BadInputError
from rostra.verifier.errors import FlawError
from rostra.verifier.note import Checkpoint, NoteKey, parse_checkpoint, parse_note, signers
from rostra.verifier.tiles import (
    CHECKPOINT,
    ENTRY_BYTES_MAX,
    TILE_HEIGHT,
    TILE_WIDTH,
    bundle_path,
    bundled,
    tile_path,
    unbundled,
    widths,
)
from rostra.verifier.tree import HASH_BYTES, Tree, leaf_hash

_FRAME: Final = struct.Struct(">II")  # length and CRC-32 of an entry in the tail
_TAIL: Final = "tail."
LOCK: Final = "lock"


class Disk(Protocol):
    """What the ledger asks of the file system. In tests it fails, or ends the process, at any of these calls."""

    def append(self, path: Path) -> IO[bytes]: ...
    def write(self, file: IO[bytes], data: bytes) -> None: ...
    def truncate(self, file: IO[bytes], size: int) -> None: ...
    def sync(self, path: Path) -> None: ...
    def replace(self, path: Path, data: bytes) -> None: ...
    def remove(self, path: Path) -> None: ...


class RealDisk:
    """The file system as it is."""

    def append(self, path: Path) -> IO[bytes]:
        return path.open("ab", buffering=0)

    def write(self, file: IO[bytes], data: bytes) -> None:
        disk.write_whole(file, data)

    def truncate(self, file: IO[bytes], size: int) -> None:
        file.truncate(size)

    def sync(self, path: Path) -> None:
        disk.sync(path)

    def replace(self, path: Path, data: bytes) -> None:
        disk.make_folder(path.parent)
        disk.replace(path, data)

    def remove(self, path: Path) -> None:
        path.unlink()


class Ledger:
    """One log, written by one process at a time (`LOCK`). `sign` gives the lines under a checkpoint's text."""

    def __init__(
        self, folder: Path, *, origin: str, key: NoteKey, sign: Callable[[str], str], files: Disk | None = None
    ) -> None:
        """Open the log in `folder`, or begin one. BadInputError if another process has it, or it is damaged."""
        self.origin = origin
        self._folder = folder
        self._sign = sign
        self._files = files or RealDisk()
        self._tail: IO[bytes] | None = None
        self._tail_bytes = 0
        self._torn = False  # behind `_tail_bytes` is what the disk took of an entry before it refused
        self._doubtful = False  # the kernel may have dropped what it could not write: it has to be given again
        disk.make_folder(folder)
        self._lock = (folder / LOCK).open("ab")
        if not disk.try_lock(self._lock):
            self._lock.close()
            raise BadInputError(f"Another process writes the ledger in {folder}.")
        with ExitStack() as failing:
            failing.callback(self.close)
            try:
                self._tree, self._open = _read(folder, origin=origin, key=key)
                self.checkpointed = len(self._tree)
                self._recover()
            except (FlawError, OSError) as error:
                raise BadInputError(f"The ledger in {folder} is damaged: {error} See `rostra fsck`.") from error
            failing.pop_all()

    def __len__(self) -> int:
        return len(self._tree)

    def entries(self) -> Iterator[bytes]:
        """Every entry, from the disk and from what has come since."""
        for index in range(self.checkpointed // TILE_WIDTH):
            yield from unbundled((self._folder / bundle_path(index)).read_bytes())
        yield from self._open

    def close(self) -> None:
        if self._tail is not None:
            self._tail.close()
        self._lock.close()

    def append(self, entry: bytes) -> int:
        """Take an entry; returns its index. OSError, and nothing is taken, if the disk refuses it."""
        if len(entry) > ENTRY_BYTES_MAX:
            raise BadInputError(f"An entry has at most {ENTRY_BYTES_MAX} bytes; this one has {len(entry)}.")
        assert self._tail is not None
        if self._torn:
            self._files.truncate(self._tail, self._tail_bytes)
        self._torn = True
        self._files.write(self._tail, _framed(entry))
        self._torn = False
        self._tail_bytes += _FRAME.size + len(entry)
        return self._take(entry)

    def sync(self) -> None:
        """Return when every entry so far is on the disk. OSError if it cannot be written."""
        if self._doubtful:
            self._start_tail(self.checkpointed)
        self._doubtful = True
        self._files.sync(self._folder / f"{_TAIL}{self._tail_from}")
        self._doubtful = False

    def checkpoint(self) -> bytes:
        """Publish all entries so far; returns the signed note. OSError, and the former one stands, if it cannot."""
        self.sync()
        size = len(self._tree)
        for path, data in self._new_files(self.checkpointed, size):
            self._files.replace(path, data)
        text = str(Checkpoint(self.origin, size, self._tree.root()))
        note = f"{text}\n{self._sign(text)}".encode()
        self._files.replace(self._folder / CHECKPOINT, note)
        self._start_tail(size)
        self._forget_partials(self.checkpointed, size)
        self._open = self._open[size // TILE_WIDTH * TILE_WIDTH - self._open_from(self.checkpointed) :]
        self.checkpointed = size
        return note

    def publish(self, note: bytes) -> None:
        """Replace the checkpoint by the same one with more signatures."""
        self._files.replace(self._folder / CHECKPOINT, note)

    def consistency(self, before: int, size: int) -> list[bytes]:
        """What shows that the first `before` of `size` entries are still what they were."""
        return self._tree.consistency(before, size)

    # --- entries -----------------------------------------------------------------------------------------

    def _take(self, entry: bytes) -> int:
        self._tree.append(leaf_hash(entry))
        self._open.append(entry)
        return len(self._tree) - 1

    @staticmethod
    def _open_from(size: int) -> int:
        """The index of the first of the entries that are kept: that of the bundle which is not full."""
        return size // TILE_WIDTH * TILE_WIDTH

    def _new_files(self, before: int, size: int) -> Iterator[tuple[Path, bytes]]:
        """Tiles and bundles that a log of `size` entries has and one of `before` had not."""
        kept_from = self._open_from(before)
        for index, width in _new_tiles(before, size, 0):
            begin = index * TILE_WIDTH - kept_from
            yield self._folder / bundle_path(index, width), bundled(self._open[begin : begin + width])
        for level in range(_tile_levels(size)):
            row = self._tree.levels[level * TILE_HEIGHT]
            for index, width in _new_tiles(before, size, level):
                hashes = row[index * TILE_WIDTH : index * TILE_WIDTH + width]
                yield self._folder / tile_path(level, index, width), b"".join(hashes)

    def _forget_partials(self, before: int, size: int) -> None:
        """Remove narrow tiles of what is full now (tlog-tiles §Partial Tiles)."""
        for level in range(_tile_levels(size)):
            for index, width in _new_tiles(before, size, level):
                if width == TILE_WIDTH:
                    paths = [tile_path(level, index)] + ([bundle_path(index)] if level == 0 else [])
                    for path in paths:
                        for partial in (self._folder / f"{path}.p").glob("*"):
                            self._files.remove(partial)

    # --- the tail ----------------------------------------------------------------------------------------

    def _recover(self) -> None:
        """Take what the checkpoint has not, then write it into a tail of its own."""
        for first, path in tails(self._folder):
            for index, entry in enumerate(unframed(path.read_bytes())[0], first):
                if index > len(self._tree):
                    raise FlawError(f"Entry {len(self._tree)} is missing.")
                if index == len(self._tree):
                    self._take(entry)
                elif self._tree.levels[0][index] != leaf_hash(entry):
                    raise FlawError(f"Entry {index} of {path.name} is not what the checkpoint has.")
        self._start_tail(self.checkpointed)

    def _start_tail(self, first: int) -> None:
        """Begin the tail of the entries from `first` on, with those that are there, in one step."""
        later = self._open[first - self._open_from(self.checkpointed) :]
        path = self._folder / f"{_TAIL}{first}"
        data = b"".join(map(_framed, later))
        self._files.replace(path, data)
        file = self._files.append(path)
        if self._tail is not None:
            self._tail.close()
        self._tail, self._tail_from, self._tail_bytes, self._torn = file, first, len(data), False
        for _, former in tails(self._folder):
            if former != path:
                self._files.remove(former)


# --- reading ---------------------------------------------------------------------------------------------


def tails(folder: Path) -> list[tuple[int, Path]]:
    """Index of the first entry, and the file, in order. More than one only where a process died in between."""
    found = [(path.name.removeprefix(_TAIL), path) for path in folder.glob(f"{_TAIL}*")]
    return sorted((int(first), path) for first, path in found if first.isdecimal())


def _framed(entry: bytes) -> bytes:
    return _FRAME.pack(len(entry), crc32(entry)) + entry


def unframed(data: bytes) -> tuple[list[bytes], int]:
    """The whole entries of a tail, and how many bytes behind them belong to one that was not written whole."""
    entries = []
    place = 0
    while place + _FRAME.size <= len(data):
        length, checksum = _FRAME.unpack_from(data, place)
        entry = data[place + _FRAME.size : place + _FRAME.size + length]
        if len(entry) < length or crc32(entry) != checksum:
            break
        entries.append(entry)
        place += _FRAME.size + length
    return entries, len(data) - place


def signed_checkpoint(folder: Path, *, origin: str, key: NoteKey) -> Checkpoint | None:
    """What the log last committed to; None before the first time. FlawError if it is not signed by `key`."""
    try:
        data = (folder / CHECKPOINT).read_bytes()
    except FileNotFoundError:
        return None
    note = parse_note(data)
    if key not in signers(note, [key]):
        raise FlawError(f"The checkpoint is not signed by {key.name}.")
    checkpoint = parse_checkpoint(note)
    if checkpoint.origin != origin:
        raise FlawError(f"The checkpoint is that of {checkpoint.origin!r}, not of {origin!r}.")
    return checkpoint


def _read(folder: Path, *, origin: str, key: NoteKey) -> tuple[Tree, list[bytes]]:
    """The tree that the checkpoint speaks of, and the entries of the bundle that is not full."""
    tree = Tree()
    checkpoint = signed_checkpoint(folder, origin=origin, key=key)
    if checkpoint is None:
        return tree, []
    for index, width in widths(checkpoint.size):
        hashes = (folder / tile_path(0, index, width)).read_bytes()
        if len(hashes) != width * HASH_BYTES:
            raise FlawError(f"{tile_path(0, index, width)} has not {width} hashes.")
        for place in range(0, len(hashes), HASH_BYTES):
            tree.append(hashes[place : place + HASH_BYTES])
    if tree.root() != checkpoint.root:
        raise FlawError("The tiles have not the root that was signed.")
    full, rest = divmod(checkpoint.size, TILE_WIDTH)
    return tree, unbundled((folder / bundle_path(full, rest)).read_bytes()) if rest else []


def _new_tiles(before: int, size: int, level: int) -> list[tuple[int, int]]:
    had = set(widths(before, level))
    return [tile for tile in widths(size, level) if tile not in had]


def _tile_levels(size: int) -> int:
    """How many levels of tiles a log of `size` entries has."""
    levels = 0
    while size >> TILE_HEIGHT * levels:
        levels += 1
    return levels
