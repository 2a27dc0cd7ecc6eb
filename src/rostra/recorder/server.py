"""The recorder process: a recording for each conversation whose doors are open or about to open."""

import asyncio
import shutil
import time
from collections import Counter
from contextlib import aclosing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from rostra.bus.connection import Connection
from rostra.bus.programme import last_chunk
from rostra.bus.state import follow_conversations
from rostra.bus.telemetry import publish_report
from rostra.core.conversation import is_over, parse_id
from rostra.core.errors import BadInputError, RostraError
from rostra.core.limits import PROGRAMME_RETENTION_S
from rostra.core.messages import ConversationRecord, RecorderReport
from rostra.core.records import from_record
from rostra.core.units import SECOND_NS
from rostra.evidence.testimony import Silence
from rostra.recorder import archive, layout
from rostra.recorder.manifest import Manifest
from rostra.recorder.mastering import Mastering
from rostra.recorder.merge import merge
from rostra.recorder.recording import Recording
from rostra.recorder.transcriber import transcribe_all
from rostra.recorder.web import Web, WebSettings
from rostra.recorder.writer import StemFormat, Writer, claim
from rostra.verifier.canonical import Json
from rostra.web.serving import serve

_log = structlog.get_logger()
_EARLY_NS: Final = 5 * SECOND_NS  # before the doors: to subscribe
_TURN_S: Final = 0.2
_RETRY_S: Final = 1.0
_SWEEP_S: Final = 600.0  # a recording that is due to go may stay ten minutes longer


@dataclass(frozen=True, slots=True)
class RecorderSettings:
    """`stems` None: the programme only. `days` None: recordings are kept for ever."""

    folder: Path
    stems: StemFormat | None
    days: int | None


