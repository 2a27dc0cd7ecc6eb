"""The evening once more without one or several of its causes: sixteen worlds in a fluid model of all edges.

Of those who ask, an edge lets in what its joins a second bear, refusals of hostile requests included, and all of
them what their places hold, since a place is the fleet's; the rest asks again, or goes. Without the attack hostile
joins and what it lost of others are gone; without the excess of people no more ask than was rehearsed; without our
fault limits, capacity and health are as rehearsed; without the dependency's fault nothing is lost to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Final, NamedTuple

from rostra.verdict.arithmetic import added
from rostra.verdict.counters import BLOCK_S
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


class _Bound(NamedTuple):
    """Joins a second now and as rehearsed, and places; None where nothing bounds."""

    joins_hz: float | None
    rehearsed_hz: float | None
    places: float | None


def harm(path: Path, world: World, draw: Draw, cap: Cap = UNCHANGED) -> float:
    """Share of people who were harmed: late or never, cut, or in silence; each counted once."""
    asked = late = cut = silenced = 0.0
    for edge in _replayed(path, world, draw, cap):
        asked += added(edge.came) + edge.lost
        late += _missed(edge.came, edge.rates, path.width_s) + edge.lost
        cut += edge.road.stranded if world.attack and world.own else 0.0
        for there, one, other in zip(world, edge.road.cut, edge.road.silenced, strict=True):
            if there:
                cut += one
                silenced += other
    people = max(path.people, 1.0)
    in_time = 1 - min(1.0, late / asked) if asked > 0 else 1.0
    return 1 - in_time * (1 - min(1.0, cut / people)) * (1 - min(1.0, silenced / people))


def present(path: Path) -> World:
    """Which causes change anything in this path: the others' worlds need no replay."""
    attack = demand = own = external = False
    for road in path.roads:
        attack = attack or road.cut.attack > 0 or road.silenced.attack > 0
        attack, own = attack or road.stranded > 0, own or road.stranded > 0
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


# --- all edges, bin by bin ------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Edge:
    """One edge's replay until now. `extra`: listeners whom it has beyond those of the evening as it was."""

    road: Road
    stayed: float  # of those who were cut, in a world in which fewer are
    came: list[float] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)  # at which those who waited were served
    waiting: float = 0.0
    extra: float = 0.0
    lost: float = 0.0  # who had no connection
    credit: float | None = None  # of joins as rehearsed, of the last ten seconds
    people: float = 0.0  # of this bin
    served: float = 0.0


def _replayed(path: Path, world: World, draw: Draw, cap: Cap) -> list[_Edge]:
    """An edge bears what it bears, but places are the fleet's: whoever asks gets one of those that are free."""
    edges = [_Edge(road, _not_cut(road, world)) for road in path.roads]
    for at in range(len(edges[0].road.cells) if edges else 0):
        bounds = [_bound(edge.road, edge.road.cells[at], world, draw, cap) for edge in edges]
        for edge, bound in zip(edges, bounds, strict=True):
            _come(edge, edge.road.cells[at], bound, path.width_s, world, draw)
        if not world.demand:
            _rehearse(edges, at)
        for edge, bound in zip(edges, bounds, strict=True):
            _serve(edge, edge.road.cells[at], bound, path.width_s, world, draw)
        _share_places(edges, at, bounds, world)
        for edge in edges:
            _go_on(edge, edge.road.cells[at], path.width_s, draw)
    return edges


def _come(edge: _Edge, cell: Cell, bound: _Bound, width_s: int, world: World, draw: Draw) -> None:
    """Who asks for the first time in this bin, as many as were rehearsed if the rest is not there."""
    edge.people = cell.people + cell.unseen * draw.unseen
    if bound.rehearsed_hz is None:
        return
    burst = BLOCK_S * CAPACITY_KEPT * bound.rehearsed_hz
    more = CAPACITY_KEPT * bound.rehearsed_hz * width_s
    credit = burst if edge.credit is None else min(burst, edge.credit + more)
    if not world.demand:
        edge.people = min(edge.people, credit)
    edge.credit = credit - min(credit, edge.people)


