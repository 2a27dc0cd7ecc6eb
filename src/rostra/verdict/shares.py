"""How much of the harm each cause made: Shapley's shares of the replayed worlds, and what was necessary or enough.

The external cause is a fourth player: what we depend on is neither us nor an attack. A report that shows eight
worlds shows those in which it is as it was.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final, NamedTuple

from rostra.verdict.arithmetic import added
from rostra.verdict.crowd import HARM_MIN
from rostra.verdict.draws import CENTRAL, Draw
from rostra.verdict.likelihood import Sides
from rostra.verdict.path import Path
from rostra.verdict.replay import AS_IT_WAS, NAMES, World, harms
from rostra.verdict.wire import Causes

SECOND_MIN: Final = 0.15  # of the harm, for a second one to be named: replays of incidents that were enacted
PART_MIN: Final = 0.10  # of the harm: a smaller part makes no mixture
INTERVAL: Final = (0.05, 0.95)
_WEIGHTS: Final = (1 / 4, 1 / 12, 1 / 12, 1 / 4)  # of a coalition of so many others: s!(3-s)!/4!


class Interval(NamedTuple):
    """What is likeliest, and between what ninety of a hundred draws lie."""

    value: float
    low: float
    high: float


class Split(NamedTuple):
    """What the replays say. `necessary`: share of draws in which the harm is no incident without this cause."""

    harm: Interval
    shares: tuple[Interval, ...]
    central: Causes
    drawn: tuple[Causes, ...]
    necessary: tuple[float, ...]
    enough: tuple[float, ...]
    worlds: Mapping[World, float]


def split(path: Path, drawn: Sequence[Draw]) -> Split:
    """The central replay and those of every draw."""
    central = harms(path, CENTRAL)
    worlds = [harms(path, draw) for draw in drawn] or [central]
    parts = [shares(each) for each in worlds]
    middle = shares(central)
    of_all = tuple(interval(middle[cause], [each[cause] for each in parts]) for cause in range(len(NAMES)))
    return Split(
        harm=interval(central[AS_IT_WAS], [each[AS_IT_WAS] for each in worlds]),
        shares=of_all,
        central=middle,
        drawn=tuple(parts),
        necessary=tuple(_part([_necessary(each, cause) for each in worlds]) for cause in range(len(NAMES))),
        enough=tuple(_part([_enough(each, cause) for each in worlds]) for cause in range(len(NAMES))),
        worlds=central,
    )


def shares(worlds: Mapping[World, float]) -> Causes:
    """Of the harm that goes when all causes do: each cause's part, 0 to 1 together; all 0 if nothing goes."""
    gains = []
    for cause in range(len(NAMES)):
        others = [each for each in range(len(NAMES)) if each != cause]
        gain = 0.0
        for size in range(len(NAMES)):
            for there in combinations(others, size):
                without = World(*(each in there for each in range(len(NAMES))))
                gain += _WEIGHTS[size] * (worlds[_with(without, cause)] - worlds[without])
        gains.append(max(0.0, gain))
    whole = added(gains)
    return Causes(*(gain / whole for gain in gains)) if whole > 1e-6 else Causes()


def _with(world: World, cause: int, *, there: bool = True) -> World:
    return World(*(there if each == cause else value for each, value in enumerate(world)))


def _necessary(worlds: Mapping[World, float], cause: int) -> bool:
    """Without it there would have been no incident, or at most half of the harm."""
    was, without = worlds[AS_IT_WAS], worlds[_with(AS_IT_WAS, cause, there=False)]
    return was >= HARM_MIN and (without < HARM_MIN or 2 * without < was)


def _enough(worlds: Mapping[World, float], cause: int) -> bool:
    """It alone would have made an incident of it."""
    return worlds[_with(World(False, False, False, False), cause)] >= HARM_MIN


def _part(flags: Sequence[bool]) -> float:
    return flags.count(True) / len(flags)


def interval(value: float, found: Sequence[float]) -> Interval:
    ordered = sorted(found)
    low, high = (ordered[min(len(ordered) - 1, int(share * len(ordered)))] for share in INTERVAL)
    return Interval(value, min(low, value), max(high, value))


def found_by(of: Split, harm: float) -> Sides:
    """Who has a part in the harm by the central replay: nobody, one, or the two with the largest ones."""
    order = sorted(range(len(NAMES)), key=lambda cause: -of.central[cause])
    if harm < HARM_MIN or not of.central[order[0]]:
        return ()
    most = order[:2] if of.central[order[1]] > SECOND_MIN else order[:1]
    return tuple(NAMES[cause] for cause in sorted(most))


def believed(of: Split, chances: Mapping[Sides, float]) -> tuple[Interval, ...]:
    """The shares if those have a part of whom `chances` tells how likely they are: others' go to them.

    Who has no part in the replay gets none. Ninety in a hundred lie between the ends, over draws and `chances`.
    """
    harmful = {sides: chance for sides, chance in chances.items() if sides}
    whole = added(harmful.values())
    found = []
    for cause in range(len(NAMES)):
        middle = 0.0
        spread: list[tuple[float, float]] = []
        for sides, chance in harmful.items():
            middle += chance / whole * _among(of.central, sides)[cause]
            spread += [(_among(each, sides)[cause], chance / whole / len(of.drawn)) for each in of.drawn]
        found.append(_weighted(middle, sorted(spread)))
    return tuple(found)


def _among(shares: Causes, sides: Sides) -> Causes:
    """The shares of those alone, as parts of theirs; all as they are if these have none."""
    theirs = [share if name in sides else 0.0 for name, share in zip(NAMES, shares, strict=True)]
    whole = added(theirs)
    return Causes(*(share / whole for share in theirs)) if whole else shares


def _weighted(value: float, ordered: Sequence[tuple[float, float]]) -> Interval:
    ends = []
    for end in INTERVAL:
        below, found = 0.0, ordered[-1][0]
        for each, weight in ordered:
            below += weight
            if below >= end:
                found = each
                break
        ends.append(found)
    low, high = ends
    return Interval(value, min(low, value), max(high, value))
