"""Clocks: whose jumped, whose entries came late, and who was silent. Instants are the speakers' own, in ms."""

from collections.abc import Iterator
from typing import Final

from rostra.verifier.entry import Entry
from rostra.verifier.step import Outcome, Step

CLOCK_STEP_MS: Final = 1_000  # a wall clock that is slewed moves 0.5 ms a second (RFC 5905 §11.3); this is a step
LATE_MS: Final = 60_000  # what was said so long before the witness's own newest entry was not put in at once
SILENT_MS: Final = 30_000  # a process speaks every second, the witness at each checkpoint
TOLD_MAX: Final = 20  # of one sort; the rest is counted
RECORD: Final = "record"
CHANGE: Final = "change"


def told(name: str, found: list[str], outcome: Outcome = Outcome.INCOMPLETE) -> Iterator[Step]:
    """A step for each, up to TOLD_MAX."""
    for each in found[:TOLD_MAX]:
        yield Step(outcome, name, each)
    if len(found) > TOLD_MAX:
        yield Step(outcome, name, f"and {len(found) - TOLD_MAX} more like these")


class Clocks:
    """Whose wall clock jumped against the one that knows no steps."""

    name = "clocks"

    def __init__(self) -> None:
        self._ahead_ms: dict[tuple[str, int], int] = {}
        self._found: list[str] = []

    def take(self, _: int, entry: Entry) -> None:
        lead_ms = entry.wall_ms - entry.run - entry.mono_ms
        before_ms = self._ahead_ms.get((entry.who, entry.run), lead_ms)
        self._ahead_ms[entry.who, entry.run] = lead_ms
        if abs(lead_ms - before_ms) > CLOCK_STEP_MS:
            jump_ms = lead_ms - before_ms
            self._found.append(f"the clock of {entry.who} jumped by {jump_ms} ms before its entry {entry.seq}")

    def steps(self) -> Iterator[Step]:
        yield from told(self.name, self._found)
        if not self._found:
            yield Step(Outcome.PASS, self.name, "no clock was moved")


class Times:
    """What claims to have been said long before, or after, the witness's own entries around it in the log."""

    name = "times"

    def __init__(self, witness: str) -> None:
        self._witness = witness
        self._now_ms = 0
        self._late: dict[str, tuple[int, int]] = {}  # how many, and the worst
        self._changes: list[str] = []

    def take(self, index: int, entry: Entry) -> None:
        if entry.who == self._witness:
            self._now_ms = max(self._now_ms, entry.wall_ms)
            return
        late_ms = self._now_ms - entry.wall_ms
        if abs(late_ms) <= LATE_MS:
            return
        if entry.kind == CHANGE:
            what = entry.body.get("what")
            found = f"the change {what!s:.40} of {entry.who} (entry {index}) was put in {late_ms} ms after it says"
            self._changes.append(found)
        else:
            count, worst_ms = self._late.get(entry.who, (0, 0))
            self._late[entry.who] = count + 1, max(worst_ms, late_ms, key=abs)

    def steps(self) -> Iterator[Step]:
        late = [
            f"{count} entries of {who} were put in up to {worst_ms} ms after they say: backdated, or kept back"
            for who, (count, worst_ms) in self._late.items()
        ]
        yield from told(self.name, self._changes + late)
        if not self._changes and not late:
            yield Step(Outcome.PASS, self.name, "every entry was put in when it says it was said")


class Silence:
    """Who speaks once a second, and did not, by the witness's clock."""

    name = "silence"

    def __init__(self, witness: str) -> None:
        self._witness = witness
        self._heard_ms: dict[str, int] = {}
        self._stopped: set[str] = set()
        self._now_ms = 0
        self._found: list[str] = []

    def take(self, _: int, entry: Entry) -> None:
        who = entry.who
        if who == self._witness:
            self._now_ms = max(self._now_ms, entry.wall_ms)
        if entry.kind == CHANGE and entry.body.get("what") == "stop":
            self._stopped.add(who)
        if entry.kind != RECORD and who != self._witness:
            return
        self._stopped.discard(who)
        self._note(who)
        self._heard_ms[who] = self._now_ms

    def _note(self, who: str) -> None:
        since_ms = self._heard_ms.get(who, self._now_ms)
        if self._now_ms - since_ms > SILENT_MS:
            self._found.append(f"{who} said nothing for {(self._now_ms - since_ms) // 1000} s after {since_ms}")

    def steps(self) -> Iterator[Step]:
        for who in self._heard_ms:
            if who not in self._stopped:
                self._note(who)
        yield from told(self.name, self._found)
        if not self._found:
            yield Step(Outcome.PASS, self.name, f"all {len(self._heard_ms)} who speak each second did")
