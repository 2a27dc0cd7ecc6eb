"""P9: the harm is shared among those who may have a part, by their parts in the replays."""

from collections.abc import Callable, Mapping

import pytest

from rostra.verdict.likelihood import Sides
from rostra.verdict.replay import WORLDS, World
from rostra.verdict.shares import Interval, Split, believed, found_by, shares
from rostra.verdict.wire import Causes

SURE: Mapping[Sides, float] = {("attack",): 1.0}
TORN: Mapping[Sides, float] = {(): 0.2, ("attack",): 0.4, ("demand", "own"): 0.3, ("attack", "external"): 0.1}


def split(*drawn: Causes) -> Split:
    """Of which only the central and the drawn shares are asked."""
    zero = Interval(0.0, 0.0, 0.0)
    return Split(zero, (zero,) * 4, drawn[0], drawn, (0.0,) * 4, (0.0,) * 4, {})


@pytest.mark.parametrize("chances", [SURE, TORN])
def test_believed_shares_are_one_together_and_lie_in_their_intervals(chances: Mapping[Sides, float]) -> None:
    found = believed(split(Causes(0.5, 0.2, 0.2, 0.1), Causes(0.3, 0.3, 0.3, 0.1)), chances)
    assert sum(each.value for each in found) == pytest.approx(1)
    assert all(each.low <= each.value <= each.high for each in found)


def test_who_has_no_part_in_the_replay_gets_none() -> None:
    attack, demand, own, external = believed(split(Causes(0.0, 0.6, 0.4, 0.0)), TORN)
    assert attack == external == Interval(0.0, 0.0, 0.0)
    assert demand.value == pytest.approx(0.6)
    assert own.value == pytest.approx(0.4)


def test_the_parts_of_others_go_to_those_who_are_believed_to_have_one() -> None:
    attack, *others = believed(split(Causes(0.5, 0.3, 0.2, 0.0)), SURE)
    assert attack.value == 1
    assert others == [Interval(0.0, 0.0, 0.0)] * 3


def test_replays_name_one_side_or_the_two_with_the_largest_parts_or_nobody() -> None:
    assert found_by(split(Causes(0.86, 0.14, 0.0, 0.0)), 0.5) == ("attack",)
    assert found_by(split(Causes(0.3, 0.0, 0.2, 0.5)), 0.5) == ("attack", "external")
    assert found_by(split(Causes(0.8, 0.2, 0.0, 0.0)), 0.02) == ()
    assert found_by(split(Causes()), 0.5) == ()


@pytest.mark.parametrize(
    ("harm", "expected"),
    [
        (lambda world: 0.6 if world.attack else 0.0, Causes(1.0, 0.0, 0.0, 0.0)),
        (lambda world: 0.6 if world.demand and world.own else 0.0, Causes(0.0, 0.5, 0.5, 0.0)),
        (lambda world: 0.3 * world.own + 0.1 * world.external, Causes(0.0, 0.0, 0.75, 0.25)),
        (lambda _: 0.5, Causes()),  # what goes with nothing is nobody's
    ],
)
def test_shares_are_shapley_values_of_the_harm(harm: Callable[[World], float], expected: Causes) -> None:
    assert shares({world: harm(world) for world in WORLDS}) == pytest.approx(expected)
