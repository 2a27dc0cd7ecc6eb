"""What each edge was offered and could do, step by step of the path from the first packet to the sound.

A cell is one edge in one bin of the span. What hindered people at an attempt is split by cause: `lost` has the
share of attempts that failed because of hostile load, more people than rehearsed, ourselves, or somebody we depend
on. What was too little (joins a second, places) stands beside what was rehearsed. None of it is a verdict yet.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from rostra.verdict.arithmetic import added
from rostra.verdict.changes import changed_before
from rostra.verdict.counters import BLOCK_S
from rostra.verdict.crowd import HARM_MIN, Block, Span, block, interrupted, newcomers
from rostra.verdict.departures import departed, stood_still
from rostra.verdict.evening import Evening, Process, Role, Status
from rostra.verdict.listening import INTERRUPTION_S, STARVED, is_paused
from rostra.verdict.wire import NO_CAUSES, Causes, on_the_wire, together

CELLS_MAX: Final = 320  # 1,000 draws of 16 worlds of them take seconds
WIDTHS_S: Final = (1, 2, 5, 10, 20, 30, 60, 120, 300)
UNSEEN_MIN: Final = 0.5  # of packets lost: of those who come, not all are counted
JAM_MIN: Final = 20.0  # attempts that wait: fewer are a handful of people's
UNMET_MIN: Final = 0.05  # of those who ask: fewer without sound do not show that the edge could not do more
_FLOOD: Final = 2.0  # times as many attempts of nobody as of people
NEAR_S: Final = 5  # within which the bus has failed, for what it has not brought
RETURN_S: Final = 30  # in which those come again who found an edge dead
BUS_SLOW_US: Final = 1_000_000  # the stage's chunks are 0.1 s; an edge has seconds of them
CAPACITY_KEPT: Final = 0.92  # a rehearsal repeats to 8 %
RETRY_USUAL_HZ: Final = 0.5  # of those who hear nothing yet


@dataclass(slots=True)
class Cell:
    """Numbers are of the whole bin but `joins_hz`. `people`: who asked first; `unseen`: who may have come, too."""

    people: float = 0.0
    unseen: float = 0.0
    returned: float = 0.0  # of the people, who were counted later than they came
    hostile: float = 0.0  # joins of nobody
    uncertain: float = 0.0  # of those, what only conduct speaks against
    refused: float = 0.0  # hostile requests that were refused
    again: float = 0.0  # attempts that are not the first ones
    stampede: float = 0.0  # times that people asked again, beyond what their player would
    heard: float = 0.0
    playing: float = 0.0
    squatting: float = 0.0  # of `playing`, those who are no listeners
    leaving: float = 0.0  # share of the listeners who went in this bin
    away: float = 0.0  # listeners who were cut before, and have not come back so far
    line: Causes | None = None  # whose attempts stand in the line before people, though there are places
    joins_hz: float | None = None  # what it was seen to bear; None: nothing showed a limit
    places: float | None = None
    full: bool = False
    anew: float = 0.0
    lost: Causes = NO_CAUSES
    wire: Causes = NO_CAUSES  # of packets that open a connection


@dataclass(frozen=True, slots=True)
class Road:
    """One edge's cells. `joins_hz`, `places`: rehearsed, or None. `cut`, `silenced`: people, by cause.

    `stranded` were cut as this edge ended and the attack kept them from the others: without either they were not.
    """

    edge: Process
    joins_hz: float | None
    places: float | None
    cells: tuple[Cell, ...]
    cut: Causes
    silenced: Causes
    stranded: float = 0.0

    @property
    def seen_hz(self) -> float | None:
        """The most that it was seen to bear; None if nothing showed a limit."""
        return max((cell.joins_hz for cell in self.cells if cell.joins_hz is not None), default=None)


@dataclass(frozen=True, slots=True)
class Path:
    """All edges in the span, in bins of `width_s`."""

    width_s: int
    roads: tuple[Road, ...]
    people: float

    @property
    def hidden(self) -> bool:
        """Whether people may have been harmed whom no edge can have counted; who found another edge was not."""
        unseen = 0.0
        for at in range(len(self.roads[0].cells) if self.roads else 0):
            if all(_hides(road.cells[at]) for road in self.roads):
                for road in self.roads:
                    unseen += road.cells[at].unseen + road.cells[at].returned
        return unseen > HARM_MIN * max(1.0, self.people)


def path(evening: Evening, span: Span) -> Path:
    edges = evening.of(Role.EDGE)
    seconds = span.end - span.begin
    width = next((each for each in WIDTHS_S if -(-seconds // each) * len(edges) <= CELLS_MAX), WIDTHS_S[-1])
    stages = evening.of(Role.STAGE)
    cut = interrupted(evening, span.begin, span.end)
    roads = tuple(_road(evening, edge, stages, span, width, cut[edge.name]) for edge in edges)
    roads = tuple(_strand(evening, road, roads, span, width) for road in roads)
    _return_unseen(roads, width)
    came, late = newcomers(evening, span.begin, span.end)
    _bring_in(roads, float(came), float(late))
    return Path(width, roads, float(span.people))


def _road(evening: Evening, edge: Process, stages: tuple[Process, ...], span: Span, width: int, cut: float) -> Road:
    known = evening.capacities.get(edge.name)
    joins_hz = float(known.joins_hz) if known and known.joins_hz else None
    places = float(known.listeners) if known and known.listeners else None
    begins = range(span.begin, span.end, width)
    cells = tuple(_cell(evening, edge, at, min(span.end, at + width), joins_hz, places) for at in begins)
    _smooth(cells)
    _miss(evening, edge, cells, span.begin, width)
    _squatting(cells)
    _jam(edge, cells, span.begin, width)
    fell, _ = departed(evening, edge, span.begin, span.end)
    cut_by = _by_cause(cells, cut - fell)
    cut_by = cut_by._replace(own=cut_by.own + fell)
    silenced = Causes()
    if stages and span.silenced:
        listening = float(max(edge.levels("playing", span.begin, span.end), default=0))
        external = any(_bus_fails(stage, span.begin, span.end) for stage in stages)
        silenced = Causes(external=listening) if external else Causes(own=listening)
    return Road(edge, joins_hz, places, cells, cut_by, silenced)


def _strand(evening: Evening, road: Road, roads: tuple[Road, ...], span: Span, width_s: int) -> Road:
    """Who fell with an edge goes on at another one, unless an attack keeps the ways to all of them."""
    others = [other for other in roads if other is not road]
    stranded = 0.0
    for number in range(len(road.cells) if others else 0):
        at = span.begin + number * width_s
        fell, _ = departed(evening, road.edge, at, min(at + width_s, span.end))
        if fell:
            near = [other.cells[number : number + max(1, INTERRUPTION_S // width_s)] for other in others]
            barred = [
                added(together(cell.wire.attack, cell.lost.attack) for cell in each) / len(each) for each in near
            ]
            stranded += fell * min(barred)
    stranded = min(stranded, road.cut.own)
    return replace(road, cut=road.cut._replace(own=road.cut.own - stranded), stranded=stranded)


def _miss(evening: Evening, edge: Process, cells: tuple[Cell, ...], begin: int, width_s: int) -> None:
    """Who was cut is missing until as many have come back; and did not leave by choice."""
    away = 0.0
    for number, cell in enumerate(cells):
        at = begin + number * width_s
        lost = float(sum(departed(evening, edge, at, at + width_s)))
        away = max(0.0, away - edge.counted("resumed", at, at + width_s)) + lost
        cell.away = away
        there = cell.playing + cell.heard + 1
        cell.leaving = max(0.0, cell.leaving * there - lost) / (there + away)


def _by_cause(cells: tuple[Cell, ...], number: float) -> Causes:
    """Split among what hindered attempts at the same time, else who made the load; by ourselves if nothing did."""
    weights = [0.0, 0.0, 0.0, 0.0]
    hostile = stampede = people = there = 0.0
    for cell in cells:
        if cell.playing or max(cell.lost) < 1:  # else nobody is left to count them
            there = cell.playing + cell.people
        for cause, (lost, on_wire) in enumerate(zip(cell.lost, cell.wire, strict=True)):
            weights[cause] += there * (lost + on_wire)
        hostile += cell.hostile + cell.refused
        stampede += cell.stampede
        people += cell.people
    if not any(weights) and _floods(hostile + stampede, people):
        weights[0], weights[1] = hostile, stampede
    whole = added(weights)
    if not number:
        return Causes()
    return Causes(*(number * each / whole for each in weights)) if whole else Causes(own=number)


def _floods(hostile: float, people: float) -> bool:
    return hostile > _FLOOD * (people + 1)


# --- one cell ------------------------------------------------------------------------------------------------


def _cell(
    evening: Evening, edge: Process, begin: int, end: int, joins_hz: float | None, places: float | None
) -> Cell:
    if not edge.spent(Status.SEEN, begin, end):
        return Cell(lost=_stopped_by(evening, edge, begin)) if edge.down(begin, end) else Cell()
    found = block(evening, edge, begin, end)
    cell = Cell(people=found.people, hostile=found.hostile, refused=found.refused, heard=found.heard)
    cell.again, cell.anew, cell.squatting = found.again, found.anew, found.squatting
    cell.uncertain = 0.0 if found.sure else found.hostile
    waiting = float(edge.level("waiting", begin, end) or 0)
    cell.stampede = max(0.0, found.again - RETRY_USUAL_HZ * (waiting + found.people) * (end - begin))
    cell.playing = float(edge.level("playing", begin, end) or 0)
    listening = edge.levels("playing", begin, end)
    if listening:
        before = (edge.levels("playing", max(0, begin - 1), begin) or listening)[0]
        sounds = found.heard + found.squatting
        gone = sounds - (listening[-1] - before)
        cell.leaving = min(1.0, max(0.0, gone) / (cell.playing + sounds + 1))
    cell.lost = _lost(edge, found, begin, end)
    cell.wire = on_the_wire(evening, edge, begin, end)
    moved = changed_before(evening, edge, begin, ours=("move",))  # nothing else of ours changes a line
    cell.wire = _whose(cell, found, changed=moved)
    _limits(edge, found, cell, begin, end, joins_hz, places)
    return cell


def _whose(cell: Cell, found: Block, *, changed: bool) -> Causes:
    """Whose a lost packet is that the wire itself blames on nobody: of who filled the line, or of who keeps it."""
    lost = cell.wire.own
    if not lost:
        return cell.wire
    wire = cell.wire._replace(own=0.0)
    if _floods(found.hostile, found.people):
        return wire._replace(attack=together(wire.attack, lost))
    if changed:
        return cell.wire
    return wire._replace(external=lost)  # a line that was rehearsed, and nobody touched


def _limits(
    edge: Process, found: Block, cell: Cell, begin: int, end: int, joins_hz: float | None, places: float | None
) -> None:
    """Which limit was reached: of places, as it was in force, or of joins, as it was seen."""
    in_force, room = edge.level("capacity", begin, end), edge.level("room", begin, end)
    listening = edge.levels("playing", begin, end)
    if in_force is not None and listening:
        cell.places = float(in_force)
        full = max(listening) >= in_force * CAPACITY_KEPT
    else:
        full = room == 0
        cell.places = cell.playing if full else places
    cell.full = full
    waiting = float(edge.level("waiting", begin, end) or 0)
    refused = float(edge.counted("refused_full", begin, end))
    unmet = max(found.people - found.in_time, waiting + refused)
    attempts = found.asked + found.again
    if not full and attempts and unmet > max(2.0, UNMET_MIN * found.people) and joins_hz is not None:
        failing = 1 - (1 - cell.lost.attack) * (1 - cell.lost.own) * (1 - cell.lost.external)
        admitted, told = edge.counted("admitted", begin, end), edge.counted("told_to_wait", begin, end)
        done = (max(found.heard, float(admitted + told)) + found.failed) / (end - begin)
        if failing < UNMET_MIN:
            cell.joins_hz = done


def _smooth(cells: tuple[Cell, ...]) -> None:
    """A second's joins are few: what an edge was seen to bear is the mean of five bins that reached a limit."""
    seen = [cell.joins_hz for cell in cells]
    for at, cell in enumerate(cells):
        if seen[at] is not None:
            near = [each for each in seen[max(0, at - 2) : at + 3] if each is not None]
            cell.joins_hz = added(near) / len(near)


