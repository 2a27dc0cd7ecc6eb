"""The verdict once more: it is made anew from the entries, and compared with what the log says of it."""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple

from rostra.verifier.checks.registration import Registration
from rostra.verifier.entry import Entry
from rostra.verifier.errors import FlawError
from rostra.verifier.log import Log
from rostra.verifier.step import Outcome, Step

VERDICT: Final = "verdict"  # by the witness: `digest` and `code` of a verdict on the entries before it
FAILURES: Final = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)


class Judged(NamedTuple):
    """A verdict, in a word, and what tells it from every other."""

    label: str
    digest: str


class Judge(NamedTuple):
    """`code` is the digest of what judges; `what_if` judges an evening on which something had been otherwise."""

    judge: Callable[[Iterable[Entry]], Judged]
    code: str
    what_if: Callable[[Iterable[Entry]], Judged] | None = None


class Recorded(NamedTuple):
    """What the log says that the verdict on its first `size` entries is."""

    size: int
    digest: str


class Judgement:
    """Judges with `judge`; without it, nothing is asked."""

    name = "verdict"

    def __init__(self, log: Log, witness: str, judge: Judge | None, registration: Registration) -> None:
        self._log = log
        self._witness = witness
        self._judge = judge
        self._registration = registration
        self._recorded: Recorded | None = None

    def take(self, index: int, entry: Entry) -> None:
        if entry.kind == VERDICT and entry.who == self._witness:
            digest = entry.body.get("digest")
            if not isinstance(digest, str):
                raise FlawError(f"Entry {index} has a verdict without its digest.")
            self._recorded = Recorded(index, digest)

    def steps(self) -> Iterator[Step]:
        if self._judge is None:
            return
        yield self._code(self._judge.code)
        recorded = self._recorded
        size = self._log.checkpoint.size if recorded is None else recorded.size
        judged = self._judged(self._judge.judge, size)
        found = f"{judged.label}, {judged.digest}"
        if recorded is None:
            yield Step(Outcome.PASS, self.name, f"{found}; the log has none to compare it with")
        elif recorded.digest != judged.digest:
            raise FlawError(
                f"The verdict on the first {size} entries is {found}; the log says {recorded.digest:.64}."
            )
        else:
            yield Step(Outcome.PASS, self.name, f"{found}, as the log says")

        if self._judge.what_if is not None:
            yield Step(Outcome.PASS, "what if", f"then {self._judged(self._judge.what_if, size).label}")

    def _judged(self, judge: Callable[[Iterable[Entry]], Judged], size: int) -> Judged:
        try:
            return judge(_First(self._log, size))
        except FAILURES as error:
            raise FlawError(f"The entries cannot be judged: {type(error).__name__}, {error!s:.100}.") from error

    def _code(self, code: str) -> Step:
        plan = self._registration.plan
        registered = None if plan is None else plan.body.get("verdict")
        if not isinstance(registered, str):
            return Step(Outcome.INCOMPLETE, "code", f"nobody registered what judges here: {code}")
        if registered != code:
            raise FlawError(f"What judges here is {code}; {registered:.64} was registered before the doors opened.")
        return Step(Outcome.PASS, "code", f"what judges here was registered before the doors opened: {code}")


class _First:
    """The first `size` entries, each time they are asked for: all of them at once would be half a gigabyte."""

    def __init__(self, log: Log, size: int) -> None:
        self._log = log
        self._size = size

    def __iter__(self) -> Iterator[Entry]:
        for data in islice(self._log.entries(), self._size):
            yield Entry(**json.loads(data)["said"])  # `chains` has checked it
