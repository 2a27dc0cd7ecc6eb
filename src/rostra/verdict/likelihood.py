"""Which causes the evidence speaks for, and how strongly: tables of counts, three starting assumptions.

A table has, for each class and group of signals, how many incidents of that class alone showed each category. Of
several causes the one shows whose category comes last (noisy-MAX, of which noisy-OR is the case of two categories);
an evening without an incident is always one of them, the leak. At most two causes are weighed at a time.

The replays are an instrument too, and the strongest: a table has how often, of incidents whose truth is known, they
named those who had a part, one of them, somebody else, or nobody.

Groups of signals depend on each other more than a product of chances has it: each counts to the power of 3/4, with
which verdicts on incidents that took no part in the tables are as sure as they are right.

A group that nobody counted is taken as whatever speaks most against what is claimed, so that a claim gets no
stronger by evidence that is not there.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Context, Decimal
from functools import cache
from importlib.resources import files
from itertools import combinations, product
from math import sqrt
from typing import Any, Final, NamedTuple

from rostra.verdict.arithmetic import added
from rostra.verdict.signals import CATEGORIES, Signal

NOTHING: Final = "N"
CLASSES: Final = ("A1", "A2", "A3", "A4", "A5", "D1", "D2", "O1", "O2", "O3", "O4", "O5", "O6", "X1")
SIDES: Final = {"A": "attack", "D": "demand", "O": "own", "X": "external"}
UNKNOWN_MAX: Final = 4  # groups that nobody counted: of more, nothing is claimed
_SMOOTHING: Final = 0.2  # of an incident, for a category that was never seen
SECOND: Final = 0.2  # how likely a second cause is, of how likely the rarer one is alone
NONE: Final = "none"
MIXTURE: Final = "mixture"
_PRECISE: Final = Context(prec=28)

Set = tuple[str, ...]  # of classes
Sides = tuple[str, ...]  # who has a part in the harm: none, one or two of SIDES, in their order

# What replays may find when so many sides have a part, and in how many ways each can be.
REPLAYS: Final[dict[str, dict[str, int]]] = {
    "none": {"none": 1, "one": 4, "two": 6},
    "one": {"same": 1, "none": 1, "and_another": 3, "another": 3, "others": 3},
    "two": {"same": 1, "none": 1, "one_of_them": 2, "another": 2, "one_and_another": 4, "others": 1},
}

# What was the case before anything was seen, in thousandths. `base_rate`: triggers of outages by the SRE workbook's
# table C-1 (binary push 37, configuration 31, users 9, pipeline 6, provider, decay, capacity 5 each, hardware 2),
# and one of a hundred an attack. `operator`: of somebody who believes no operator that says "attack".
PRIORS: Final[dict[str, dict[str, int]]] = {
    "uniform": dict.fromkeys(CLASSES, 70),
    "base_rate": {
        "A1": 2, "A2": 2, "A3": 2, "A4": 2, "A5": 2, "D1": 60, "D2": 30, "O1": 70, "O2": 365, "O3": 305,
        "O4": 25, "O5": 25, "O6": 60, "X1": 50,
    },
    "operator": {
        "A1": 7, "A2": 7, "A3": 7, "A4": 7, "A5": 7, "D1": 70, "D2": 70, "O1": 140, "O2": 140, "O3": 140,
        "O4": 140, "O5": 140, "O6": 60, "X1": 70,
    },
}  # fmt: skip

# ENFSI's scale of words (2015) for a likelihood ratio, by the exponent of ten that it reaches.
WORDS: Final = ("none", "limited", "moderate", "moderately_strong", "strong", "very_strong")


class Tables(NamedTuple):
    """`counts[group][class][category]`, `replays` as REPLAYS; `made_from` says of what."""

    made_from: str
    incidents: int
    counts: Mapping[str, Mapping[str, Mapping[str, int]]]
    replays: Mapping[str, Mapping[str, int]]


class Strength(NamedTuple):
    """How much likelier the signals are with the claim than without: `low` and `high` by what is not known."""

    low: float
    high: float

    @property
    def certain(self) -> float:
        """What holds whatever the unknown signals are; 1 if they could turn it."""
        return self.low if self.low > 1 else self.high if self.high < 1 else 1.0

    @property
    def word(self) -> str:
        """Of the scale: for the claim or against it, whichever it speaks for."""
        ratio = max(self.certain, 1 / self.certain)
        bounds = (1, 10, 100, 1_000, 10_000)
        return WORDS[len([bound for bound in bounds if ratio > bound])]


@cache
def tables() -> Tables:
    """Those that come with this version."""
    return parse(json.loads(files(__package__).joinpath("tables.json").read_text(encoding="utf-8")))


def parse(raw: Mapping[str, Any]) -> Tables:
    return Tables(raw["made_from"], raw["incidents"], raw["counts"], raw["replays"])


def sets() -> Iterator[Set]:
    yield ()
    yield from ((each,) for each in CLASSES)
    yield from combinations(CLASSES, 2)


def prior(of: Mapping[str, int], causes: Set) -> float:
    """Of exactly these causes."""
    if not causes:
        return 0.02
    return min(of[each] for each in causes) / 1_000 * (SECOND if len(causes) > 1 else 1.0)


def sides_of(causes: Set) -> Sides:
    return tuple(side for letter, side in SIDES.items() if any(each[0] == letter for each in causes))


def label_of(sides: Sides) -> str:
    return NONE if not sides else sides[0] if len(sides) == 1 else MIXTURE


def relation(true: Sides, found: Sides) -> tuple[str, str]:
    """The row and the column of REPLAYS."""
    row = ("none", "one", "two")[len(true)]
    if not true:
        return row, ("none", "one", "two")[len(found)]
    if found == true:
        return row, "same"
    shared = len([each for each in found if each in true])
    if not found:
        return row, "none"
    if len(found) == 1:
        return row, "one_of_them" if shared else "another"
    if not shared:
        return row, "others"
    return row, "and_another" if len(true) == 1 else "one_and_another"


class Evidence:
    """What the signals of one evening are worth, and what its replays `found`: the sides that have a part."""

    def __init__(self, signals: Sequence[Signal], found: Sides, of: Tables) -> None:
        self._tables = of
        self._known = [
            (each.group, CATEGORIES[each.group].index(each.category)) for each in signals if each.category
        ]
        self._unknown = [each.group for each in signals if each.category is None]
        self._chances: dict[tuple[str, int], dict[Set, float]] = {}
        self._likelihoods = {causes: self._likelihood(causes, self._known) for causes in sets()}
        self._replayed = {causes: replayed(of, sides_of(causes), found) for causes in sets()}

    def believed(self, named: str) -> dict[Set, float]:
        """The chance of each set of causes, under one of the PRIORS."""
        of = PRIORS[named]
        found = {each: prior(of, each) * self._replayed[each] * self._likelihoods[each] for each in sets()}
        whole = added(found.values())
        return {each: weight / whole for each, weight in found.items()}

    def posterior(self, named: str) -> dict[str, float]:
        """Of each class, under one of the PRIORS."""
        found = dict.fromkeys(CLASSES, 0.0)
        for causes, probability in self.believed(named).items():
            for each in causes:
                found[each] += probability
        return found

    def sides(self, named: str) -> dict[Sides, float]:
        """Of those who may have a part."""
        found: dict[Sides, float] = {}
        for causes, probability in self.believed(named).items():
            sides = sides_of(causes)
            found[sides] = found.get(sides, 0.0) + probability
        return found

    def strength(self, side: str) -> Strength:
        """With a cause of this side against without one, all classes and pairs alike likely beforehand."""
        if len(self._unknown) > UNKNOWN_MAX:
            return Strength(0.0, float("inf"))
        ratios = [self._ratio(side, categories) for categories in self._possible()]
        return Strength(min(ratios), max(ratios))

    def weight(self, signal: Signal, side: str) -> float:
        """What one signal is worth by itself."""
        if signal.category is None:
            return 1.0
        only = [(signal.group, CATEGORIES[signal.group].index(signal.category))]
        return _mean_ratio({causes: self._likelihood(causes, only) for causes in sets()}, side)

    def _possible(self) -> Iterator[list[tuple[str, int]]]:
        """Every way in which what nobody counted may have been."""
        choices = [[(group, level) for level in range(len(CATEGORIES[group]))] for group in self._unknown]
        for each in product(*choices):
            yield list(each)

    def _ratio(self, side: str, more: Sequence[tuple[str, int]]) -> float:
        whole = {
            causes: likelihood * self._likelihood(causes, more) for causes, likelihood in self._likelihoods.items()
        }
        return _mean_ratio(whole, side)

    def _likelihood(self, causes: Set, categories: Sequence[tuple[str, int]]) -> float:
        likelihood = 1.0
        for group, level in categories:
            known = self._chances.get((group, level))
            if known is None:
                known = {each: chance(self._tables, group, each, level) for each in sets()}
                self._chances[group, level] = known
            likelihood *= known[causes]
        return sqrt(likelihood * sqrt(likelihood))


def replayed(of: Tables, true: Sides, found: Sides) -> float:
    """The chance that replays find these when those have a part."""
    row, column = relation(true, found)
    whole = added(of.replays[row][each] + _SMOOTHING for each in REPLAYS[row])
    return (of.replays[row][column] + _SMOOTHING) / whole / REPLAYS[row][column]


def _mean_ratio(likelihoods: Mapping[Set, float], side: str) -> float:
    there = without = 0.0
    sets_there = sets_without = 0
    for causes, likelihood in likelihoods.items():
        if any(SIDES[each[0]] == side for each in causes):
            there += likelihood
            sets_there += 1
        else:
            without += likelihood
            sets_without += 1
    return (there / sets_there) / (without / sets_without)


def chance(of: Tables, group: str, causes: Set, level: int) -> float:
    """Of seeing this category when these causes are there."""
    return _reaches(of, group, causes, level) - (_reaches(of, group, causes, level - 1) if level else 0.0)


def _reaches(of: Tables, group: str, causes: Set, level: int) -> float:
    """Of seeing this category or one before it: none of the causes, and nothing else, made a later one."""
    share = _below(of, group, NOTHING, level)
    for each in causes:
        share *= _below(of, group, each, level)
    return share


def _below(of: Tables, group: str, name: str, level: int) -> float:
    counts = of.counts.get(group, {}).get(name, {})
    seen = [counts.get(category, 0) + _SMOOTHING for category in CATEGORIES[group]]
    return added(seen[: level + 1]) / added(seen) if level < len(seen) - 1 else 1.0


def decibans(ratio: float) -> int:
    """Ten times the common logarithm, in whole numbers: computed in decimals, alike on every machine."""
    return int((Decimal(ratio).log10(_PRECISE) * 10).to_integral_value())
