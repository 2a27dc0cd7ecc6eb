"""What a crowd is told to do, and what it has heard. Pure."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec


class CrowdPlan(msgspec.Struct, frozen=True):
    """Who comes: `listeners` in all, `join_rate_hz` of them a second, who stay until `seconds` after the first.

    With a `ticket` nobody joins: all ask for the stream with that one.
    """

    url: str
    listeners: int
    join_rate_hz: float
    seconds: float
    rendition: str = "webm-32"
    processes: int = 1
    ticket: str = ""


class Second(msgspec.Struct, frozen=True, tag="second"):
    """How one process's listeners are, once a second.

    So far `come`, `left` and `heard` anything, `lost` connections, `refused` answers, `missing` chunks;
    now `listening`. In this second `paused` were short of sound, the longest for `pause_max_ms`; `join_ms` and
    `first_sound_ms` are new. `cpu_s` is of the process.
    """

    at_s: float
    come: int
    left: int
    heard: int
    listening: int
    paused: int
    pause_max_ms: float
    lost: int
    waiting: int
    refused: int
    missing: int
    join_ms: list[float]
    first_sound_ms: list[float]
    cpu_s: float


class Tally(msgspec.Struct, tag="tally"):
    """What one process of the crowd has to say. `came_s` and `sound_after_ms`: of each listener, in one order.

    `estimates_s`: how long each who has waited was told to wait, and how long it was.
    """

    came_s: list[float] = []
    sound_after_ms: list[float | None] = []

    first_sound_ms: list[float] = []
    join_ms: list[float] = []
    refused: dict[str, int] = {}
    waited: int = 0
    estimates_s: list[tuple[float, float]] = []
    listening: int = 0
    ended: int = 0
    bytes: int = 0
    chunks: int = 0
    missing_chunks: int = 0
    missed_chunks: int = 0
    repeated_chunks: int = 0
    disordered_chunks: int = 0
    listeners_with_gaps: int = 0
    moved: int = 0
    paused_listeners: int = 0
    paused_ms: float = 0.0
    longest_pause_ms: float = 0.0
    excused: int = 0
    connections_lost: int = 0
    cpu_s: float = 0.0
    listener_seconds: float = 0.0


class CrowdReport(msgspec.Struct, frozen=True):
    """What the crowd heard. Times in milliseconds, from the first connection of a listener.

    `listeners` came, `heard` got any sound, `listening` had a stream at the end, `ended` were told that the
    conversation is over. `estimate_error_median` is that of those who `waited`, as a share of the true wait.
    `missing_chunks` were left out without a word, `missed_chunks` with one (`moved`). What `excused` ones missed by
    their own doing (asleep, out of reach) does not count. `refused` counts answers by status.
    `cpu_us_per_listener_second` is the crowd's own cost while it was complete.
    """

    listeners: int
    heard: int
    listening: int
    waited: int
    estimate_error_median: float | None
    ended: int
    refused: dict[str, int]
    join_p50_ms: float | None
    join_p99_ms: float | None
    first_sound_p50_ms: float | None
    first_sound_p99_ms: float | None
    first_sound_max_ms: float | None
    missing_chunks: int
    missed_chunks: int
    repeated_chunks: int
    disordered_chunks: int
    listeners_with_gaps: int
    moved: int
    paused_listeners: int
    paused_ms: float
    longest_pause_ms: float
    excused: int
    connections_lost: int
    bytes: int
    chunks: int
    seconds: float
    cpu_us_per_listener_second: float | None

    @property
    def ok(self) -> bool:
        """Everybody heard, and nobody missed anything."""
        whole = not (self.listeners_with_gaps or self.repeated_chunks or self.disordered_chunks or self.moved)
        return self.heard == self.listeners and whole and self.paused_listeners == 0


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest of the sorted `values` that `share` of them do not exceed (nearest rank)."""
    return round(values[max(0, math.ceil(share * len(values)) - 1)], 1) if values else None


def _errors(tallies: Sequence[Tally]) -> Iterator[float]:
    """How wrong each first estimate was, as a share of the true wait; under a second nobody notices."""
    for tally in tallies:
        for told_s, true_s in tally.estimates_s:
            yield abs(told_s - true_s) / max(1.0, true_s)


def sum_up(plan: CrowdPlan, tallies: Sequence[Tally], *, seconds: float) -> CrowdReport:
    first = sorted(ms for tally in tallies for ms in tally.first_sound_ms)
    join = sorted(ms for tally in tallies for ms in tally.join_ms)
    refused: Counter[str] = Counter()
    for tally in tallies:
        refused.update(tally.refused)
    # Of a process that was never complete the cost says nothing.
    cpu_s, listener_s = sum(t.cpu_s for t in tallies), sum(t.listener_seconds for t in tallies)
    return CrowdReport(
        listeners=plan.listeners,
        heard=len(first),
        listening=sum(t.listening for t in tallies),
        waited=sum(t.waited for t in tallies),
        estimate_error_median=percentile(sorted(_errors(tallies)), 0.5),
        ended=sum(t.ended for t in tallies),
        refused=dict(sorted(refused.items())),
        join_p50_ms=percentile(join, 0.5),
        join_p99_ms=percentile(join, 0.99),
        first_sound_p50_ms=percentile(first, 0.5),
        first_sound_p99_ms=percentile(first, 0.99),
        first_sound_max_ms=percentile(first, 1.0),
        missing_chunks=sum(t.missing_chunks for t in tallies),
        missed_chunks=sum(t.missed_chunks for t in tallies),
        repeated_chunks=sum(t.repeated_chunks for t in tallies),
        disordered_chunks=sum(t.disordered_chunks for t in tallies),
        listeners_with_gaps=sum(t.listeners_with_gaps for t in tallies),
        moved=sum(t.moved for t in tallies),
        paused_listeners=sum(t.paused_listeners for t in tallies),
        paused_ms=round(sum(t.paused_ms for t in tallies), 1),
        longest_pause_ms=round(max((t.longest_pause_ms for t in tallies), default=0.0), 1),
        excused=sum(t.excused for t in tallies),
        connections_lost=sum(t.connections_lost for t in tallies),
        bytes=sum(t.bytes for t in tallies),
        chunks=sum(t.chunks for t in tallies),
        seconds=round(seconds, 1),
        cpu_us_per_listener_second=round(1e6 * cpu_s / listener_s, 2) if listener_s else None,
    )
