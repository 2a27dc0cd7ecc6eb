"""What replays make of a path: whose a cut is, and what is left of it without one of two causes."""

import pytest

from rostra.verdict.draws import CENTRAL
from rostra.verdict.evening import Process
from rostra.verdict.path import Cell, Path, Road
from rostra.verdict.replay import World, harm, present
from rostra.verdict.shares import split
from rostra.verdict.wire import NO_CAUSES, Causes


def path(*, cut: Causes = NO_CAUSES, stranded: float = 0.0) -> Path:
    """Ten listeners of one edge, of whom some are cut."""
    road = Road(Process("edge"), None, None, (Cell(playing=10.0),), cut, NO_CAUSES, stranded)
    return Path(10, (road,), 10.0)


@pytest.mark.parametrize(
    ("world", "expected"),
    [
        (World(attack=True, demand=False, own=True, external=False), 0.5),
        (World(attack=True, demand=False, own=False, external=False), 0.0),
        (World(attack=False, demand=False, own=True, external=False), 0.0),
    ],
)
def test_who_fell_with_an_edge_and_was_kept_from_the_others_was_cut_by_both(world: World, expected: float) -> None:
    assert harm(path(stranded=5.0), world, CENTRAL) == pytest.approx(expected)


def test_of_what_two_made_together_each_has_half() -> None:
    both = path(stranded=5.0)
    assert present(both) == World(attack=True, demand=False, own=True, external=False)
    assert split(both, [CENTRAL]).central == pytest.approx(Causes(0.5, 0.0, 0.5, 0.0))


def test_a_cut_is_of_its_own_cause_alone() -> None:
    assert split(path(cut=Causes(external=4.0)), [CENTRAL]).central == pytest.approx(Causes(external=1.0))
