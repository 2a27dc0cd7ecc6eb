"""`rostra shield`: keeps the table in step with the bans on the bus, and takes it away at the end."""

import asyncio
import json
import resource
import shutil
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import structlog

from rostra.core.errors import RostraError
from rostra.core.messages import BanNotice
from rostra.core.prefixes import Prefixes
from rostra.core.shield import BAN_MAX_S
from rostra.core.units import SECOND_NS
from rostra.evidence.change import Change
from rostra.evidence.testimony import Silence
from rostra.shield.machine import Lack, lacks
from rostra.shield.table import REFUSED, TABLE, Commands, filled, is_kept, made, removed

_log = structlog.get_logger()
_TOLD_EVERY_S: Final = 60.0


async def run(
    bans: Callable[[], AsyncIterator[BanNotice]],
    *,
    ports: Sequence[int],
    spared: Prefixes,
    every_s: float = 1.0,
    testimony: Silence | None = None,
) -> None:
    """Until cancelled. RostraError, which says what is missing, where this process may not change the table."""
    testimony = testimony or Silence()
    await testimony.before(Change("mitigation", "kernel", "shield", before="no table", after="table"))
    async with _table(ports):
        until_ns: dict[str, int] = {}
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_hear(bans(), until_ns, spared), name="bans")
            tasks.create_task(_keep(until_ns, every_s, testimony), name="table")


@asynccontextmanager
async def _table(ports: Sequence[int]) -> AsyncIterator[None]:
    await nft(made(ports))
    _log.info("table.made", table=TABLE, ports=list(ports))
    try:
        yield
    finally:
        await nft(removed())
        _log.info("table.removed", table=TABLE)


async def _hear(bans: AsyncIterator[BanNotice], until_ns: dict[str, int], spared: Prefixes) -> None:
    async for notice in bans:
        if is_kept(notice.prefix) and not spared.overlaps(notice.prefix):
            longest_ns = time.time_ns() + round(BAN_MAX_S * SECOND_NS)
            until_ns[notice.prefix] = min(notice.until_ns, longest_ns)


async def _keep(until_ns: dict[str, int], every_s: float, testimony: Silence) -> None:
    """Write the sets when something changed. What ends by itself ends in the kernel."""
    written: dict[str, int] = {}
    told_s = time.monotonic()
    while True:
        now_ns = time.time_ns()
        for prefix in [prefix for prefix, end_ns in until_ns.items() if end_ns <= now_ns]:
            del until_ns[prefix]
        if any(written.get(prefix) != end_ns for prefix, end_ns in until_ns.items()) or any(
            end_ns > now_ns and prefix not in until_ns for prefix, end_ns in written.items()
        ):
            change = Change(
                "mitigation", "kernel", "shield", len(written), len(until_ns), "prefixes that are banned"
            )
            await testimony.before(change)
            await nft(filled((prefix, (end_ns - now_ns) / SECOND_NS) for prefix, end_ns in until_ns.items()))
            written = dict(until_ns)
        if time.monotonic() - told_s >= _TOLD_EVERY_S:
            told_s = time.monotonic()
            _log.info("table.counted", banned=len(until_ns), refused_packets=await refused())
        await asyncio.sleep(every_s)


async def nft(commands: Commands) -> None:
    """Carry out `commands` as one transaction. RostraError if that is not allowed, or there is no nft."""
    await _nft("-j", "-f", "-", given=json.dumps({"nftables": commands}).encode())


async def refused() -> int:
    """Packets that the table dropped, each the first of a connection or its repetition."""
    answer: dict[str, Any] = json.loads(await _nft("-j", "list", "counters", "table", "inet", TABLE))
    counters = [each["counter"] for each in answer["nftables"] if "counter" in each]
    return sum(counter["packets"] for counter in counters if counter["name"] == REFUSED)


async def _nft(*arguments: str, given: bytes = b"") -> bytes:
    program = shutil.which("nft") or shutil.which("nft", path="/usr/sbin:/sbin")
    if program is None:
        raise RostraError("There is no nft here: apt-get install nftables. Edges keep their bans without it.")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(program, *arguments, stdin=pipe, stdout=pipe, stderr=pipe)
    said, complaint = await process.communicate(given)
    if process.returncode:
        lines = complaint.decode(errors="replace").strip().splitlines()
        raise RostraError(
            f"nft refused ({lines[0] if lines else process.returncode}). `rostra shield` needs the capability "
            "CAP_NET_ADMIN, as root has it. Edges keep their bans without it."
        )
    return said


def lacking(*, workers: int, encrypts: bool) -> list[Lack]:
    """What this machine lacks."""

    def read(name: str) -> str | None:
        try:
            return Path("/proc/sys", name).read_text(encoding="ascii")
        except OSError:
            return None

    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return list(lacks(read, descriptors=descriptors, workers=workers, encrypts=encrypts))
