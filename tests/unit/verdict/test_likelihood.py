"""P9: what replays found and what signals say is weighed by how often it was so when the truth was known."""

from itertools import combinations

import pytest

from rostra.verdict.likelihood import (
    CLASSES,
    NOTHING,
    PRIORS,
    REPLAYS,
    SIDES,
    Evidence,
    Sides,
    chance,
    label_of,
    relation,
    replayed,
    sides_of,
    tables,
)
from rostra.verdict.signals import CATEGORIES, Signal

ALL_SIDES: list[Sides] = [(), *((each,) for each in SIDES.values()), *combinations(SIDES.values(), 2)]


def unknown(group: str) -> Signal:
    return Signal(group, None, 0, ())


def evidence(*signals: Signal, found: Sides = ("attack",)) -> Evidence:
    return Evidence(signals, found, tables())


@pytest.mark.parametrize("true", ALL_SIDES)
def test_what_replays_may_find_reaches_each_cell_in_as_many_ways_as_it_says(true: Sides) -> None:
    row = ("none", "one", "two")[len(true)]
    reached = [relation(true, found) for found in ALL_SIDES]
    assert {each for each, _ in reached} == {row}
    assert {column: [each for _, each in reached].count(column) for _, column in reached} == REPLAYS[row]


@pytest.mark.parametrize("true", ALL_SIDES)
def test_the_chances_of_all_that_replays_may_find_are_one(true: Sides) -> None:
    chances = [replayed(tables(), true, found) for found in ALL_SIDES]
    assert sum(chances) == pytest.approx(1)
    assert min(chances) > 0


@pytest.mark.parametrize("group", CATEGORIES)
@pytest.mark.parametrize("causes", [(), ("A3",), ("D1", "O2"), ("O1", "X1")])
def test_the_chances_of_all_categories_are_one(group: str, causes: tuple[str, ...]) -> None:
    chances = [chance(tables(), group, causes, level) for level in range(len(CATEGORIES[group]))]
    assert sum(chances) == pytest.approx(1)
    assert min(chances) >= 0


@pytest.mark.parametrize("named", PRIORS)
def test_beliefs_are_chances_of_each_set_once(named: str) -> None:
    of = evidence(Signal("conduct", "many_deaf", 500, ()))
    assert sum(of.believed(named).values()) == pytest.approx(1)
    assert sum(of.sides(named).values()) == pytest.approx(1)
    assert set(of.posterior(named)) == set(CLASSES)


def test_a_signal_that_nobody_counted_turns_nothing() -> None:
    seen = Signal("conduct", "many_deaf", 500, ())
    without, beside = evidence(seen), evidence(seen, unknown("kernel"))
    assert beside.believed("uniform") == without.believed("uniform")
    assert beside.weight(unknown("kernel"), "attack") == 1
    sure, unsure = without.strength("attack"), beside.strength("attack")
    assert unsure.low <= sure.low == sure.high <= unsure.high
    assert sure.low > 1


def test_of_too_much_that_nobody_counted_nothing_is_claimed() -> None:
    of = evidence(*(unknown(group) for group in list(CATEGORIES)[:5]))
    assert of.strength("attack").certain == 1
    assert of.strength("attack").word == "none"


def test_replays_that_name_a_side_make_it_likelier() -> None:
    for side in SIDES.values():
        named, nobody = evidence(found=(side,)).sides("uniform"), evidence(found=()).sides("uniform")
        assert named[side,] > nobody[side,]


def test_the_tables_know_every_group_class_and_category() -> None:
    for group, categories in CATEGORIES.items():
        assert set(tables().counts[group]) == {NOTHING, *CLASSES}
        assert all(set(counts) == set(categories) for counts in tables().counts[group].values())
    assert {row: set(columns) for row, columns in tables().replays.items()} == {
        row: set(columns) for row, columns in REPLAYS.items()
    }


def test_a_label_says_how_many_have_a_part() -> None:
    assert {label_of(each) for each in ALL_SIDES} == {"none", "mixture", *SIDES.values()}
    assert sides_of(("A1", "A5")) == ("attack",)
    assert sides_of(("X1", "D1")) == ("demand", "external")
