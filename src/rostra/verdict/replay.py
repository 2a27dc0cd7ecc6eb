"""The evening once more without one or several of its causes: sixteen worlds in a fluid model of each edge.

Of those who ask, an edge lets in what its joins a second bear, refusals of hostile requests included, and what its
places hold; the rest asks again, or goes. Without the attack hostile joins and what it lost of others are gone;
without the excess of people no more ask than was rehearsed; without our fault limits, capacity and health are as
rehearsed; without the dependency's fault nothing is lost to it.
"""

from collections.abc import Iterator
from itertools import product
from typing import Final, NamedTuple

from rostra.verdict.conduct import BLOCK_S
from rostra.verdict.draws import Draw
from rostra.verdict.path import CAPACITY_KEPT, Cell, Path, Road
from rostra.verdict.wire import Causes, unreached

NAMES: Final = ("attack", "demand", "own", "external")
_STEPS: Final = 4  # of the waiting time's distribution: 1/(1+x/4)^4 stands for exp(-x), without a logarithm


class World(NamedTuple):
    """Which causes are there."""

    attack: bool = True
    demand: bool = True
    own: bool = True
    external: bool = True


AS_IT_WAS: Final = World()
WORLDS: Final = tuple(World(*each) for each in product((False, True), repeat=4))


class Cap(NamedTuple):
    """What somebody wants to be different (`--what-if`): None as it was."""

    joins_hz: float | None = None
    listeners: float | None = None


UNCHANGED: Final = Cap()


def harm(path: Path, world: World, draw: Draw, cap: Cap = UNCHANGED) -> float:
    """Share of people who were harmed: late or never, cut, or in silence; each counted once."""
    asked = late = cut = silenced = 0.0
    for road in path.roads:
        came, missed = _late(road, path.width_s, world, draw, cap)
        asked += came
        late += missed
        for there, one, other in zip(world, road.cut, road.silenced, strict=True):
            if there:
                cut += one
                silenced += other
    people = max(path.people, 1.0)
    in_time = 1 - min(1.0, late / asked) if asked > 0 else 1.0
    return 1 - in_time * (1 - min(1.0, cut / people)) * (1 - min(1.0, silenced / people))


def present(path: Path) -> World:
    """Which causes change anything in this path: the others' worlds need no replay."""
    attack = own = external = False
    demand = False
    for road in path.roads:
        attack = attack or road.cut.attack > 0 or road.silenced.attack > 0
        own = own or road.cut.own > 0 or road.silenced.own > 0
        external = external or road.cut.external > 0 or road.silenced.external > 0
        for cell in road.cells:
            attack = attack or cell.squatting > 0 or cell.hostile > 0 or cell.refused > 0 or cell.wire.attack > 0
            own = own or cell.lost.own > 0 or cell.wire.own > 0 or cell.joins_hz is not None or _too_few(cell, road)
            external = external or cell.lost.external > 0 or cell.wire.external > 0
            demand = demand or cell.people > 0
    return World(attack, demand, own, external)


def _too_few(cell: Cell, road: Road) -> bool:
    return cell.places is not None and road.places is not None and cell.places < CAPACITY_KEPT * road.places


def harms(path: Path, draw: Draw) -> dict[World, float]:
    """The harm in each of the sixteen worlds."""
    there = present(path)
    found: dict[World, float] = {}
    for world in WORLDS:
        real = World(*(each and exists for each, exists in zip(world, there, strict=True)))
        if real not in found:
            found[real] = harm(path, real, draw)
        found[world] = found[real]
    return found


# --- one edge ------------------------------------------------------------------------------------------------


def _late(road: Road, width_s: int, world: World, draw: Draw, cap: Cap) -> tuple[float, float]:
    """How many asked, and how many of them heard nothing in ten seconds."""
    came: list[float] = []
    rates: list[float] = []
    waiting = extra = lost = 0.0
    credit: float | None = None
    again = min(1.0, draw.retry_hz * width_s)
    goes = min(0.9, draw.patience_hz * width_s)
    stayed = _not_cut(road.cut, world)
    for cell, joins_hz, bound_hz, places in _bounds(road, world, draw, cap):
        people = cell.people + cell.unseen * draw.unseen
        if bound_hz is not None:
            burst = BLOCK_S * CAPACITY_KEPT * bound_hz
            credit = burst if credit is None else min(burst, credit + CAPACITY_KEPT * bound_hz * width_s)
        stay = cell.away * stayed
        listening = cell.playing - cell.squatting + stay
        if not world.demand:
            people = _rehearsed(people, waiting, listening + extra, credit, road.places)
        if credit is not None:
            credit -= min(credit, people)
        blocked = people * _unreached(cell, world)
        lost += blocked
        came.append(people - blocked)
        people -= blocked
        asks = people + waiting * again
        served = asks * _success(cell, world)
        if joins_hz is not None and asks > 0:
            load = asks + (_hostile(cell, draw) if world.attack else 0.0)
            load += cell.stampede * draw.refusal_cost if world.demand else 0.0
            served *= min(1.0, joins_hz * width_s / load)
        waiting += people
        if places is not None:
            taken = cell.playing + stay if world.attack else listening
            served = min(served, max(0.0, places - taken - extra + cell.heard))
        if cell.line is not None:
            served = min(served, cell.heard + (served - cell.heard) * (1 - _jammed(cell.line, world)))
        served = min(served, waiting)
        waiting -= served
        extra = (extra + served - cell.heard) * (1 - cell.leaving)
        rates.append(served / (waiting + 1e-9))
        waiting -= waiting * goes
    return _total(came) + lost, _missed(came, rates, width_s) + lost


