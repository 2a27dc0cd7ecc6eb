"""What an operator has to see at one glance: every edge, and what gives cause for worry. Pure."""

from collections import Counter
from typing import Literal

import msgspec

from rostra.core.messages import EdgeReport, LiveVerdict, StageReport
from rostra.core.units import SECOND_NS

SILENT_S = 3.0  # of a process that speaks once a second: it is dead, or cut off
GONE_S = 60.0  # by then somebody has seen it, or has taken it away on purpose
LAG_MS = 250.0  # later than that newcomers notice
WRITE_SHARE = 0.5  # of the loop's time: more, and joins wait
FULL_SHARE = 0.95  # of what an edge can carry
JUDGED_S = 3_600  # ago: what is older is not of this evening

Worry = Literal["silent", "lag", "writing", "full", "waiting", "stage-late", "stage-backlog", "no-stage"]


class Alarm(msgspec.Struct, frozen=True):
    """A reason to look closer: `about` a process, with the figure that is too high."""

    worry: Worry
    about: str
    value: float


class EdgeRow(msgspec.Struct, frozen=True):
    """One edge worker as it was `silent_s` ago."""

    name: str
    url: str
    listeners: int
    capacity: int
    joins_hz: float
    waiting: int
    rung: str
    cadence_ms: int
    write_share: float
    lag_ms: float
    shielded_hz: float
    shield: dict[str, int]
    draining: bool
    silent_s: float


class Overview(msgspec.Struct, frozen=True):
    """All edges, and their sums."""

    edges: tuple[EdgeRow, ...]
    warnings: tuple[Alarm, ...]
    listeners: int
    capacity: int
    joins_hz: float
    waiting: int
    verdicts: tuple[LiveVerdict, ...] = ()


class Watch:
    """Hears reports and verdicts, and says how things are. `now_s` is monotonic, `now_ns` the wall's."""

    def __init__(self) -> None:
        self._edges: dict[str, tuple[float, EdgeReport, EdgeReport]] = {}
        self._stages: dict[str, tuple[float, StageReport]] = {}
        self.verdicts: dict[str, LiveVerdict] = {}  # by conversation

    def hear(self, report: object, *, now_s: float) -> None:
        match report:
            case EdgeReport():
                before = self._edges.get(report.edge)
                self._edges[report.edge] = now_s, report if before is None else before[2], report
            case StageReport():
                self._stages[report.stage] = now_s, report
            case LiveVerdict():
                self.verdicts[report.conversation] = report
            case _:  # of processes that no listener depends on: `rostra status` has them
                pass

    def overview(self, *, now_s: float, now_ns: int) -> Overview:
        self._edges = {name: each for name, each in self._edges.items() if now_s - each[0] < GONE_S}
        self._stages = {name: each for name, each in self._stages.items() if now_s - each[0] < GONE_S}
        edges = tuple(_row(*self._edges[name], now_s=now_s) for name in sorted(self._edges))
        heard = [edge for edge in edges if edge.silent_s < SILENT_S]
        return Overview(
            edges,
            tuple(warning for edge in edges for warning in _edge_warnings(edge)) + self._stage_warnings(now_s),
            listeners=sum(edge.listeners for edge in heard),
            capacity=sum(edge.capacity for edge in heard if not edge.draining),
            joins_hz=round(sum(edge.joins_hz for edge in heard), 1),
            waiting=sum(edge.waiting for edge in heard),
            verdicts=tuple(
                verdict
                for _, verdict in sorted(self.verdicts.items())
                if now_ns - verdict.at_ns < JUDGED_S * SECOND_NS
            ),
        )

    def _stage_warnings(self, now_s: float) -> tuple[Alarm, ...]:
        found = []
        for name, (heard_s, report) in sorted(self._stages.items()):
            if now_s - heard_s >= SILENT_S:
                found.append(Alarm("silent", name, round(now_s - heard_s, 1)))
            elif report.backlog_chunks > 10:
                found.append(Alarm("stage-backlog", name, report.backlog_chunks / 10))
            elif report.lateness_max_ms > LAG_MS:
                found.append(Alarm("stage-late", name, report.lateness_max_ms))
        if self._edges and not any(now_s - heard_s < SILENT_S for heard_s, _ in self._stages.values()):
            found.append(Alarm("no-stage", "stages", 0.0))
        return tuple(found)


def _row(heard_s: float, before: EdgeReport, now: EdgeReport, *, now_s: float) -> EdgeRow:
    seconds = max(1.0, (now.at_ns - before.at_ns) / SECOND_NS)
    shielded = sum((Counter(now.shield) - Counter(before.shield)).values())
    return EdgeRow(
        name=now.edge,
        url=now.url,
        listeners=sum(now.listeners.values()),
        capacity=now.capacity,
        joins_hz=round(max(0, now.joins - before.joins) / seconds, 1),
        waiting=sum(count for of_class in now.waiting for _, _, count in of_class),
        rung=now.rung,
        cadence_ms=now.cadence_ms,
        write_share=now.write_share,
        lag_ms=now.lag_ms,
        shielded_hz=round(shielded / seconds, 1),
        shield=now.shield,
        draining=now.draining,
        silent_s=round(max(0.0, now_s - heard_s), 1),
    )


def _edge_warnings(edge: EdgeRow) -> list[Alarm]:
    if edge.silent_s >= SILENT_S:
        return [Alarm("silent", edge.name, edge.silent_s)]
    found = []
    if edge.lag_ms > LAG_MS:
        found.append(Alarm("lag", edge.name, edge.lag_ms))
    if edge.write_share > WRITE_SHARE:
        found.append(Alarm("writing", edge.name, edge.write_share))
    if edge.capacity and edge.listeners > FULL_SHARE * edge.capacity:
        found.append(Alarm("full", edge.name, edge.listeners / edge.capacity))
    if edge.waiting:
        found.append(Alarm("waiting", edge.name, edge.waiting))
    return found
