"""The witness process: a ledger for each conversation that is near or on, of what every process said of itself."""

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rostra.bus.certificates import read_certificate
from rostra.bus.connection import Connection
from rostra.bus.state import conversations_now, follow_conversations
from rostra.bus.subjects import EVIDENCE_STREAM, evidence_subject
from rostra.bus.telemetry import publish_report
from rostra.core.conversation import parse_id
from rostra.core.errors import BadInputError, BusError
from rostra.core.messages import ConversationRecord, WitnessReport
from rostra.core.units import SECOND_NS
from rostra.evidence.testimony import IDENTITY
from rostra.verifier.checks.capacity import certificate_name
from rostra.verifier.checks.judgement import CORRECTION
from rostra.verifier.entry import Entry, Head, Sealed, parse_entry
from rostra.verifier.errors import FlawError
from rostra.verifier.note import parse_note
from rostra.witness.event_log import EventLog, Known
from rostra.witness.live import LiveVerdicts, owes_verdict
from rostra.witness.outside import Outside
from rostra.witness.plan import WAIT_S, Policy, certificate_of, plan
from rostra.witness.web import Web
from rostra.witness.window import is_owed, is_witnessed

_log = structlog.get_logger()
CHECKPOINT_EVERY_S: Final = 10
STAMP_EVERY_S: Final = 60  # what an authority bears of one customer, and how exactly its clock is believed
_TURN_S: Final = 1.0
_SOON_NS: Final = 2 * SECOND_NS  # two turns
Answer = Callable[[EventLog], None]