def _squatting(cells: tuple[Cell, ...]) -> None:
    """From those who took a place in each bin to those who hold one: they leave as others do."""
    held = 0.0
    for cell in cells:
        held = min(cell.playing, (held + cell.squatting) * (1 - cell.leaving))
        cell.squatting = held


def _jam(edge: Process, cells: tuple[Cell, ...], begin: int, width: int) -> None:
    """Where mostly attempts of nobody wait, or of people who are in the line already, and places are free.

    Places are promised to whoever stands in front, and a promise that nobody takes up lasts for two seconds: people
    behind are let in as they were seen to be, as long as those are there.
    """
    hostile = anew = people = 0.0
    for at, cell in enumerate(cells):
        hostile, anew = hostile + cell.hostile, anew + max(cell.anew, cell.stampede)
        people = max(0.0, people + cell.people - cell.heard)
        waiting = float(edge.level("waiting", begin + at * width, begin + (at + 1) * width) or 0)
        others = min(waiting, hostile + anew)
        if _floods(others, people) and others > JAM_MIN and not cell.full:
            attack = hostile / (hostile + anew)
            cell.line = Causes(attack=attack, demand=1 - attack)
            cell.joins_hz = None


def _stopped_by(evening: Evening, edge: Process, begin: int) -> Causes:
    """Why an edge did nothing: its run ended, which is ours; or it stood still under what asked it then."""
    back = begin
    while back < edge.seconds and edge.status[back] != Status.SEEN:
        back += 1
    if not stood_still(evening, edge, begin):
        return Causes(own=1.0)
    found = block(evening, edge, back, min(edge.seconds, back + 1))
    if not _floods(found.hostile + found.refused, found.people):
        return Causes(own=1.0)
    return Causes(attack=1.0, own=1.0 if changed_before(evening, edge, begin) else 0.0)


