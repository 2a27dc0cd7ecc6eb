"""The truth of an incident, from how many were harmed in each re-run of it. Pure.

Harm is a share of the people: who heard nothing within ten seconds of asking, heard silence, or was cut off.
Shares are Shapley values (L. S. Shapley, 1953) over the causes that were really there.
"""

from collections.abc import Collection, Iterable, Mapping
from itertools import combinations
from math import factorial
from typing import Final

from rostra.rehearsal.incidents.causes import Side, side

HARM_MIN: Final = 0.03  # below, nothing has happened
DOMINANT_SHARE: Final = 0.75
NECESSARY_SHARE: Final = 0.10  # of the harm: less, and a class was there without being a cause
NONE: Final = "none"
MIXTURE: Final = "mixture"

World = frozenset[str]


def worlds(causes: Collection[str]) -> list[World]:
    """Every set of causes that a re-run can have: all of them first, none of them last."""
    return [frozenset(some) for size in range(len(causes), -1, -1) for some in combinations(sorted(causes), size)]


def shares(harm: Mapping[World, float]) -> dict[str, float]:
    """How much of the harm each cause answers for: they sum up to one, if there is any to share.

    `harm` is that of every world of the causes. A cause whose presence helped (a rate limit, say) has no share.
    """
    causes = max(harm, key=len)
    values = {cause: max(0.0, _shapley(cause, causes, harm)) for cause in sorted(causes)}
    whole = sum(values.values())
    return {cause: value / whole for cause, value in values.items()} if whole > 0 else dict.fromkeys(values, 0.0)


def _shapley(cause: str, causes: World, harm: Mapping[World, float]) -> float:
    others = causes - {cause}
    value = 0.0
    for size in range(len(others) + 1):
        weight = factorial(size) * factorial(len(causes) - size - 1) / factorial(len(causes))
        for some in combinations(sorted(others), size):
            world = frozenset(some)
            value += weight * (harm[world | {cause}] - harm[world])
    return value


def label(harm: float, given: Mapping[str, float]) -> str:
    """`none`, one of the sides, or `mixture`."""
    if harm < HARM_MIN:
        return NONE
    by_side: dict[Side, float] = {}
    for cause, share in given.items():
        by_side[side(cause)] = by_side.get(side(cause), 0.0) + share
    dominant = max(by_side, key=lambda each: by_side[each], default=None)
    if dominant is None or by_side[dominant] < DOMINANT_SHARE:
        return MIXTURE
    return str(dominant)


def classes(harm: float, given: Mapping[str, float]) -> list[str]:
    """The classes that mattered."""
    return [cause for cause, share in given.items() if share >= NECESSARY_SHARE] if harm >= HARM_MIN else []


def is_disturbed(harm_of_nothing: float, lags_s: Iterable[float], *, lag_max_s: float) -> bool:
    """Whether the machine itself harmed somebody: then the incident shows nothing, and is thrown away."""
    return harm_of_nothing >= HARM_MIN or any(lag_s > lag_max_s for lag_s in lags_s)