class RecorderServer:
    """All conversations of one recorder. Several on one machine share a folder: each recording has one writer."""

    def __init__(
        self,
        connection: Connection,
        recorder: str,
        settings: RecorderSettings,
        testimony: Silence | None = None,
    ) -> None:
        (testimony or Silence()).figures = self.account
        self._connection = connection
        self._recorder = recorder
        self._settings = settings
        self._records: dict[str, ConversationRecord] = {}
        self._recordings: dict[str, Recording | None] = {}  # None: another recorder has it, or the disk is full
        self._finishing: set[str] = set()
        self._mastering = Mastering(settings.folder)
        self._dropped_chunks = 0
        self._failures = 0
        self._done: Counter[str] = Counter()  # by recordings that are finished
        self._finished = asyncio.Event()  # a recording, since transcripts were made last

    def account(self) -> dict[str, Json]:
        """For evidence."""
        running = [recording for recording in self._recordings.values() if recording is not None]
        done = sum((recording.done for recording in running), self._done)
        return {
            "did": {
                "pieces_written": done["pieces_written"],
                "piece_bytes": done["piece_bytes"],
                "pieces_lost": self._dropped_chunks + sum(each.dropped_chunks for each in running),
                "write_failures": self._failures + sum(each.failures for each in running),
            }
        }

    def coming(self) -> list[ConversationRecord]:
        """Conversations that are on now, or will be."""
        return [record for record in list(self._records.values()) if not is_over(from_record(record).state)]

    async def run(self) -> None:
        """Record until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(), name="conversations")
            tasks.create_task(self._report(), name="report")
            tasks.create_task(self._sweep(), name="retention")
            tasks.create_task(self._transcribe(), name="transcripts")
            tasks.create_task(self._mastering.run(), name="mastering")
            while True:
                for record in list(self._records.values()):
                    if record.id in self._recordings or time.time_ns() < record.doors_ns - _EARLY_NS:
                        continue
                    if self._is_wanted(record):
                        self._recordings[record.id] = None
                        tasks.create_task(self._keep(record.id), name=f"recording {record.id}")
                    else:
                        del self._records[record.id]
                await asyncio.sleep(_TURN_S)

    def _is_wanted(self, record: ConversationRecord) -> bool:
        """Whether there is something to record, or to finish that a recorder before us has begun."""
        if self._is_done(record.id):
            return False
        stored = time.time_ns() - record.since_ns < PROGRAMME_RETENTION_S * SECOND_NS
        return stored or not is_over(from_record(record).state) or self._has_begun(record.id)

    async def _keep(self, conversation: str) -> None:
        """Record `conversation` to its end and make its replay; stand by while another recorder does."""
        while not self._is_done(conversation):
            try:
                if not await self._is_worth_it(conversation):
                    break
                writer = await asyncio.to_thread(self._claim, conversation)
                if writer is not None:
                    await self._record(conversation, writer)
            except Exception as error:  # noqa: BLE001 # whatever broke this recording must not silence the others
                self._failures += 1
                expected = isinstance(error, OSError | RostraError)
                log = _log.error if expected else _log.exception
                log("recording.failed", conversation=conversation, error=str(error), failures=self._failures)
            if not self._is_done(conversation):
                await asyncio.sleep(_RETRY_S)
        del self._records[conversation], self._recordings[conversation]

    async def _is_worth_it(self, conversation: str) -> bool:
        """Not what is over and has never been heard, as a conversation that was cancelled before its doors."""
        if not is_over(from_record(self._records[conversation]).state) or self._has_begun(conversation):
            return True
        return await last_chunk(self._connection, conversation) is not None

    def _has_begun(self, conversation: str) -> bool:
        return (self._settings.folder / conversation / layout.JOURNAL).exists()

    def _is_done(self, conversation: str) -> bool:
        """Whether it is finished, or deleted: then what the bus still has of it is not recorded anew."""
        finished = (self._settings.folder / conversation / layout.MANIFEST).exists()
        return finished or archive.is_deleted(self._settings.folder, conversation)

    def _claim(self, conversation: str) -> Writer | None:
        folder = self._settings.folder / parse_id(conversation)
        writer = claim(folder, stems=self._settings.stems or "flac", now_ns=time.time_ns())
        if writer is not None and self._is_done(conversation):
            writer.release()
            return None
        return writer

    async def _record(self, conversation: str, writer: Writer) -> None:
        _log.info("recording.begun", conversation=conversation, resumed=bool(writer.journal.segments))
        recording = Recording(
            self._connection, writer, self._records[conversation], stems=self._settings.stems is not None
        )
        self._recordings[conversation] = recording
        try:
            manifest = await recording.run(partial(self._finish, conversation))
        finally:
            self._dropped_chunks += recording.dropped_chunks
            self._failures += recording.failures
            self._done += recording.done
            self._recordings[conversation] = None
            self._finishing.discard(conversation)
            self._finished.set()
        _log.info(
            "recording.finished",
            conversation=conversation,
            seconds=manifest.seconds,
            gaps=len(manifest.gaps),
            refused_pieces=recording.refused_pieces + writer.refused_pieces,
        )

    def _finish(self, conversation: str) -> Manifest:
        """In the writer's thread: the replay and what tells of it. OSError: it will be tried again."""
        self._finishing.add(conversation)
        return merge(self._settings.folder / conversation, now_ns=time.time_ns())

    async def _follow(self) -> None:
        async with aclosing(follow_conversations(self._connection)) as records:
            async for record in records:
                try:
                    from_record(record)
                except BadInputError as error:
                    _log.warning("conversation.refused", conversation=record.id, error=str(error))
                    continue
                self._records[record.id] = record
                recording = self._recordings.get(record.id)
                if recording is not None:
                    recording.update(record)

    async def _sweep(self) -> None:
        """Delete what is older than the retention, and what was to be deleted when somebody was interrupted."""
        while True:
            if self._settings.folder.exists():
                sweep = partial(archive.sweep, days=self._settings.days, now_ns=time.time_ns())
                try:
                    await asyncio.to_thread(sweep, self._settings.folder)
                except (OSError, BadInputError) as error:
                    _log.error("retention.failed", error=str(error))
            await asyncio.sleep(_SWEEP_S)

    async def _transcribe(self) -> None:
        """After each recording's end, and later again where nobody could transcribe it."""
        while True:
            self._finished.clear()
            await transcribe_all(self._connection, self._settings.folder)
            with suppress(TimeoutError):
                async with asyncio.timeout(_SWEEP_S):
                    await self._finished.wait()

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            running = {name: recording for name, recording in self._recordings.items() if recording is not None}
            free = await asyncio.to_thread(_free_bytes, self._settings.folder)
            await publish_report(
                self._connection,
                RecorderReport(
                    recorder=self._recorder,
                    at_ns=time.time_ns(),
                    recording=sorted(running.keys() - self._finishing),
                    standby=sorted(self._recordings.keys() - running.keys()),
                    finishing=sorted(self._finishing | self._mastering.now),
                    pending_chunks=sum(recording.pending_chunks for recording in running.values()),
                    dropped_chunks=self._dropped_chunks + sum(each.dropped_chunks for each in running.values()),
                    failures=self._failures
                    + self._mastering.failures
                    + sum(each.failures for each in running.values()),
                    free_bytes=free,
                ),
            )


async def run(
    connection: Connection,
    recorder: str,
    settings: RecorderSettings,
    web: WebSettings | None,
    testimony: Silence | None = None,
) -> None:
    """Record and, unless `web` is None, serve what has been recorded, until cancelled."""
    server = RecorderServer(connection, recorder, settings, testimony)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server.run(), name="recorder")
        if web is not None:
            application = Web(settings.folder, web, server.coming).application
            tasks.create_task(serve(application, web.host, web.port, web.front), name="web")


def _free_bytes(folder: Path) -> int:
    """Room on the disk of `folder`, which may not be there yet; 0 if the disk does not say."""
    try:
        while not folder.exists():
            folder = folder.parent
        return shutil.disk_usage(folder).free
    except OSError:
        return 0