def _bounds(
    road: Road, world: World, draw: Draw, cap: Cap
) -> Iterator[tuple[Cell, float | None, float | None, float | None]]:
    """For each cell: joins a second now, joins a second as rehearsed, and places; None where nothing bounds."""
    seen = max((cell.joins_hz for cell in road.cells if cell.joins_hz is not None), default=None)
    rehearsed = road.joins_hz * draw.capacity if road.joins_hz is not None else None
    if rehearsed is None and seen is not None:
        rehearsed = seen * draw.unknown_capacity
    for cell in road.cells:
        joins_hz, places = rehearsed, road.places
        if world.own:
            places = cell.places
            if cell.joins_hz is not None:
                joins_hz = _shown(cell, rehearsed, draw)
        if cap.joins_hz is not None:
            joins_hz = cap.joins_hz
        if cap.listeners is not None:
            places = cap.listeners
        yield cell, joins_hz, rehearsed, places


def _shown(cell: Cell, rehearsed: float | None, draw: Draw) -> float:
    """What an edge was seen to bear, hostile work included; not less than rehearsed if that is near."""
    assert cell.joins_hz is not None
    shown = cell.joins_hz + cell.refused * draw.refusal_cost
    if rehearsed is not None and shown >= CAPACITY_KEPT * rehearsed:
        return rehearsed
    return shown


def _hostile(cell: Cell, draw: Draw) -> float:
    """Load that nobody's wish to listen made, in joins."""
    doubtful = cell.uncertain * (1 - draw.intent)
    return (cell.hostile - doubtful) * draw.hostile + cell.refused * draw.refusal_cost


def _jammed(line: Causes, world: World) -> float:
    """How much of the line that hinders people is there."""
    return (line.attack if world.attack else 0.0) + (line.demand if world.demand else 0.0)


def _not_cut(cut: Causes, world: World) -> float:
    """Of those who were cut, the share that would not have been."""
    whole = spared = 0.0
    for there, each in zip(world, cut, strict=True):
        whole += each
        spared += 0.0 if there else each
    return spared / whole if whole else 0.0


def _success(cell: Cell, world: World) -> float:
    """Share of attempts that nothing on the way makes fail."""
    share = 1.0
    for there, lost in zip(world, cell.lost, strict=True):
        if there:
            share *= 1 - lost
    return share


def _unreached(cell: Cell, world: World) -> float:
    """Share of people whose connection is not there in ten seconds."""
    arrives = 1.0
    for there, lost in zip(world, cell.wire, strict=True):
        if there:
            arrives *= 1 - lost
    return unreached(1 - arrives)


def _rehearsed(people: float, waiting: float, playing: float, credit: float | None, places: float | None) -> float:
    """Of those who came, as many as a rehearsed edge would have served in ten seconds."""
    if credit is not None:
        people = min(people, credit)
    if places is not None:
        people = min(people, max(0.0, places - playing - waiting))
    return people


def _missed(came: list[float], rates: list[float], width_s: int) -> float:
    """Who came in each bin and heard nothing in ten seconds, at the rate at which those waiting were served."""
    reach = max(1, BLOCK_S // width_s)
    within = min(1.0, BLOCK_S / width_s)
    missed = 0.0
    for at, people in enumerate(came):
        if people <= 0:
            continue
        chance = 0.0
        for rate in rates[at : at + reach]:
            chance += rate * within
        if at + reach > len(rates):  # the span ends sooner: as fast as until then
            chance *= reach / (len(rates) - at)
        remains = 1 / (1 + chance / _STEPS)
        remains *= remains
        missed += people * remains * remains
    return missed


def _total(numbers: list[float]) -> float:
    whole = 0.0
    for each in numbers:
        whole += each
    return whole