class WitnessServer:
    """All conversations of one witness. `host` is the first part of every log's origin."""

    def __init__(
        self,
        connection: Connection,
        witness: str,
        folder: Path,
        private: Ed25519PrivateKey,
        *,
        host: str,
        outside: Outside | None = None,
        policy: Policy | None = None,
        web: Web | None = None,
        live: LiveVerdicts | None = None,
        checkpoint_every_s: int = CHECKPOINT_EVERY_S,
    ) -> None:
        self._connection = connection
        self._witness = witness
        self._folder = folder
        self._private = private
        self._host = host
        self._records: dict[str, ConversationRecord] = {}
        self._logs: dict[str, EventLog] = {}
        self._known: dict[str, Known] = {}  # every process that has said who it is
        self._identities: dict[str, Mapping[str, Any]] = {}  # and what it said
        self._certificates: dict[str, bytes] = {}  # that these name, by digest
        self._unread: dict[str, str] = {}  # who names one that is not here yet, and its digest
        self._policy = policy or Policy("", private.public_key().public_bytes_raw().hex())
        self._opened_s: dict[str, float] = {}
        self._writer = ThreadPoolExecutor(1, "ledger")
        self._sequence = 0  # of the stream: all up to here has been taken
        self.entries = 0
        self.refused = 0
        self._failures = 0
        self._outside = outside or Outside()
        self._web = web
        self._asking: set[str] = set()  # of which conversation outsiders are being asked
        self._stamped_s: dict[str, float] = {}
        self._answers: list[tuple[str, Answer]] = []  # at most one of each sort and conversation a checkpoint
        self._live = live
        self._checkpoint_every_s = checkpoint_every_s
        self._over: set[str] = set()  # open logs that take nothing more: they wait for their last verdict
        self._concluded: set[str] = set()  # conversations that are over and owe none

    async def run(self) -> None:
        """Witness until cancelled."""
        try:
            await self._catch_up()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._follow(), name="conversations")
                if self._live is not None:
                    verdicts = self._live.run(self._logs, lambda *answer: self._answers.append(answer))
                    tasks.create_task(verdicts, name="verdicts")
                for second in count():
                    checkpoint = second % self._checkpoint_every_s == 0
                    await self._turn(checkpoint=checkpoint)
                    if checkpoint:
                        self._ask(tasks)
                        if self._live is not None:
                            self._live.wake()
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
        await self._attend(now_ns=time.time_ns())
        try:
            await self._take_all()
            await self._read_certificates()
        except BusError as error:
            _log.debug("evidence.unread", error=str(error))
        self._register(now_ns=time.time_ns(), now_s=time.monotonic())
        while self._web is not None and self._web.arrived:
            self._take(*self._web.arrived.popleft())
        for conversation, answer in self._answers:
            if conversation in self._logs:
                answer(self._logs[conversation])
        self._answers.clear()
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
                self._failures + (0 if self._live is None else self._live.failures),
            ),
        )

    def _ask(self, tasks: asyncio.TaskGroup) -> None:
        """Have outsiders sign what has just been published; one question a log at a time, and nothing waits."""
        now_s = time.monotonic()
        for conversation, log in self._logs.items():
            if log.unkept is None or conversation in self._asking:
                continue
            due = now_s - self._stamped_s.get(conversation, -STAMP_EVERY_S) >= STAMP_EVERY_S
            stamp = self._outside.stamp_url is not None and due
            if not self._outside.members and not stamp:
                continue
            if stamp:
                self._stamped_s[conversation] = now_s
            self._asking.add(conversation)
            tasks.create_task(self._asked(conversation, log, log.unkept, stamp=stamp), name="outsiders")

    async def _asked(self, conversation: str, log: EventLog, note: bytes, *, stamp: bool) -> None:
        async def proof(before: int, size: int) -> list[bytes]:
            return await asyncio.get_running_loop().run_in_executor(self._writer, log.proof, before, size)

        try:
            lines = await self._outside.cosignatures(note, proof)
            self._answers.append((conversation, lambda log: log.cosigned(note, lines)))
            text = parse_note(note).text
            token = await self._outside.stamp(text) if stamp else None
            if token is not None:
                self._answers.append((conversation, lambda log: log.stamped(text, token)))
        finally:
            self._asking.discard(conversation)

    async def _attend(self, *, now_ns: int) -> None:
        """Open the logs of conversations that are near, and close those of others, once they have their verdict."""
        loop = asyncio.get_running_loop()
        for record in list(self._records.values()):
            log = self._logs.get(record.id)
            if is_witnessed(record, now_ns=now_ns):
                if log is None:
                    self._open(record)
            elif log is None:
                if self._live is not None and is_owed(record, now_ns=now_ns) and record.id not in self._concluded:
                    folder = self._folder / parse_id(record.id)
                    if await loop.run_in_executor(self._writer, owes_verdict, folder):
                        self._reopen(record)
                    else:
                        self._concluded.add(record.id)
            elif record.id in self._concluded or self._live is None or self._live.is_last_said(record.id, log):
                self._concluded.add(record.id)
                self._over.discard(record.id)
                del self._logs[record.id]
                await loop.run_in_executor(self._writer, self._leave, record.id, log)
                _log.info("ledger.closed", conversation=record.id, entries=len(log))
            else:
                self._over.add(record.id)

    def _reopen(self, record: ConversationRecord) -> None:
        """For a last word: what processes say by now is of another evening."""
        self._over.add(record.id)
        self._open(record)

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
        self._opened_s[record.id] = time.monotonic()
        _log.info("ledger.opened", conversation=record.id, entries=len(self._logs[record.id]))

    def _register(self, *, now_ns: int, now_s: float) -> None:
        """Write down what is to be expected: ten seconds after the log has begun, and before the doors open."""
        for conversation, log in self._taking():
            if (
                now_ns >= self._records[conversation].doors_ns - _SOON_NS
                or now_s - self._opened_s[conversation] >= WAIT_S
            ):
                expected = plan(self._identities, self._policy)
                log.plan(expected)
                self._lay_beside(log, expected)

    def _lay_beside(self, log: EventLog, expected: Mapping[str, Any]) -> None:
        """The certificates whose digests the plan has: the verifier reads the capacities out of them again."""
        named = {each.get("certificate") for each in expected["capacity"].values()}
        known = self._certificates
        try:
            log.lay_beside({certificate_name(each): known[each] for each in named if each in known})
        except OSError as error:
            self._failures += 1
            _log.error("certificate.unwritten", error=str(error))

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

    async def _read_certificates(self) -> None:
        """Each that an edge names, once; one that it does not show is asked for when it says again who it is."""
        for edge, digest in list(self._unread.items()):
            del self._unread[edge]  # whatever comes of it: the next one has its turn
            try:
                data = await read_certificate(self._connection, edge, digest)
            except BusError as error:
                _log.warning("certificate.unread", edge=edge, error=str(error))
                continue
            if data is not None:
                self._certificates[digest] = data
                named = set(map(certificate_of, self._identities.values()))
                self._certificates = {
                    each: self._certificates[each] for each in self._certificates if each in named
                }

    def _introduce(self, who: str, key: str) -> Known:
        """Somebody has come, or has a new key: every open log says so."""
        known = Known(key)
        for _, log in self._taking():
            log.register(who, known)
        return known

    def _taking(self) -> list[tuple[str, EventLog]]:
        return [(name, log) for name, log in self._logs.items() if name not in self._over]

    def _take(self, data: bytes, sealed: Sealed) -> None:
        entry = sealed.entry
        known = self._known.get(entry.who)
        if known is None and self._web is not None and entry.who in self._web.probes:
            known = self._introduce(entry.who, self._web.probes[entry.who].hex())
        if entry.kind == IDENTITY:
            self._identities[entry.who] = entry.body
            if (digest := certificate_of(entry.body)) is not None and digest not in self._certificates:
                self._unread[entry.who] = digest
        if entry.kind == IDENTITY and (key := _key_of(entry)) is not None and (known is None or known.key != key):
            known = self._introduce(entry.who, key)
        if known is None:
            return  # it says who it is every ten minutes
        self.entries += 1
        if entry.kind == CORRECTION:
            self._correct(data, entry, known)
        else:
            for _, log in self._taking():
                log.append(data, entry)
        self._known[entry.who] = Known(known.key, Head(entry.run, entry.seq, sealed.digest))

    def _correct(self, data: bytes, entry: Entry, known: Known) -> None:
        """Into the log that it is about, which is opened again for it if it is closed."""
        record = self._records.get(str(entry.body.get("conversation")))
        if record is None:
            _log.warning("correction.of_nothing", who=entry.who)
            return
        if record.id not in self._logs:
            self._concluded.add(record.id)
            self._reopen(record)
        log = self._logs.get(record.id)
        if log is not None:
            if record.id in self._over:
                log.register(entry.who, Known(known.key))
            log.append(data, entry)


def _key_of(entry: Entry) -> str | None:
    key = entry.body.get("key")
    return key if isinstance(key, str) else None
