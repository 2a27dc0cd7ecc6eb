"""The folder of recordings: what there is, deletion that is real and recorded, and retention."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Final

import msgspec
from msgspec import structs

from rostra.core.errors import BadInputError
from rostra.core.units import SECOND_NS
from rostra.disk import replace, sync, try_lock
from rostra.recorder import layout
from rostra.recorder.manifest import Manifest, digest, read_manifest, write_manifest
from rostra.recorder.transcript import Transcript, decode

_DAY_NS: Final = 24 * 3600 * SECOND_NS


class Tombstone(msgspec.Struct, frozen=True):
    """That a recording was deleted: which, when, by whom, why, and how much it was. Written before it goes."""

    conversation: str
    at_ms: int
    who: str
    why: str
    files: int
    bytes: int
    sha256: str | None  # of its replay: proves later that a copy was this recording


@dataclass(frozen=True, slots=True)
class Listed:
    """A recording as `rostra recording list` shows it; `manifest` is None until it is finished, or `damaged`."""

    id: str
    bytes: int
    manifest: Manifest | None
    damaged: bool = False


def folders(recordings: Path) -> Iterator[Path]:
    """The folder of each recording, by its name."""
    if recordings.exists():
        yield from (each for each in sorted(recordings.glob("[!.]*")) if (each / layout.JOURNAL).exists())


def leftovers(recordings: Path) -> list[Path]:
    """What is still there of recordings that were deleted. BadInputError as `tombstones`."""
    gone = {each.conversation for each in tombstones(recordings)}
    return sorted(each for each in recordings.glob("*/") if each.name.removeprefix(".") in gone)


def listed(folder: Path) -> Listed:
    size = sum(_sizes(folder))
    try:
        return Listed(folder.name, size, read_manifest(folder))
    except BadInputError:
        return Listed(folder.name, size, None, damaged=True)


def find(recordings: Path, conversation: str) -> Path:
    """Its folder. BadInputError if there is no such recording."""
    for folder in folders(recordings):
        if folder.name == conversation:
            return folder
    raise BadInputError(f"There is no recording of {conversation!r}: see `rostra recording list`.")


def tombstones(recordings: Path) -> list[Tombstone]:
    """Every deletion so far. BadInputError for a line that is none, but for a last one that a crash has torn."""
    try:
        data = (recordings / layout.TOMBSTONES).read_bytes()
    except FileNotFoundError:
        return []
    try:
        return [msgspec.json.decode(line, type=Tombstone) for line in data[: data.rfind(b"\n") + 1].splitlines()]
    except msgspec.DecodeError as error:
        raise BadInputError(f"{recordings / layout.TOMBSTONES} cannot be read: {error}.") from error


def is_deleted(recordings: Path, conversation: str) -> bool:
    """Whether it was deleted, as far as the tombstones can be read: `rostra fsck` tells if they cannot."""
    with suppress(BadInputError):
        return any(each.conversation == conversation for each in tombstones(recordings))
    return False


def delete(recordings: Path, conversation: str, *, who: str, why: str, now_ns: int) -> Tombstone:
    """Record the deletion, then remove every file. BadInputError if there is none, or it is being recorded."""
    folder = find(recordings, conversation)
    with (folder / layout.LOCK).open("ab") as lock:
        if not try_lock(lock):
            raise BadInputError(f"{conversation!r} is being recorded: end it first (`rostra end {conversation}`).")
        tombstone = _tombstone(folder, who=who, why=why, now_ns=now_ns)
        _append(recordings / layout.TOMBSTONES, msgspec.json.encode(tombstone) + b"\n")
        _remove(folder)
    return tombstone


def best_transcript(folder: Path, manifest: Manifest) -> Transcript | None:
    """What was understood afterwards, else what could be read live, if anything. OSError; BadInputError."""
    name = next((each for each in (layout.TRANSCRIPT, layout.CAPTIONS) if each in manifest.files), None)
    return None if name is None else decode((folder / name).read_bytes())


def keep_transcript(folder: Path, made: Transcript) -> bool:
    """Add `made` to a finished recording; False if the recording is not there any more. OSError."""

    def kept(manifest: Manifest) -> Manifest:
        replace(folder / layout.TRANSCRIPT, msgspec.json.encode(made))
        files = manifest.files | {layout.TRANSCRIPT: digest(folder / layout.TRANSCRIPT)}
        return structs.replace(manifest, files=files)

    return revise(folder, kept)


def revise(folder: Path, change: Callable[[Manifest], Manifest]) -> bool:
    """Write what `change` makes of a recording's manifest, one process at a time; False if it is gone. OSError."""
    try:
        lock = (folder / layout.LOCK).open("ab")
    except FileNotFoundError:
        return False
    with lock:
        flock(lock, LOCK_EX)  # who deletes holds it, and leaves no manifest
        manifest = read_manifest(folder)
        if manifest is None:
            return False
        write_manifest(folder, change(manifest))
    return True


def sweep(recordings: Path, *, days: int | None, now_ns: int) -> list[str]:
    """Delete what was made more than `days` ago, and what is left of an interrupted deletion; their names."""
    swept = []
    for folder in leftovers(recordings):
        _remove(folder)
        swept.append(folder.name.removeprefix("."))
    for folder in list(folders(recordings)):
        with suppress(BadInputError):  # what is damaged or being recorded is a person's decision
            manifest = read_manifest(folder)
            if days is None or manifest is None or now_ns - manifest.made_ms * 1_000_000 < days * _DAY_NS:
                continue
            delete(recordings, folder.name, who="retention", why=f"older than {days} days", now_ns=now_ns)
            swept.append(folder.name)
    return swept


def _tombstone(folder: Path, *, who: str, why: str, now_ns: int) -> Tombstone:
    replay: str | None = None
    with suppress(BadInputError):  # a damaged recording must be deletable too
        manifest = read_manifest(folder)
        if manifest is not None and manifest.replay in manifest.files:
            replay = manifest.files[manifest.replay].sha256
    sizes = list(_sizes(folder))
    return Tombstone(folder.name, now_ns // 1_000_000, who, why, len(sizes), sum(sizes), replay)


def _sizes(folder: Path) -> Iterator[int]:
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # a recorder at work gives a file its name only when it is whole
            yield path.stat().st_size


def _remove(folder: Path) -> None:
    """Remove a recording's folder, though another process may be doing the same, or mastering its replay."""
    going = folder if folder.name.startswith(".") else folder.with_name(f".{folder.name}")
    with suppress(FileNotFoundError):
        if folder != going:
            if going.exists():  # an interrupted deletion's
                _remove(going)
            folder.rename(going)  # who would write in it finds no such folder any more
        for path in list(going.iterdir()):
            path.unlink(missing_ok=True)
        going.rmdir()
    sync(folder.parent)


def _append(path: Path, line: bytes) -> None:
    """Add a line, one process at a time: the command and every recorder's retention delete."""
    path.touch()
    with path.open("r+b") as file:
        flock(file, LOCK_EX)
        whole = file.read().rfind(b"\n") + 1
        file.seek(whole)
        file.truncate()  # what a crash has torn
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    sync(path.parent)
