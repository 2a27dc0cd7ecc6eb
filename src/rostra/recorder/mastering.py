"""The second pass over a replay: the copy gives way to its master, made by a process that all others go before."""

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from functools import partial
from math import inf, isfinite
from pathlib import Path
from threading import Thread
from typing import IO, Final

import structlog
from msgspec import structs

from rostra.audio.containers import ogg
from rostra.background import yield_to_all
from rostra.core.errors import BadInputError, RostraError
from rostra.core.units import CHUNK_NS, SECOND_NS
from rostra.disk import blocks, finish, need_room, try_lock, unfinished
from rostra.recorder import archive, layout
from rostra.recorder.manifest import Loudness, Manifest, digest, read_manifest
from rostra.recorder.master import AAC_BPS, OPUS_BPS, gain_for, master

_log = structlog.get_logger()
_ROOM: Final = 1.2  # constrained VBR and indexes, on top of the nominal rate
_TURN_S: Final = 2.0
_WATCH_S: Final = 0.5  # so soon nothing is left of what is deleted while it is mastered
_RETRY_S: Final = 60.0  # after a failure: a full disk is not made room on at once
_ERROR_LENGTH_MAX: Final = 2_000


class Mastering:
    """Of the recorders of one folder one masters, one recording at a time, each in a child process.

    Which are left to do is seen from their copies, so that a recorder that is killed needs to have said nothing.
    """

    def __init__(self, recordings: Path) -> None:
        self.failures = 0
        self.now: frozenset[str] = frozenset()  # the conversation that is being mastered, if any
        self._recordings = recordings

    async def run(self) -> None:
        """Master what is left to do until cancelled; stand by while another recorder does."""
        with ExitStack() as opened:
            lock: IO[bytes] | None = None
            while True:
                failures = self.failures
                try:
                    self._recordings.mkdir(parents=True, exist_ok=True)
                    lock = lock or opened.enter_context((self._recordings / layout.MASTERING).open("ab"))
                    if try_lock(lock):
                        await self._master_all()
                except OSError as error:
                    self._fail("", str(error))
                await asyncio.sleep(_TURN_S if self.failures == failures else _RETRY_S)

    async def _master_all(self) -> None:
        for folder in await asyncio.to_thread(_copied, self._recordings):
            self.now = frozenset({folder.name})
            try:
                await self._master(folder)
            finally:
                self.now = frozenset()

    async def _master(self, folder: Path) -> None:
        began_s = time.monotonic()
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", __name__, str(folder)),
            stdin=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # a scheduling group of its own, see `yield_to_all`
        )
        try:
            while child.returncode is None:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_WATCH_S):
                        await child.wait()
                if not folder.exists():  # deleted, here or by the command line
                    with suppress(ProcessLookupError):
                        child.kill()
            assert child.stderr is not None
            complaint = (await child.stderr.read()).decode(errors="replace")[-_ERROR_LENGTH_MAX:]
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        if child.returncode == 0:
            seconds = round(time.monotonic() - began_s, 1)
            _log.info("replay.mastered", conversation=folder.name, seconds=seconds)
        elif folder.exists():
            self._fail(folder.name, complaint.strip() or f"it ended with {child.returncode}")

    def _fail(self, conversation: str, error: str) -> None:
        self.failures += 1
        _log.error("mastering.failed", conversation=conversation, error=error, failures=self.failures)


def master_copy(folder: Path) -> None:
    """Put the mastered files in the copy's place, recording.json last. OSError; BadInputError if it is damaged.

    Until recording.json is replaced, all of what was served is as it was.
    """
    manifest = read_manifest(folder)
    if manifest is None or manifest.replay != layout.COPY:
        return
    need_room(folder, manifest.seconds * (OPUS_BPS + AAC_BPS) / 8 * _ROOM)
    count = round(manifest.seconds * SECOND_NS / CHUNK_NS)
    said = manifest.loudness
    pages = partial(_pages, folder / layout.COPY, count)
    gain_db = gain_for(-inf if said is None else said.lufs - said.gain_db, pages, count=count)
    files = folder / layout.REPLAY, folder / layout.PODCAST
    opus, m4a = map(unfinished, files)
    try:
        meter = master(
            pages(),
            gain_db=gain_db,
            opus=opus,
            m4a=m4a,
            tags={"title": manifest.title, "language": manifest.language},
        )
        for file in files:
            finish(unfinished(file), file)
    except (OSError, BadInputError):
        for made in (opus, m4a):
            with suppress(OSError):
                made.unlink(missing_ok=True)
        raise
    loudness = None
    if isfinite(meter.integrated_lufs):
        loudness = Loudness(round(meter.integrated_lufs, 2), round(meter.true_peak_dbtp, 2), round(gain_db, 2))
    made_files = {file.name: digest(file) for file in files}

    def mastered(manifest: Manifest) -> Manifest:
        kept = {name: file for name, file in manifest.files.items() if name != layout.COPY}
        return structs.replace(manifest, loudness=loudness, files=dict(sorted((kept | made_files).items())))

    if not archive.revise(folder, mastered):
        raise BadInputError(f"{folder.name} has been deleted.")


def _copied(recordings: Path) -> list[Path]:
    """The recordings of which there is only a copy yet. A copy whose master is there is removed.

    That is a turn after its master has come: who was told of the copy has opened it by then.
    """
    left = []
    for copy in sorted(recordings.glob(f"[!.]*/{layout.COPY}")):
        with suppress(BadInputError):  # `rostra fsck` tells of it
            manifest = read_manifest(copy.parent)
            if manifest is not None and manifest.replay == layout.COPY:
                left.append(copy.parent)
            elif manifest is not None:
                copy.unlink(missing_ok=True)
    return left


def _pages(copy: Path, count: int) -> Iterator[bytes]:
    """The `count` pages of sound in `copy`. BadInputError if they are not all there."""
    sound = (page for page in ogg.pages(blocks(copy)) if ogg.number(page) is not None)
    number = 0
    for number, page in enumerate(sound, 1):  # noqa: B007
        yield page
    if number != count:
        raise BadInputError(f"{copy} is damaged: of its {count} pages {number} can be read.")


def _end_with_parent() -> None:
    """End at once when the recorder that holds our standard input is gone: the next one begins anew."""
    os.read(sys.stdin.fileno(), 1)  # past the buffer, whose lock the interpreter wants when it ends
    os._exit(1)


def main(folder: Path) -> None:
    """What `Mastering` starts for one recording."""
    yield_to_all()
    Thread(target=_end_with_parent, daemon=True).start()
    try:
        master_copy(folder)
    except (OSError, RostraError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
