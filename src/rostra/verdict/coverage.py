"""How much of the evidence is here, and what is not: it caps what may be said."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rostra.verdict.crowd import Span, measured
from rostra.verdict.evening import Evening, Role, Status
from rostra.verdict.likelihood import WORDS
from rostra.verdict.path import Path
from rostra.verdict.signals import Signal

COMPLETE: Final = 0.98  # of the seconds: one in fifty may be late on the way
ENOUGH: Final = 0.6
_MOST_SEEN: Final = 0.8


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that is missing, and how much of it."""

    code: str
    subject: str
    number: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """`share` of the seconds of edges and stages whose records are here; `told`, with those of who was gone."""

    share: float
    told: float
    unknowns: tuple[Unknown, ...]

    @property
    def complete(self) -> bool:
        return self.share >= COMPLETE and not self.unknowns

    @property
    def seen(self) -> bool:
        """Whether it may be said that nothing happened."""
        return self.share >= ENOUGH

    @property
    def enough(self) -> bool:
        """Whether a cause may be named at all: that somebody fell silent while others went on tells something."""
        return self.told >= ENOUGH

    def capped(self, word: str) -> str:
        """At most this may be said of how strong the evidence is."""
        if self.complete:
            return word
        most = "moderate" if self.share >= _MOST_SEEN else "limited" if self.enough else "none"
        return min(word, most, key=WORDS.index)


def coverage(evening: Evening, span: Span, signals: Sequence[Signal], path: Path) -> Coverage:
    edges, stages = evening.of(Role.EDGE), evening.of(Role.STAGE)
    watched = missing = gone = 0
    unknowns = []
    for process in (*edges, *stages):
        unseen = sum(process.spent(each, span.begin, span.end) for each in (Status.UNSEEN, Status.GONE))
        watched += span.end - span.begin - unseen - process.spent(Status.ABSENT, span.begin, span.end)
        missing += unseen
        gone += process.spent(Status.GONE, span.begin, span.end)
        if unseen > (1 - COMPLETE) * (span.end - span.begin):
            unknowns.append(Unknown("unseen_s", process.name, unseen))
    if not edges or not measured(evening):
        unknowns.append(Unknown("nobody_counted", "edges", 0))
    if not stages:
        unknowns.append(Unknown("nobody_counted", "stage", 0))
    unknowns += [Unknown("never_heard_of", name, 0) for name in evening.silent]
    for road in path.roads:
        if road.joins_hz is None and road.places is None:
            unknowns.append(Unknown("capacity_not_rehearsed", road.edge.name, 0))
    if evening.plan is None:
        unknowns.append(Unknown("no_plan", "", 0))
    elif evening.plan_late:
        unknowns.append(Unknown("plan_late", "", evening.plan))
    unknowns += [Unknown("not_measured", each.group, 0) for each in signals if each.category is None]
    whole = watched + missing if edges else 0
    share, told = (watched / whole, (watched + gone) / whole) if whole else (0.0, 0.0)
    return Coverage(share, told, tuple(unknowns))
