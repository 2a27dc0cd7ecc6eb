"""What speaks for one class of causes or another: one category of each group of signals that share a mechanism.

Categories are in the order of how much has to happen for them; of several that apply the last one holds. A group is
unknown if nobody counted what it stands on. Nothing here accuses: what a category is worth is in the tables.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from rostra.verdict.counters import BLOCK_S, FIRST, KNOWN, SOUNDS, concentrated, failed
from rostra.verdict.crowd import Block, Span, block
from rostra.verdict.evening import Evening, Process, Role, total
from rostra.verdict.listening import silence
from rostra.verdict.path import CAPACITY_KEPT, Path
from rostra.verdict.wire import handshakes, is_syn_flood, on_the_wire

CATEGORIES: Final[dict[str, tuple[str, ...]]] = {
    "crowd": ("within", "near", "beyond"),
    "repeats": ("few", "some", "many"),
    "conduct": ("listening", "refused", "many_refused", "some_deaf", "many_deaf"),
    "sources": ("usual", "strangers", "concentrated"),
    "kernel": ("quiet", "overflow", "line", "handshakes"),
    "connections": ("used", "idle", "mostly_idle"),
    "limits": ("rehearsed", "lower", "far_lower"),
    "resource": ("rehearsed", "slower", "far_slower"),
    "answers": ("fine", "failing", "mostly_failing"),
    "presence": ("there", "paused", "down"),
    "programme": ("sounding", "silent"),
    "dependency": ("answering", "slow", "failing"),
    "change": ("none", "limit", "configuration", "deploy", "move"),
    "contrast": ("alike", "part"),
}
CHANGE_S: Final = 120  # before the harm began: what is older was there while all was well
_PERMILLE: Final = 1_000
DOWN_S: Final = 5  # of an edge that is gone: less is a pause
FRAMES_HZ: Final = 50
ENTRIES_MAX: Final = 8  # of the log, for each signal: those at the onset


@dataclass(frozen=True, slots=True)
class Signal:
    """`category` is None where nobody counted; `permille` is the number behind it; `entries` are in the log."""

    group: str
    category: str | None
    permille: int
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _View:
    """What the groups look at."""

    evening: Evening
    span: Span
    path: Path
    begin: int
    end: int

    @property
    def edges(self) -> tuple[Process, ...]:
        return self.evening.of(Role.EDGE)

    def known(self, *names: str) -> bool:
        """Whether every edge counted all of these."""
        return bool(self.edges) and all(edge.knows(name) for edge in self.edges for name in names)


def signals(evening: Evening, span: Span, path: Path) -> tuple[Signal, ...]:
    onset = span.onset
    begin = span.begin if onset is None else max(span.begin, onset - BLOCK_S)
    view = _View(evening, span, path, begin, span.end)
    entries = _entries(view)
    found = []
    for group, read in _READERS.items():
        number = read(view)
        if number is None:
            found.append(Signal(group, None, 0, ()))
        else:
            level, permille = number
            found.append(Signal(group, CATEGORIES[group][level], permille, entries))
    return tuple(found)


def _entries(view: _View) -> tuple[int, ...]:
    """The records of each edge at the onset."""
    at = view.span.begin if view.span.onset is None else view.span.onset
    found = []
    for edge in view.edges:
        later = [each for each in edge.entries[at : at + BLOCK_S] if each >= 0]
        found += later[:1]
    return tuple(found[:ENTRIES_MAX])


_Reading = tuple[int, int] | None  # which category, and the number behind it


def _level(permille: int, *bounds: int) -> tuple[int, int]:
    return len([bound for bound in bounds if permille >= bound]), permille


def _ratio(part: float, whole: float) -> int:
    return round(_PERMILLE * part / whole) if whole > 0 else 0


def _crowd(view: _View) -> _Reading:
    """People who wanted to be in at once, of the places and the joins a second that were rehearsed."""
    rehearsed_hz = places = 0.0
    for road in view.path.roads:
        if road.joins_hz is None and road.places is None:
            return None
        rehearsed_hz += road.joins_hz or 0.0
        places += road.places or 0.0
    if not view.known("asked_first_anonymous") or not view.path.roads:
        return None
    steps = max(1, BLOCK_S // view.path.width_s)
    cells = len(view.path.roads[0].cells)
    most = 0
    wanted = 0.0
    for at in range(cells):
        came = there = heard = 0.0
        for road in view.path.roads:
            for cell in road.cells[max(0, at - steps + 1) : at + 1]:
                came += cell.people
            there += road.cells[at].playing
            wanted += road.cells[at].people
            heard += road.cells[at].heard
        wanted = max(0.0, wanted - heard)
        seconds = steps * view.path.width_s
        most = max(most, _ratio(came, seconds * rehearsed_hz), _ratio(there + wanted, places))
    return _level(most, 920, 1_200)


def _repeats(view: _View) -> _Reading:
    """Attempts beyond the first one, also of clients that have forgotten that they asked, for each who asked."""
    if not view.known("asked_again"):
        return None
    asked = again = 0.0
    for each in _each_block(view):
        asked += each.people + each.hostile
        again += each.again
    return _level(_ratio(again, max(1.0, asked)), 1_000, 4_000)


def _conduct(view: _View) -> _Reading:
    if not view.known("admitted", "sound_within_1000_ms", "answers_4xx"):
        return None
    asked = hostile = refused = 0.0
    for each in _each_block(view):
        asked += each.asked
        hostile += each.hostile
        refused += each.refused
    deaf, turned_away = _ratio(hostile, max(1.0, asked)), _ratio(refused, max(1.0, asked))
    if deaf >= 80:
        return (4 if deaf >= 300 else 3), deaf
    return _level(turned_away, 300, 2_000)


def _sources(view: _View) -> _Reading:
    """Whether few networks ask for many, or strangers came in another proportion than before."""
    if not view.known("sources_entropy_u", *FIRST[1:]):
        return None
    if any(concentrated(edge, at, at + BLOCK_S) for edge in view.edges for at in _blocks(view)):
        return 2, _PERMILLE
    before = _strangers(view, view.span.begin, view.begin)
    after = _strangers(view, view.begin, view.end)
    more = max(0, after - before) if before is not None and after is not None else 0
    return _level(more, 250)[0], more


def _strangers(view: _View, begin: int, end: int) -> int | None:
    """Of those who asked, how many nobody knows; None of too few."""
    everybody = known = 0
    for edge in view.edges:
        everybody += total(edge, FIRST, begin, end)
        known += total(edge, KNOWN, begin, end)
    return _ratio(everybody - known, everybody) if everybody >= 20 else None


def _blocks(view: _View) -> range:
    return range(view.begin, view.end, BLOCK_S)


def _each_block(view: _View) -> Iterator[Block]:
    for edge in view.edges:
        for at in _blocks(view):
            yield block(view.evening, edge, at, at + BLOCK_S)


def _kernel(view: _View) -> _Reading:
    if not view.known("passive_opens", "nic_bytes_in"):  # a kernel without SYN cookies counts none of these
        return None
    level = most = 0
    for edge in view.edges:
        for at in _blocks(view):
            wire = on_the_wire(view.evening, edge, at, at + BLOCK_S)
            unfinished, opened = handshakes(edge, at, at + BLOCK_S)
            if is_syn_flood(unfinished, opened):
                level, most = 3, max(most, _ratio(unfinished, opened + 1))
            elif max(wire) > 0:
                level, most = max(level, 2), max(most, _ratio(max(wire), 1.0))
            elif edge.counted("accept_queue_overflows", at, at + BLOCK_S) >= 3:
                level = max(level, 1)
    return level, most


def _connections(view: _View) -> _Reading:
    if not view.known("idle_connections", "playing"):
        return None
    most = 0
    for edge in view.edges:
        for at in _blocks(view):
            idle = edge.level("idle_connections", at, at + BLOCK_S) or 0
            idle += edge.level("half_open", at, at + BLOCK_S) or 0
            most = max(most, _ratio(idle, 10 + (edge.level("playing", at, at + BLOCK_S) or 0)))
    return _level(most, 700, 2_000)


def _limits(view: _View) -> _Reading:
    if not view.known("capacity") or any(road.places is None for road in view.path.roads):
        return None
    least = _PERMILLE
    for road in view.path.roads:
        for cell in road.cells:
            if cell.places is not None and road.places:
                least = min(least, _ratio(cell.places, road.places))
    return (0 if least >= _PERMILLE * CAPACITY_KEPT else 1 if least >= 500 else 2), least


def _resource(view: _View) -> _Reading:
    if any(road.joins_hz is None for road in view.path.roads) or not view.path.roads:
        return None
    least = _PERMILLE
    for road in view.path.roads:
        for cell in road.cells:
            if cell.joins_hz is not None and road.joins_hz:
                least = min(least, _ratio(cell.joins_hz, road.joins_hz))
    return (0 if least >= 850 else 1 if least >= 500 else 2), least


def _answers(view: _View) -> _Reading:
    if not view.known("answers_5xx"):
        return None
    most = 0
    for edge in view.edges:
        for at in _blocks(view):
            errors = failed(edge, at, at + BLOCK_S)
            if errors >= 3:
                most = max(most, _ratio(errors, errors + total(edge, SOUNDS, at, at + BLOCK_S)))
    return _level(most, 50, 400)


def _presence(view: _View) -> _Reading:
    if not view.edges:
        return None
    down = paused = 0
    for edge in view.edges:
        seconds = edge.down(view.begin, view.end)
        if seconds and not _was_drained(view, edge):
            paused = max(paused, seconds)
            down += seconds >= DOWN_S
    return (2 if down else 1 if paused else 0), paused


def _was_drained(view: _View, edge: Process) -> bool:
    """Whether it had said that it goes, and whoever listened was sent elsewhere."""
    return any(
        change.what == "scale" and change.subject == edge.name and change.after == "0"
        for change in view.evening.changes
        if view.begin - BLOCK_S <= change.at_s < view.end
    )


def _programme(view: _View) -> _Reading:
    stages = view.evening.of(Role.STAGE)
    if not any(stage.knows("silent_frames") for stage in stages):
        return None
    found = silence(stages, view.begin, view.end)
    return (1 if found.is_long else 0), max(found.frames, FRAMES_HZ * found.on_hold_s)


def _dependency(view: _View) -> _Reading:
    if not any(process.knows("dependencies_bus_us") for process in view.evening.processes):
        return None
    failing = slow = 0
    for process in view.evening.processes:
        failing += process.counted("dependencies_bus_failures", view.begin, view.end) > 0
        slow += max(process.levels("dependencies_bus_us", view.begin, view.end), default=0) > 500_000
    return (2 if failing else 1 if slow else 0), failing


def _change(view: _View) -> _Reading:
    onset = view.begin if view.span.onset is None else view.span.onset
    order = CATEGORIES["change"]
    level = 0
    for change in view.evening.changes:
        what = "deploy" if change.what == "rollback" else change.what
        if change.by == "ladder":  # it answers to load: an effect
            continue
        if what in order and onset - CHANGE_S <= change.at_s <= onset + BLOCK_S:
            level = max(level, order.index(what))
    return level, level


def _contrast(view: _View) -> _Reading:
    """Whether some edges had people who heard nothing while others had none."""
    shares = []
    for edge in view.edges:
        asked = in_time = 0.0
        for at in _blocks(view):
            each = block(view.evening, edge, at, at + BLOCK_S)
            asked += each.people
            in_time += each.in_time
        down = edge.down(view.begin, view.end)
        shares.append(_PERMILLE if down >= DOWN_S else _ratio(max(0.0, asked - in_time), asked))
    if not shares:
        return None
    return (1 if min(shares) < 30 and max(shares) > 100 else 0), max(shares) - min(shares)


_READERS: Final[dict[str, Callable[[_View], _Reading]]] = {
    "crowd": _crowd,
    "repeats": _repeats,
    "conduct": _conduct,
    "sources": _sources,
    "kernel": _kernel,
    "connections": _connections,
    "limits": _limits,
    "resource": _resource,
    "answers": _answers,
    "presence": _presence,
    "programme": _programme,
    "dependency": _dependency,
    "change": _change,
    "contrast": _contrast,
}