# --- what hindered attempts ----------------------------------------------------------------------------------


def _lost(edge: Process, found: Block, begin: int, end: int) -> Causes:
    whole = found.failed + found.heard
    failing = found.failed / whole if whole >= 1 and found.failed >= 2 else 0.0
    starving = 1.0 if _starved(edge, begin, end) or is_paused(edge, begin, end) else 0.0
    down = edge.down(begin, end) / (end - begin)
    if _bus_fails(edge, begin - NEAR_S, end + NEAR_S):
        return Causes(own=down, external=max(failing, starving))
    return Causes(own=together(together(failing, down), starving))


def _bus_fails(process: Process, begin: int, end: int) -> bool:
    begin = max(0, begin)
    slow = max(process.levels("dependencies_bus_us", begin, end), default=0) > BUS_SLOW_US
    refused = process.counted("refused_bus", begin, end) > 0
    return slow or refused or process.counted("dependencies_bus_failures", begin, end) > 0


def _starved(edge: Process, begin: int, end: int) -> bool:
    """Whether each listener got far less than in the whole evening."""
    playing, usual = edge.level("playing", begin, end), edge.level("playing", 0, edge.seconds)
    if not playing or not usual or not edge.knows("bytes_out") or end - begin < 2:
        return False
    now = edge.counted("bytes_out", begin, end) / (playing * (end - begin))
    whole = edge.counted("bytes_out", 0, edge.seconds) / (usual * edge.seconds)
    return whole > 0 and now < STARVED * whole


