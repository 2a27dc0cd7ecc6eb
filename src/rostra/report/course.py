"""The course of an evening as the pictures show it: who asked, heard, waited and was refused, at each edge."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rostra.verdict.counters import BLOCK_S
from rostra.verdict.crowd import block, interrupted
from rostra.verdict.evening import Change, Evening, Process, Role, Statement, Status

COLUMNS_MAX: Final = 100  # of a picture: more is not seen on paper
AROUND_S: Final = 60  # before and after what is judged
_SHOWN: Final = frozenset({"statement", "notice"})  # are told with what was said
HARM_SOME_U: Final = 30_000  # the verdict's own bound of an incident
HARM_MOST_U: Final = 300_000
_MILLION: Final = 1_000_000


@dataclass(slots=True)
class Cell:
    """One edge, or all, in one column: `waiting` and `playing` are the most at once."""

    people: float = 0.0
    in_time: float = 0.0
    heard: float = 0.0
    refused: float = 0.0
    hostile: float = 0.0
    waiting: int = 0
    playing: int = 0

    def add(self, other: "Cell") -> None:
        self.people += other.people
        self.in_time += other.in_time
        self.heard += other.heard
        self.refused += other.refused
        self.hostile += other.hostile
        self.waiting += other.waiting
        self.playing += other.playing


@dataclass(frozen=True, slots=True)
class EdgeCourse:
    """One edge; `people`, `missed` and `cut` are of the seconds that were judged, in whole people."""

    name: str
    cells: tuple[Cell, ...]
    people: int
    missed: int
    cut: int
    down_s: int
    unseen_s: int
    judged_s: int

    @property
    def harm_u(self) -> int:
        """Share of its people who were harmed."""
        late = min(1.0, self.missed / self.people) if self.people else 0.0
        there = self.people + max((each.playing for each in self.cells), default=0)
        cut = min(1.0, self.cut / there) if there else 0.0
        return round((1 - (1 - late) * (1 - cut)) * _MILLION)

    @property
    def look(self) -> str:
        """`unseen`, `most`, `some` or `none`: how it is coloured."""
        if 2 * self.unseen_s > self.judged_s:
            return "unseen"
        return "most" if self.harm_u >= HARM_MOST_U else "some" if self.harm_u >= HARM_SOME_U else "none"

    @property
    def is_hit(self) -> bool:
        return self.look in ("most", "some")


@dataclass(frozen=True, slots=True)
class Course:
    """Columns of `step_s` from second `begin` to `end` of the evening, which began at `began_s`."""

    began_s: int
    begin: int
    end: int
    step_s: int
    doors: int
    starts: int
    onset: int | None
    whole: tuple[Cell, ...]
    edges: tuple[EdgeCourse, ...]
    changes: tuple[Change, ...]
    statements: tuple[Statement, ...]

    def second(self, column: int) -> int:
        return self.begin + column * self.step_s

    def rate(self, value: float) -> float:
        """Of what a column counted: each second."""
        return value / self.step_s


def course(evening: Evening, harm: Mapping[str, Any]) -> Course:
    """`harm` as the verdict has it. Without harm it is all of the evening, else what was judged."""
    first, last = harm["from_s"] - evening.began_s, harm["to_s"] - evening.began_s
    onset = None if harm["onset_s"] is None else harm["onset_s"] - evening.began_s
    begin = 0 if onset is None else max(0, first - AROUND_S) // BLOCK_S * BLOCK_S
    end = evening.seconds if onset is None else min(evening.seconds, last + AROUND_S)
    step = BLOCK_S * max(1, -(-(end - begin) // (BLOCK_S * COLUMNS_MAX)))
    columns = max(1, -(-(end - begin) // step))
    cut = interrupted(evening, first, last)
    edges = tuple(
        _edge(evening, edge, begin, step, columns, first, last, cut[edge.name]) for edge in evening.of(Role.EDGE)
    )
    whole = tuple(Cell() for _ in range(columns))
    for edge in edges:
        for at, cell in enumerate(edge.cells):
            whole[at].add(cell)
    return Course(
        began_s=evening.began_s,
        begin=begin,
        end=end,
        step_s=step,
        doors=evening.doors_s,
        starts=evening.starts_s,
        onset=onset,
        whole=whole,
        edges=tuple(sorted(edges, key=lambda each: (-each.harm_u, each.name))),
        changes=tuple(each for each in evening.changes if begin <= each.at_s < end and each.what not in _SHOWN),
        statements=tuple(each for each in evening.statements if begin <= each.at_s < end),
    )


def _edge(
    evening: Evening, edge: Process, begin: int, step: int, columns: int, first: int, last: int, cut: float
) -> EdgeCourse:
    cells = tuple(Cell() for _ in range(columns))
    people = in_time = 0.0
    final = min(last, evening.seconds - BLOCK_S)  # who asks later cannot be late yet
    for at in range(begin, min(evening.seconds, begin + columns * step), BLOCK_S):
        found = block(evening, edge, at, at + BLOCK_S)
        cell = cells[(at - begin) // step]
        cell.add(Cell(found.people, found.in_time, found.heard, found.refused, found.hostile))
        cell.waiting = max(cell.waiting, *edge.levels("waiting", at, at + BLOCK_S), 0)
        cell.playing = max(cell.playing, *edge.levels("playing", at, at + BLOCK_S), 0)
        if first <= at < final:
            people += found.people
            in_time += found.in_time
    return EdgeCourse(
        name=edge.name,
        cells=cells,
        people=round(people),
        missed=round(max(0.0, people - in_time)),
        cut=round(cut),
        down_s=edge.down(first, last),
        unseen_s=edge.spent(Status.UNSEEN, first, last),
        judged_s=last - first,
    )
