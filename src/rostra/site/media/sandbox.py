"""Runs a program that reads what strangers sent: with an empty environment, little memory, time and disk."""

import asyncio
import os
import resource
from dataclasses import dataclass
from typing import Final

from rostra.core.errors import RostraError

_OUTPUT_BYTES_MAX: Final = 256 * 1024  # ffprobe's account of a file has 2 kB
_TAIL: Final = 300  # characters of what it complained of
_NICE: Final = 10  # pictures wait for posts, and for sound that runs on the same machine


class ProgramError(RostraError):
    """It failed, or was not done in its limits. Caught by whoever gave it the file, which is then unusable."""


@dataclass(frozen=True, slots=True)
class Limits:
    seconds: float  # on the clock
    cpu_s: int
    memory_bytes: int
    file_bytes: int


async def run(command: list[str], limits: Limits) -> bytes:
    """What it wrote to its standard output."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={},
    )
    try:
        _confine(process.pid, limits)
        assert process.stdout is not None
        assert process.stderr is not None
        async with asyncio.timeout(limits.seconds), asyncio.TaskGroup() as tasks:
            output = tasks.create_task(_read(process.stdout), name="standard output")
            complaint = tasks.create_task(_read(process.stderr), name="standard error")
        if await process.wait() != 0:
            tail = complaint.result().decode(errors="replace").strip()[-_TAIL:]
            raise ProgramError(f"{command[0]} ended with {process.returncode}: {tail}")
        return output.result()
    except TimeoutError as error:
        raise ProgramError(f"{command[0]} was not done in {limits.seconds:g} s.") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def _confine(pid: int, limits: Limits) -> None:
    """All limits are on what it uses in sum, so that the millisecond that it ran without them is counted too."""
    bounds = (
        (resource.RLIMIT_CPU, limits.cpu_s),
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, limits.file_bytes),
        (resource.RLIMIT_CORE, 0),
    )
    try:
        for kind, bound in bounds:
            resource.prlimit(pid, kind, (bound, bound))
        os.setpriority(os.PRIO_PROCESS, pid, _NICE)
    except ProcessLookupError:
        return  # it has ended already


async def _read(stream: asyncio.StreamReader) -> bytes:
    """All that comes, of which the first part is kept."""
    kept = bytearray()
    while piece := await stream.read(65_536):
        kept += piece[: _OUTPUT_BYTES_MAX - len(kept)]
    return bytes(kept)
