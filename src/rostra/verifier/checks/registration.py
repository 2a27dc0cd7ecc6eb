"""Order: what was to be expected was written down before the doors opened, and is not another thing afterwards."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from rostra.verifier.checks.clocks import told
from rostra.verifier.entry import Entry
from rostra.verifier.errors import FlawError
from rostra.verifier.step import Outcome, Step

PLAN: Final = "registered_plan"  # by the witness: limits, rehearsed capacity, the verdict's code, who observes


class Anchor(NamedTuple):
    """An outsider says that the first `size` entries were there at `at_ms`."""

    size: int
    at_ms: int


class Registration:
    """The first plan, and when it was put in; `witness` opened the log of `conversation`."""

    name = "registration"

    def __init__(self, witness: str, opened: Entry, conversation: str) -> None:
        named = opened.body.get("conversation")
        if named != conversation:
            raise FlawError(f"The entries are of {named!s:.80}, and the log is of {conversation}: another event's.")
        self.conversation = conversation
        self._witness = witness
        self._doors_ms = opened.body.get("doors_ms")
        self.plan: Entry | None = None
        self.index = 0
        self.anchors: list[Anchor] = []  # by the checks before this one
        self._later: list[str] = []

    def take(self, index: int, entry: Entry) -> None:
        if entry.kind != PLAN:
            return
        if entry.who != self._witness:
            raise FlawError(f"Entry {index} registers a plan, and {entry.who} is not the witness.")
        if self.plan is None:
            self.plan, self.index = entry, index
        else:
            changed = sorted(
                name
                for name in {*entry.body, *self.plan.body} - {"number"}
                if entry.body.get(name) != self.plan.body.get(name)
            )
            self._later.append(f"the plan was changed by entry {index}: {', '.join(changed)[:200]}")

    def steps(self) -> Iterator[Step]:
        if self.plan is None:
            yield Step(Outcome.INCOMPLETE, self.name, "nothing was written down beforehand")
            return
        place = f"the plan (entry {self.index})"
        if not isinstance(self._doors_ms, int):
            yield Step(
                Outcome.INCOMPLETE, self.name, f"{place} cannot be compared with doors that nobody announced"
            )
        elif self.plan.wall_ms > self._doors_ms:
            late_ms = self.plan.wall_ms - self._doors_ms
            yield Step(Outcome.INCOMPLETE, self.name, f"{place} was written {late_ms} ms after the doors opened")
        else:
            seen_ms = min((anchor.at_ms for anchor in self.anchors if anchor.size > self.index), default=None)
            before_s = (self._doors_ms - self.plan.wall_ms) // 1000
            yield Step(Outcome.PASS, self.name, f"{place} was written {before_s} s before the doors opened")
            if seen_ms is not None and seen_ms > self._doors_ms:
                late_ms = seen_ms - self._doors_ms
                yield Step(Outcome.INCOMPLETE, self.name, f"{place} was seen by outsiders {late_ms} ms after that")
        yield from told(self.name, self._later)
