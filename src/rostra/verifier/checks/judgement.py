"""The verdict once more: it is made anew from the entries, and compared with what the log says of it."""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final, NamedTuple

from rostra.verifier.checks.clocks import told
from rostra.verifier.checks.registration import Registration
from rostra.verifier.entry import Entry
from rostra.verifier.errors import FlawError
from rostra.verifier.log import Log
from rostra.verifier.step import Outcome, Step

VERDICT: Final = "verdict"  # by the witness: of a verdict on the first `size` entries
CORRECTION: Final = "correction"  # by the operator: that something in the log was wrong
CORRECTOR: Final = "operator"
_CAUSES: Final = ("attack", "demand", "own", "external", "mixture")
FAILURES: Final = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)


class Judged(NamedTuple):
    """A verdict, in a word, and what tells it from every other."""

    label: str
    digest: str


class Judge(NamedTuple):
    """`code` is the digest of what judges, `now` judges as it does while the evening goes on.

    `what_if` judges an evening on which something had been otherwise.
    """

    judge: Callable[[Iterable[Entry]], Judged]
    code: str
    now: Callable[[Iterable[Entry]], Judged]
    what_if: Callable[[Iterable[Entry]], Judged] | None = None


class Recorded(NamedTuple):
    """What an entry of the log says that the verdict on its first `size` entries is."""

    entry: int
    size: int
    final: bool
    label: str
    firm: bool
    digest: str


class Judgement:
    """Judges with `judge`; without it, nothing is asked."""

    name = "verdict"

    def __init__(self, log: Log, witness: str, judge: Judge | None, registration: Registration) -> None:
        self._log = log
        self._witness = witness
        self._judge = judge
        self._registration = registration
        self._recorded: list[Recorded] = []
        self._corrections: list[str] = []

    def take(self, index: int, entry: Entry) -> None:
        if entry.kind == VERDICT and entry.who == self._witness:
            self._recorded.append(_recorded(index, entry))
        elif entry.kind == CORRECTION and entry.who == CORRECTOR:
            self._corrections.append(_corrected(index, entry))

    def steps(self) -> Iterator[Step]:
        yield from told("corrections", self._corrections, Outcome.PASS)
        last = next((each for each in reversed(self._recorded) if each.final), None)
        if last is not None:
            turned = [_turned(each, last) for each in self._recorded if _misled(each, last)]
            yield from told("live", turned, Outcome.PASS)  # nothing is wrong with it: a reader has to know
        if self._judge is None:
            return
        yield self._code(self._judge.code)
        recorded = last or (self._recorded[-1] if self._recorded else None)
        size = self._log.checkpoint.size if recorded is None else recorded.size
        now = recorded is not None and not recorded.final
        judged = self._judged(self._judge.now if now else self._judge.judge, size)
        found = f"{judged.label}, {judged.digest}"
        if recorded is None:
            yield Step(Outcome.PASS, self.name, f"{found}; the log has none to compare it with")
        elif recorded.digest != judged.digest:
            raise FlawError(
                f"The verdict on the first {size} entries is {found}; the log says {recorded.digest:.64}."
            )
        elif now:
            so_far = f"{found}, as the log says of its first {size} entries; it has no last one"
            yield Step(Outcome.INCOMPLETE, self.name, so_far)
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


def _recorded(index: int, entry: Entry) -> Recorded:
    body = entry.body
    size, final, label, firm, digest = (body.get(name) for name in ("size", "final", "label", "firm", "digest"))
    if not isinstance(size, int) or not isinstance(label, str) or not isinstance(digest, str):
        raise FlawError(f"Entry {index} has a verdict without its size, label or digest.")
    if not 0 < size <= index:
        raise FlawError(f"Entry {index} has a verdict on {size} entries: that is not what was before it.")
    return Recorded(index, size, final is True, label[:20], firm is True, digest)


def _corrected(index: int, entry: Entry) -> str:
    of, text = entry.body.get("entry"), entry.body.get("text")
    if not isinstance(of, int) or not 0 <= of < index or not isinstance(text, str):
        raise FlawError(f"Entry {index} corrects nothing that was said before it.")
    return f"entry {index} corrects entry {of}: {text:.200}"


def _misled(each: Recorded, last: Recorded) -> bool:
    """Whether a verdict named a cause, while the evening went on, and the last one another."""
    return not each.final and each.label in _CAUSES and each.label != last.label


def _turned(each: Recorded, last: Recorded) -> str:
    sure = "firmly " if each.firm else ""
    return f"entry {each.entry} said {sure}{each.label} while it went on; the last verdict is {last.label}"


class _First:
    """The first `size` entries, each time they are asked for: all of them at once would be half a gigabyte."""

    def __init__(self, log: Log, size: int) -> None:
        self._log = log
        self._size = size

    def __iter__(self) -> Iterator[Entry]:
        for data in islice(self._log.entries(), self._size):
            yield Entry(**json.loads(data)["said"])  # `chains` has checked it
