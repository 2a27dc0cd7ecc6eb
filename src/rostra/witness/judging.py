"""The verdict while the evening goes on: a process of its own reads what was published, once, and judges it.

It is asked for one log at a time and nobody waits for it: neither a record nor a checkpoint. However long an
evening is, it takes SHARE_MAX of a core at most: what took long is asked again later.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec
import structlog

from rostra.background import yield_to_all
from rostra.core.claims import CLAIMS
from rostra.core.limits import VERDICT_BYTES_MAX
from rostra.core.messages import LiveVerdict, Part
from rostra.verdict.evening import Reader
from rostra.verdict.live import entry_body
from rostra.verdict.replay import NAMES
from rostra.verdict.shares import Interval
from rostra.verdict.verdict import Verdict, judge, judge_now
from rostra.verifier.checks.judgement import FAILURES
from rostra.verifier.entry import Entry
from rostra.verifier.errors import FlawError
from rostra.verifier.log import entries
from rostra.verifier.source import Folder

_log = structlog.get_logger()
SHARE_MAX: Final = 0.05  # of a core
ANSWER_WITHIN_S: Final = 300.0  # a whole evening with all draws takes ten, at the lowest priority of a busy machine
UNKNOWNS_TOLD_MAX: Final = 20  # on a page; the verdict itself has all


class Question(msgspec.Struct, frozen=True):
    """What are the first `size` entries of a conversation's ledger? `final`: no more will come."""

    conversation: str
    folder: str
    size: int
    final: bool


class Judged(msgspec.Struct, frozen=True):
    """`body` is for the ledger, `verdict` for everybody, or `error` says why there is none. It took `cpu_s`."""

    cpu_s: float
    body: dict[str, Any] = {}
    verdict: LiveVerdict | None = None
    error: str = ""


class Judging:
    """Asks a child process whenever something was published; starts another one when that dies."""

    def __init__(self) -> None:
        self.failures = 0
        self._published = asyncio.Event()
        self._child: asyncio.subprocess.Process | None = None

    def wake(self) -> None:
        """There is a newer checkpoint."""
        self._published.set()

    async def run(
        self, questions: Callable[[], Iterable[Question]], answered: Callable[[Question, Judged], Awaitable[None]]
    ) -> None:
        """Ask for ever. Whoever is not answered, because the child died, is told so."""
        try:
            while True:
                await self._published.wait()
                self._published.clear()
                cpu_s, began_s = 0.0, time.monotonic()
                for question in list(questions()):
                    judged = await self._ask(question)
                    if judged.error:
                        self.failures += 1
                        _log.error("verdict.failed", conversation=question.conversation, error=judged.error)
                    cpu_s += 0.0 if question.final else judged.cpu_s  # once: nobody else's verdict waits for it
                    await answered(question, judged)
                await asyncio.sleep(cpu_s / SHARE_MAX - (time.monotonic() - began_s))
        finally:
            await self._stop()

    async def _ask(self, question: Question) -> Judged:
        try:
            if self._child is None:
                self._child = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", __name__),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    limit=VERDICT_BYTES_MAX,
                    start_new_session=True,  # see `yield_to_all`
                )
            asked, answers = self._child.stdin, self._child.stdout
            assert asked is not None
            assert answers is not None
            asked.write(msgspec.json.encode(question) + b"\n")
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await asked.drain()
                return msgspec.json.decode(await answers.readline(), type=Judged)
        except (OSError, ValueError, TimeoutError, msgspec.DecodeError) as error:
            await self._stop()
            return Judged(0.0, error=f"the process that judges is gone: {type(error).__name__} {error}")

    async def _stop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            with suppress(ProcessLookupError):
                child.kill()
            await child.wait()


# --- in the child --------------------------------------------------------------------------------------------


class Readers:
    """What has been read of each log: each entry is read once."""

    def __init__(self) -> None:
        self._readers: dict[str, Reader] = {}

    def answer(self, question: Question) -> Judged:
        began_s = time.process_time()
        reader = self._readers.pop(question.conversation, None) or Reader()
        try:
            for data in entries(Folder(Path(question.folder)), question.size, since=reader.size):
                reader.take(Entry(**json.loads(data)["said"]))  # the witness has checked it
            evening = reader.evening()
            verdict = judge(evening) if question.final else judge_now(evening)
            body = entry_body(verdict, reader.size, final=question.final)
            told = live_verdict(verdict, question)
        except (FlawError, *FAILURES) as error:
            return Judged(time.process_time() - began_s, error=f"{type(error).__name__}: {error}")
        if not question.final:
            self._readers[question.conversation] = reader
        return Judged(time.process_time() - began_s, body, told)


def live_verdict(verdict: Verdict, question: Question) -> LiveVerdict:
    """For pages; the instants are the witness's to say."""
    told, onset = verdict.as_json(), verdict.span.onset
    return LiveVerdict(
        conversation=question.conversation,
        at_ns=0,
        since_ns=0,
        size=question.size,
        final=question.final,
        label=verdict.label,
        firm=verdict.firm,
        word=verdict.word,
        decibans=told["attack_evidence"]["decibans"],
        absorbed=verdict.absorbed,
        harm=_part(verdict.harm),
        causes={name: _part(share) for name, share in zip(NAMES, verdict.split.shares, strict=True)},
        onset_ms=None if onset is None else (verdict.evening.began_s + onset) * 1_000,
        coverage_u=told["coverage_u"],
        unknowns=[(each["code"], each["subject"]) for each in told["unknowns"][:UNKNOWNS_TOLD_MAX]],
        exceeded_by=[claims for claims in CLAIMS if verdict.exceeds(claims)],
        digest=verdict.digest,
    )


def _part(interval: Interval) -> Part:
    return Part(*(round(each * 1_000_000) for each in interval))


def main() -> None:
    """Answer each line of standard input; its end is that of the witness."""
    yield_to_all()
    readers = Readers()
    for line in sys.stdin.buffer:
        judged = readers.answer(msgspec.json.decode(line, type=Question))
        sys.stdout.buffer.write(msgspec.json.encode(judged) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
