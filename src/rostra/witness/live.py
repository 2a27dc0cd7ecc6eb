"""Verdicts of the logs that are open: which are kept in them, what everybody is told, and the last one of each."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from rostra.bus.connection import Connection
from rostra.bus.verdicts import put_verdict, read_verdict
from rostra.core.errors import RostraError
from rostra.core.limits import LIVE_VERDICTS_MAX
from rostra.core.messages import LiveVerdict
from rostra.verifier.checks.judgement import VERDICT
from rostra.verifier.errors import FlawError
from rostra.verifier.log import entries, named_key, open_log
from rostra.verifier.source import Folder
from rostra.witness.event_log import EventLog
from rostra.witness.judging import Judged, Judging, Question

_log = structlog.get_logger()
LAST_TRIES_MAX: Final = 3  # to judge an evening that is over; then its log is closed without a verdict
_NEWEST: Final = 512  # entries among which the last verdict is, if there is one: it closes the log
Say = Callable[[str, Callable[[EventLog], None]], None]


class LiveVerdicts:
    """`code` is the digest of what judges here: an evening that was promised another judge gets none."""

    def __init__(self, connection: Connection, folder: Path, code: str) -> None:
        self._connection = connection
        self._folder = folder
        self._code = code
        self._judging = Judging()
        self._newest: dict[str, LiveVerdict] = {}
        self._said: dict[str, tuple[str, bool, bool]] = {}  # label, firm, begun: of the newest entry
        self._tries: dict[str, int] = {}  # of logs that are over, for their last verdict

    @property
    def failures(self) -> int:
        return self._judging.failures

    def wake(self) -> None:
        """There are newer checkpoints."""
        self._judging.wake()

    async def run(self, logs: Mapping[str, EventLog], say: Say) -> None:
        """Have verdicts said in `logs`, for ever."""

        async def answered(question: Question, judged: Judged) -> None:
            await self._answered(question, judged, say)

        await self._judging.run(lambda: self._questions(logs), answered)

    def is_last_said(self, conversation: str, log: EventLog) -> bool:
        """Whether a log that is over can be closed: its last verdict is in it, or will never be."""
        tries = self._tries.setdefault(conversation, 0)
        if not self._is_ours(log) or tries >= LAST_TRIES_MAX:
            for known in (self._tries, self._newest, self._said):
                known.pop(conversation, None)
            return True
        return False

    def _is_ours(self, log: EventLog) -> bool:
        return log.judge == self._code and log.published > 0

    def _questions(self, logs: Mapping[str, EventLog]) -> Iterator[Question]:
        over = [name for name in logs if self._tries.get(name, LAST_TRIES_MAX) < LAST_TRIES_MAX]
        live = islice((name for name in logs if name not in self._tries), LIVE_VERDICTS_MAX)
        for name in (*over, *live):
            if self._is_ours(logs[name]):
                yield Question(name, str(self._folder / name), logs[name].published, final=name in over)

    async def _answered(self, question: Question, judged: Judged, say: Say) -> None:
        name = question.conversation
        if judged.verdict is None:
            if question.final and name in self._tries:  # its log may have been closed meanwhile
                self._tries[name] += 1
            return
        verdict = judged.verdict
        turn = verdict.label, verdict.firm, verdict.onset_ms is not None
        if question.final:
            say(name, lambda log: self._conclude(name, log, judged.body))
        elif self._said.get(name) != turn:
            self._said[name] = turn
            say(name, lambda log: log.judged(judged.body))
        await self._publish(verdict)

    def _conclude(self, name: str, log: EventLog, body: dict[str, Any]) -> None:
        log.judged(body)
        self._tries[name] = LAST_TRIES_MAX

    async def _publish(self, verdict: LiveVerdict) -> None:
        """Tell everybody what is so now, and since when. While the bus is away the next one does."""
        name, now_ns = verdict.conversation, time.time_ns()
        try:
            before = self._newest.get(name) or await read_verdict(self._connection, name)
            same = before is not None and (before.label, before.firm) == (verdict.label, verdict.firm)
            since_ns = before.since_ns if before is not None and same else now_ns
            self._newest[name] = msgspec.structs.replace(verdict, at_ns=now_ns, since_ns=since_ns)
            await put_verdict(self._connection, self._newest[name])
        except RostraError as error:
            _log.warning("verdict.untold", conversation=name, error=str(error))


def owes_verdict(folder: Path) -> bool:
    """Whether a log in `folder` was left, by a machine that was switched off, without its last verdict."""
    try:
        source = Folder(folder)
        size = open_log(source, named_key(source)).checkpoint.size
        for data in entries(source, size, since=max(0, size - _NEWEST)):
            said = json.loads(data)["said"]
            if said["kind"] == VERDICT and said["body"].get("final"):
                return False
    except FlawError:
        return False  # there is none, or `rostra fsck` tells what is wrong with it
    return size > 0