def _return_unseen(roads: tuple[Road, ...], width_s: int) -> None:
    """Who came while nobody got through was counted later; or asked another edge; or was not seen at all.

    The wave at its return is put back to when it came; how many more there may have been is a parameter.
    """
    for road in roads:
        begin: int | None = None
        for at in range(len(road.cells) + 1):
            down = at < len(road.cells) and _hides(road.cells[at])
            if down and begin is None:
                begin = at
            elif not down and begin is not None:
                _put_back(road, roads, begin, at, width_s)
                begin = None


def _bring_in(roads: tuple[Road, ...], people: float, late: float) -> None:
    """Who was counted nowhere as they asked first came while no edge could count them.

    Whoever found another edge was heard there soon; the others, and all while every edge was dark, were not.
    """
    dark = [all(_hides(road.cells[at]) for road in roads) for at in range(len(roads[0].cells) if roads else 0)]
    for at in range(len(dark) - 1, -1, -1):  # at the end nobody is there, and nobody wants to be
        if any(road.cells[at].playing or road.cells[at].heard for road in roads):
            break
        dark[at] = False
    came = added(cell.returned for road in roads for cell in road.cells)  # put back already
    late = max(0.0, late - came)
    people = max(0.0, people - came - late)
    for whose, number in ((_in_the_dark(roads, dark), people), (_hidden(roads), late)):
        more = [max(0.0, cell.heard - cell.people) for road in roads for cell in road.cells]
        _add(roads, number, whose if any(whose) else more)


