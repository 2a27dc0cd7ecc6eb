"""Truth reports beside their ledgers: made when somebody asks, by a process that all others go before."""

import asyncio
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import structlog

from rostra.report.wording import LANGUAGES
from rostra.reporting import page_file
from rostra.verifier.tiles import CHECKPOINT

_log = structlog.get_logger()
EVERY_S: Final = 60.0  # while the evening goes on: a report of two hours takes half a minute of a core
WITHIN_S: Final = 300.0  # for one: twelve hours on a busy machine
MAKER: Final = (sys.executable, "-m", "rostra.reporting")
_ERROR_LENGTH_MAX: Final = 500


class Reports:
    """One at a time is made, by `maker` with the ledger's folder behind it; whoever asks meanwhile waits for it."""

    def __init__(self, maker: Sequence[str] = MAKER, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._maker = maker
        self._clock_s = clock_s
        self._lock = asyncio.Lock()
        self._tried: dict[Path, tuple[float, int]] = {}  # when last, and of which checkpoint

    async def renew(self, ledger: Path) -> None:
        """Return when the report is of the newest checkpoint, or was tried within EVERY_S."""
        async with self._lock:
            checkpoint = await asyncio.to_thread(_written_ns, ledger / CHECKPOINT)
            made = await asyncio.to_thread(_written_ns, ledger / page_file(LANGUAGES[-1]))
            now_s = self._clock_s()
            tried_s, tried = self._tried.get(ledger, (now_s - EVERY_S, -1))
            if made > checkpoint or tried == checkpoint or now_s - tried_s < EVERY_S:
                return
            self._tried[ledger] = now_s, checkpoint
            await self._make(ledger)

    async def _make(self, ledger: Path) -> None:
        child = await asyncio.create_subprocess_exec(
            *self._maker, str(ledger), stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        complaint = b""
        try:
            async with asyncio.timeout(WITHIN_S):
                _, complaint = await child.communicate()
        except TimeoutError:
            complaint = f"not made within {WITHIN_S:.0f} s".encode()
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        if child.returncode:
            text = complaint.decode(errors="replace").strip()[-_ERROR_LENGTH_MAX:]
            _log.error("report.unmade", conversation=ledger.name, error=text)


def _written_ns(path: Path) -> int:
    """When it was written last; 0 if it is not there."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