def _rehearse(edges: Sequence[_Edge], at: int) -> None:
    """No more come to all edges than fit into what was rehearsed of them together."""
    whole = room = 0.0
    for edge in edges:
        if edge.road.places is None:
            return
        cell = edge.road.cells[at]
        whole += edge.people
        people = cell.playing - cell.squatting + cell.away * edge.stayed + edge.extra + edge.waiting
        room += CAPACITY_KEPT * edge.road.places - people
    if whole > max(0.0, room):
        for edge in edges:
            edge.people *= max(0.0, room) / whole


def _serve(edge: _Edge, cell: Cell, bound: _Bound, width_s: int, world: World, draw: Draw) -> None:
    """How many hear something in this bin, if there are places."""
    hidden = cell.returned + cell.unseen * draw.unseen  # whoever was counted at once had a connection
    there = cell.people + cell.unseen * draw.unseen
    blocked = edge.people * min(1.0, hidden / there) * _unreached(cell, world) if there else 0.0
    edge.lost += blocked
    edge.people -= blocked
    edge.came.append(edge.people)
    asks = edge.people + edge.waiting * min(1.0, draw.retry_hz * width_s)
    served = asks * _success(cell, world)
    if bound.joins_hz is not None and asks > 0:
        load = asks + (_hostile(cell, draw) if world.attack else 0.0)
        load += cell.stampede * draw.refusal_cost if world.demand else 0.0
        served *= min(1.0, bound.joins_hz * width_s / load)
    if cell.line is not None:
        served = min(served, cell.heard + (served - cell.heard) * (1 - _jammed(cell.line, world)))
    edge.waiting += edge.people
    edge.served = max(0.0, min(served, edge.waiting))


def _share_places(edges: Sequence[_Edge], at: int, bounds: Sequence[_Bound], world: World) -> None:
    """Nobody is served beyond the places of all edges at which somebody is."""
    served = room = 0.0
    for edge, bound in zip(edges, bounds, strict=True):
        cell = edge.road.cells[at]
        if bound.places is None:
            return
        if _success(cell, world) <= 0:  # its places help nobody
            continue
        squatting = 0.0 if world.attack else cell.squatting
        taken = cell.playing - squatting + cell.away * edge.stayed
        room += bound.places - taken - edge.extra + cell.heard
        served += edge.served
    if served > max(0.0, room):
        for edge in edges:
            edge.served *= max(0.0, room) / served


def _go_on(edge: _Edge, cell: Cell, width_s: int, draw: Draw) -> None:
    edge.waiting -= edge.served
    edge.extra = (edge.extra + edge.served - cell.heard) * (1 - cell.leaving)
    edge.rates.append(edge.served / (edge.waiting + 1e-9))
    edge.waiting -= edge.waiting * min(0.9, draw.patience_hz * width_s)


# --- one edge in one bin --------------------------------------------------------------------------------------


def _bound(road: Road, cell: Cell, world: World, draw: Draw, cap: Cap) -> _Bound:
    """What bounds an edge: as rehearsed, or as it was; or as somebody wants it to be."""
    rehearsed = road.joins_hz * draw.capacity if road.joins_hz is not None else None
    if rehearsed is None and road.seen_hz is not None:
        rehearsed = road.seen_hz * draw.unknown_capacity
    joins_hz, places = rehearsed, road.places
    if world.own:
        places = cell.places
        if cell.joins_hz is not None:
            joins_hz = _shown(cell, rehearsed, draw)
    if cap.joins_hz is not None:
        joins_hz = cap.joins_hz
    if cap.listeners is not None:
        places = cap.listeners
    return _Bound(joins_hz, rehearsed, places)


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


def _not_cut(road: Road, world: World) -> float:
    """Of those who were cut, the share that would not have been."""
    whole = added(road.cut) + road.stranded
    spared = added(0.0 if there else each for there, each in zip(world, road.cut, strict=True))
    spared += 0.0 if world.attack and world.own else road.stranded
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


def _missed(came: list[float], rates: list[float], width_s: int) -> float:
    """Who came in each bin and heard nothing in ten seconds, at the rate at which those waiting were served."""
    reach = max(1, BLOCK_S // width_s)
    within = min(1.0, BLOCK_S / width_s)
    missed = 0.0
    for at, people in enumerate(came):
        if people <= 0:
            continue
        turns = added(rate * within for rate in rates[at : at + reach])
        if at + reach > len(rates):  # the span ends sooner: as fast as until then
            turns *= reach / (len(rates) - at)
        remains = 1 / (1 + turns / _STEPS)
        remains *= remains
        missed += people * remains * remains
    return missed