def _in_the_dark(roads: tuple[Road, ...], dark: list[bool]) -> list[float]:
    return [1.0 if each else 0.0 for _ in roads for each in dark]


def _hidden(roads: tuple[Road, ...]) -> list[float]:
    return [1.0 if _hides(cell) else 0.0 for road in roads for cell in road.cells]


def _add(roads: tuple[Road, ...], people: float, weights: list[float]) -> None:
    whole = added(weights)
    if people <= 0 or not whole:
        return
    cells = [cell for road in roads for cell in road.cells]
    for cell, weight in zip(cells, weights, strict=True):
        cell.people += people * weight / whole
        cell.returned += people * weight / whole if _hides(cell) else 0.0


def _hides(cell: Cell) -> bool:
    return max(cell.lost.own, cell.lost.attack) >= 1.0 or max(cell.wire) >= UNSEEN_MIN


def _put_back(road: Road, roads: tuple[Road, ...], begin: int, end: int, width_s: int) -> None:
    first = max(0, begin - max(1, BLOCK_S // width_s))
    usual = _mean(road, first, begin) if begin else 0.0
    if not usual:  # whoever comes first after that is no wave that was held up
        return
    wave = 0.0
    for cell in road.cells[end : end + max(1, RETURN_S // width_s)]:
        more = max(0.0, cell.people - usual)
        cell.people -= more
        wave += more
    came = elsewhere = expected = late = 0.0
    for at in range(begin, end):
        road.cells[at].people += wave / (end - begin)
        road.cells[at].returned = wave / (end - begin)
        came += road.cells[at].people
        well = [other for other in roads if other is not road and not _hides(other.cells[at])]
        expected += usual * _trend(well, first, begin, at)
        for other in well:
            elsewhere += other.cells[at].again
    for cell in road.cells[end : end + max(1, RETURN_S // width_s)]:
        late += cell.again  # what waited in the kernel is answered now
    unseen = max(0.0, expected - came - elsewhere - late)
    if came + elsewhere > UNSEEN_MIN * expected:  # they do get through, here or where their player goes then
        unseen = 0.0
    for cell in road.cells[begin:end]:
        cell.unseen = unseen / (end - begin)


def _trend(roads: Sequence[Road], first: int, begin: int, at: int) -> float:
    """How many come to other edges around that time, for each who came before; 1 if nobody can tell."""
    before = now = 0.0
    for road in roads:
        before += _mean(road, first, begin) if begin else 0.0
        now += _mean(road, max(0, at - 1), min(len(road.cells), at + 2))
    return now / before if before > 0 else 1.0


def _mean(road: Road, begin: int, end: int) -> float:
    return added(cell.people for cell in road.cells[begin:end]) / (end - begin)
