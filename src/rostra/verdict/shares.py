"""How much of the harm each cause made: Shapley's shares of the replayed worlds, and what was necessary or enough.

The external cause is a fourth player: what we depend on is neither us nor an attack. A report that shows eight
worlds shows those in which it is as it was.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final, NamedTuple

from rostra.verdict.crowd import HARM_MIN_U
from rostra.verdict.draws import CENTRAL, Draw
from rostra.verdict.path import Path
from rostra.verdict.replay import AS_IT_WAS, NAMES, World, harms
from rostra.verdict.wire import Causes

DOMINANT: Final = 0.75
DOMINANT_LOW: Final = 0.5
PART_MIN: Final = 0.10  # of the harm: a smaller part makes no mixture
INTERVAL: Final = (0.05, 0.95)
HARM_MIN: Final = HARM_MIN_U / 1_000_000
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
    necessary: tuple[float, ...]
    enough: tuple[float, ...]
    worlds: Mapping[World, float]
    without_attack: float  # share of draws in which at least a tenth of the harm goes with the attack


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
        necessary=tuple(_part([_necessary(each, cause) for each in worlds]) for cause in range(len(NAMES))),
        enough=tuple(_part([_enough(each, cause) for each in worlds]) for cause in range(len(NAMES))),
        worlds=central,
        without_attack=_part([each[0] >= PART_MIN for each in parts]),
    )


def shares(worlds: Mapping[World, float]) -> Causes:
    """Of the harm that goes when all causes do: each cause's part, 0 to 1 together; all 0 if nothing goes."""
    gains = [0.0] * len(NAMES)
    whole = 0.0
    for cause in range(len(NAMES)):
        others = [each for each in range(len(NAMES)) if each != cause]
        gain = 0.0
        for size in range(len(NAMES)):
            for there in combinations(others, size):
                without = World(*(each in there for each in range(len(NAMES))))
                gain += _WEIGHTS[size] * (worlds[_with(without, cause)] - worlds[without])
        gains[cause] = max(0.0, gain)
        whole += gains[cause]
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


def label(of: Split, harm: float) -> str:
    """`none`, one of the four causes, `mixture`, or `undetermined` where the draws do not agree."""
    if harm < HARM_MIN:
        return "none"
    order = sorted(range(len(NAMES)), key=lambda cause: -of.shares[cause].value)
    first, second = of.shares[order[0]], of.shares[order[1]]
    if first.value == 0:
        return "undetermined"
    if first.value >= DOMINANT:
        return NAMES[order[0]] if first.low > DOMINANT_LOW else "undetermined"
    if first.high - first.low > DOMINANT or second.low < PART_MIN / 2 < PART_MIN < first.high - DOMINANT:
        return "undetermined"
    return "mixture"
