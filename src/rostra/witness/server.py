"""The witness process: a ledger for each conversation that is near or on, of what every process said of itself."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rostra.bus.connection import Connection
from rostra.bus.state import conversations_now, follow_conversations
from rostra.bus.subjects import EVIDENCE_STREAM, evidence_subject
from rostra.bus.telemetry import publish_report
from rostra.core.conversation import parse_id
from rostra.core.errors import BadInputError, BusError
from rostra.core.messages import ConversationRecord, WitnessReport
from rostra.evidence.testimony import IDENTITY
from rostra.verifier.entry import Entry, Head, Sealed, parse_entry
from rostra.verifier.errors import FlawError
from rostra.witness.event_log import EventLog, Known
from rostra.witness.window import is_witnessed

_log = structlog.get_logger()
CHECKPOINT_EVERY_S: Final = 10
_TURN_S: Final = 1.0


class WitnessServer:
    """All conversations of one witness. `host` is the first part of every log's origin."""

    def __init__(
        self, connection: Connection, witness: str, folder: Path, private: Ed25519PrivateKey, *, host: str
    ) -> None:
        self._connection = connection
        self._witness = witness
        self._folder = folder
        self._private = private
        self._host = host
        self._records: dict[str, ConversationRecord] = {}
        self._logs: dict[str, EventLog] = {}
        self._known: dict[str, Known] = {}  # every process that has said who it is
        self._writer = ThreadPoolExecutor(1, "ledger")
        self._sequence = 0  # of the stream: all up to here has been taken
        self.entries = 0
        self.refused = 0
        self._failures = 0

    async def run(self) -> None:
        """Witness until cancelled."""
        try:
            await self._catch_up()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow(), name="conversations")
                for second in count():
                    await self._turn(checkpoint=second % CHECKPOINT_EVERY_S == 0)
                    await asyncio.sleep(_TURN_S)
        finally:
            self._writer.shutdown()  # waits for what it is writing
            for conversation, log in self._logs.items():
                self._leave(conversation, log)

    def _leave(self, conversation: str, log: EventLog) -> None:
        """Publish what no checkpoint has yet: nobody may come back for it."""
        try:
            log.save(checkpoint=True)
        except OSError as error:
            _log.error("ledger.unwritten", conversation=conversation, error=str(error))
        log.close()

    async def _catch_up(self) -> None:
        """Know the conversations before the first entry is taken: what no open log takes is not taken again."""
        while True:
            try:
                self._records = {record.id: record for record in await conversations_now(self._connection)}
            except BusError:
                await asyncio.sleep(_TURN_S)
            else:
                return

    async def _follow(self) -> None:
        async with aclosing(follow_conversations(self._connection)) as records:
            async for record in records:
                self._records[record.id] = record

    async def _turn(self, *, checkpoint: bool) -> None:
        self._attend(now_ns=time.time_ns())
        try:
            await self._take_all()
        except BusError as error:
            _log.debug("evidence.unread", error=str(error))
        loop = asyncio.get_running_loop()
        for conversation, log in self._logs.items():
            try:
                await loop.run_in_executor(self._writer, partial(log.save, checkpoint=checkpoint))
            except OSError as error:
                self._failures += 1
                _log.error("ledger.unwritten", conversation=conversation, error=str(error))
        await publish_report(
            self._connection,
            WitnessReport(
                self._witness,
                time.time_ns(),
                {conversation: len(log) for conversation, log in self._logs.items()},
                self.entries,
                self.refused,
                self._failures,
            ),
        )

    def _attend(self, *, now_ns: int) -> None:
        """Open the logs of conversations that are near, and close those of others."""
        for record in list(self._records.values()):
            log = self._logs.get(record.id)
            if is_witnessed(record, now_ns=now_ns):
                if log is None:
                    self._open(record)
            elif log is not None:
                self._logs.pop(record.id).close()
                _log.info("ledger.closed", conversation=record.id, entries=len(log))

    def _open(self, record: ConversationRecord) -> None:
        try:
            self._logs[record.id] = EventLog(
                self._folder / parse_id(record.id), self._witness, self._private, host=self._host, record=record
            )
        except (BadInputError, OSError) as error:
            self._failures += 1
            _log.error("ledger.unopened", conversation=record.id, error=str(error))
            return
        self._logs[record.id].begin(self._known)
        _log.info("ledger.opened", conversation=record.id, entries=len(self._logs[record.id]))

    async def _take_all(self) -> None:
        """Everything that the bus has and we have not; what the logs have already is not taken twice."""
        while stored := await self._connection.after(EVIDENCE_STREAM, evidence_subject("*"), self._sequence):
            for each in stored:
                try:
                    sealed = parse_entry(each.payload)
                except FlawError as error:
                    self.refused += 1
                    _log.warning("entry.refused", subject=each.subject, error=str(error))
                else:
                    self._take(each.payload, sealed)
                self._sequence = each.revision

    def _take(self, data: bytes, sealed: Sealed) -> None:
        entry = sealed.entry
        known = self._known.get(entry.who)
        if entry.kind == IDENTITY and (key := _key_of(entry)) is not None and (known is None or known.key != key):
            known = Known(key)
            for log in self._logs.values():
                log.register(entry.who, known)
        if known is None:
            return  # it says who it is every ten minutes
        self.entries += 1
        for log in self._logs.values():
            log.append(data, entry)
        self._known[entry.who] = Known(known.key, Head(entry.run, entry.seq, sealed.digest))


def _key_of(entry: Entry) -> str | None:
    key = entry.body.get("key")
    return key if isinstance(key, str) else None
