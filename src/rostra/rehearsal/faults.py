"""What breaks in a rehearsal: each fault is done to processes by id, lasts, and is undone."""

import asyncio
import os
import signal
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from rostra.core.errors import BadInputError
from rostra.rehearsal.own_system import OwnSystem
from rostra.rehearsal.quota import quota
from rostra.rehearsal.script import Fault

_DUTY_S: Final = 0.1
_FILL_BYTES: Final = 1024 * 1024


async def inflict(fault: Fault, own: OwnSystem | None) -> str:
    """Do it, wait until it is over, undo it; returns how it was done. BadInputError if it cannot be."""
    match fault.kind:
        case "kill":
            os.kill(_pid(fault, own), signal.SIGKILL)
            return "SIGKILL"
        case "stop":
            return await _stopped(_pid(fault, own), fault.for_s)
        case "bus":
            return await _stopped(_pid(fault, own) if fault.pid_file else _own(own).pid("bus"), fault.for_s)
        case "cpu":
            return await _starved(_pid(fault, own), left=fault.left, seconds=fault.for_s)
        case "disk":
            return await _full(_own(own).data, fault.for_s)
        case "database":
            return await _locked(_own(own).data / "site.db", fault.for_s)
        case "clock":
            return await _stepped(_own(own).clock, step_s=fault.step_s, seconds=fault.for_s)


def _own(own: OwnSystem | None) -> OwnSystem:
    if own is None:
        raise BadInputError("This fault befalls a whole system: only one that the rehearsal starts itself.")
    return own


def _pid(fault: Fault, own: OwnSystem | None) -> int:
    if not fault.pid_file:
        return _own(own).pid(fault.process)
    try:
        pid = int(Path(fault.pid_file).read_text(encoding="ascii"))
        os.kill(pid, 0)
    except (OSError, ValueError) as error:
        raise BadInputError(f"{fault.pid_file} names no process of yours: {error}.") from error
    return pid


async def _stopped(pid: int, seconds: float) -> str:
    with suppress(ProcessLookupError):  # somebody has started it anew meanwhile: then it is not stopped any more
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            os.kill(pid, signal.SIGCONT)
    return "SIGSTOP"


async def _starved(pid: int, *, left: float, seconds: float) -> str:
    try:
        with quota(f"rostra-rehearsal-{pid}", parent_of=pid) as group:
            group.limit(left)
            group.take(pid)
            await asyncio.sleep(seconds)
    except OSError:
        await _on_and_off(pid, left=left, seconds=seconds)
        return f"no cgroup could be made: stopped for {1 - left:.0%} of each {_DUTY_S * 1000:.0f} ms instead"
    return f"a cgroup with {left:.0%} of a core"


async def _on_and_off(pid: int, *, left: float, seconds: float) -> None:
    with suppress(ProcessLookupError):
        try:
            for _ in range(round(seconds / _DUTY_S)):
                os.kill(pid, signal.SIGSTOP)
                await asyncio.sleep(_DUTY_S * (1 - left))
                os.kill(pid, signal.SIGCONT)
                await asyncio.sleep(_DUTY_S * left)
        finally:
            os.kill(pid, signal.SIGCONT)


async def _full(data: Path, seconds: float) -> str:
    filler = data / "filler"
    try:
        await asyncio.to_thread(_fill, filler)
        await asyncio.sleep(seconds)
    finally:
        filler.unlink(missing_ok=True)
    return "a disk of its own, full"


def _fill(filler: Path) -> None:
    block = bytes(_FILL_BYTES)
    with filler.open("wb", buffering=0) as file:
        for size in (_FILL_BYTES, 4096):
            with suppress(OSError):  # full: that is the point
                while file.write(block[:size]) == size:
                    continue


async def _locked(database: Path, seconds: float) -> str:
    if not database.exists():
        raise BadInputError("The rehearsal's own system has no database: let it have a site (ROSTRA_SITES).")
    # One thread has the connection from beginning to end, as SQLite wants it.
    with closing(sqlite3.connect(database, timeout=30, isolation_level=None, check_same_thread=False)) as holder:
        await asyncio.to_thread(holder.execute, "BEGIN EXCLUSIVE")
        try:
            await asyncio.sleep(seconds)
        finally:
            holder.execute("ROLLBACK")
    return "SQLite, locked by somebody else"


async def _stepped(clock: Path | None, *, step_s: float, seconds: float) -> str:
    if clock is None:
        raise BadInputError("The clock of this system cannot be stepped.")
    clock.write_text(f"{step_s:+g}\n", encoding="ascii")
    if seconds:
        await asyncio.sleep(seconds)
        clock.write_text("+0\n", encoding="ascii")
    return f"the wall clock of all its processes, by {step_s:+g} s (libfaketime)"
