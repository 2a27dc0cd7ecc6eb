"""What a disk has to be told so that it keeps what it was given: whole writes, synced folders, files as a whole."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import IO, Final

from rostra.core.limits import RECORDING_DISK_FREE_MIN_BYTES

_READ_BYTES: Final = 1 << 20


def blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a file, a megabyte at a time."""
    with path.open("rb") as file:
        while data := file.read(_READ_BYTES):
            yield data


def write_whole(file: IO[bytes], data: bytes) -> None:
    """Write all of `data`: a disk that is filling up takes a part of it before it says no."""
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def sync(path: Path) -> None:
    """Return when a file's bytes, or a folder's names, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def need_room(folder: Path, size: float) -> None:
    """OSError unless `size` bytes fit on the disk of `folder` and leave the others what they need."""
    if shutil.disk_usage(folder).free < size + RECORDING_DISK_FREE_MIN_BYTES:
        raise OSError(errno.ENOSPC, f"the replay needs {size / 1e6:.0f} MB of room")


def try_lock(file: IO[bytes]) -> bool:
    """Lock `file` as long as it is open; False if another process has it."""
    with suppress(BlockingIOError):
        flock(file, LOCK_EX | LOCK_NB)
        return True
    return False


def make_folder(path: Path) -> None:
    """Make a folder and those above it, so that they are still there after a power cut."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        sync(path.parent)


def replace(path: Path, data: bytes) -> None:
    """Write `path` as a whole or not at all."""
    made = unfinished(path)
    made.write_bytes(data)
    finish(made, path)


def unfinished(path: Path) -> Path:
    """Where `path` is made, until `finish`."""
    return path.with_name(f".{path.name}")


def finish(made: Path, path: Path) -> None:
    """Give a file that was made beside it its name, once all of it is on the disk."""
    sync(made)
    made.replace(path)
    sync(path.parent)
