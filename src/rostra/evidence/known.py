"""What a process was when it ran last, and so what has changed since: read from its own file at each start."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from rostra import disk
from rostra.evidence.change import Change

_CODES_KEPT: Final = 8  # to tell a rollback from a deploy


class Run(msgspec.Struct, frozen=True):
    """`codes` ran before, the newest last; `ended`: the process has said that it stops."""

    code: str
    configuration: str
    machine: str
    codes: tuple[str, ...] = ()
    ended: bool = False


_decoder = msgspec.json.Decoder(Run)


def last_run(path: Path) -> Run | None:
    """None if there was none, or nobody can read what it left."""
    try:
        return _decoder.decode(path.read_bytes())
    except (OSError, ValueError):
        return None


def remember(path: Path, run: Run) -> None:
    """OSError if the disk does not take it."""
    disk.make_folder(path.parent)
    disk.replace(path, msgspec.json.encode(run))


def after(last: Run | None, now: Run) -> Run:
    """`now`, with the codes that ran before it."""
    if last is None:
        return now
    codes = last.codes if last.code == now.code else (*(c for c in last.codes if c != now.code), last.code)
    return msgspec.structs.replace(now, codes=codes[-_CODES_KEPT:])


def changed(who: str, last: Run | None, now: Run) -> Iterator[Change]:
    """What a start says: that it is one, after what, and everything by which this run differs from the last one."""
    ended = "first" if last is None else "stopped" if last.ended else "killed"
    yield Change("start", who, "process", before=ended, after=now.code)
    if last is None:
        return
    if last.code != now.code:
        yield Change("rollback" if now.code in last.codes else "deploy", who, "process", last.code, now.code)
    if last.configuration != now.configuration:
        yield Change("configuration", who, "process", last.configuration, now.configuration)
    if last.machine != now.machine:
        yield Change(
            "move", who, "process", last.machine, now.machine, "The machine is another one, or was changed."
        )
