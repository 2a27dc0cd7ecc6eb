import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.rehearsal.arrivals import (
    Crowd,
    Famous,
    Holds,
    Joins,
    Surge,
    Trickle,
    come,
    held_steps,
    join_steps,
    leave,
    most_at_once,
    share_of,
    size,
)

CROWDS: tuple[Crowd, ...] = (
    Trickle(listeners=600, over_s=60),
    Surge(listeners=500, at_s=20),
    Famous(listeners=800, over_s=60, doubling_s=8),
    Joins(rates_hz=(10, 20, 40), step_s=5, stay_s=3),
    Holds(listeners=(100, 300), rate_hz=50, step_s=10),
)


@pytest.mark.parametrize("crowd", CROWDS, ids=lambda crowd: type(crowd).__name__)
def test_everybody_comes_once_in_order_and_leaves_later(crowd: Crowd) -> None:
    times = come(crowd)
    assert len(times) == size(crowd)
    assert times[0] >= crowd.at_s
    assert (np.diff(times) >= 0).all()
    assert (leave(crowd) > times).all()


@given(st.integers(1, 7))
def test_the_processes_of_a_crowd_have_all_of_it_together(processes: int) -> None:
    shares = [share_of(CROWDS, index=index, of=processes) for index in range(processes)]
    together = np.sort(np.concatenate([times for times, _ in shares]))
    assert np.array_equal(together, np.sort(np.concatenate([come(crowd) for crowd in CROWDS])))
    assert max(map(len, (times for times, _ in shares))) - min(map(len, (times for times, _ in shares))) <= 1


def test_a_famous_link_doubles_as_often_as_it_says() -> None:
    times = come(Famous(listeners=100_000, over_s=60, doubling_s=8))
    by = [int(np.searchsorted(times, at_s)) for at_s in (44, 52, 60)]
    assert by[2] == 100_000
    assert by[1] / by[0] == pytest.approx(2, rel=0.05)
    assert by[2] / by[1] == pytest.approx(2, rel=0.05)


def test_each_stair_of_joins_is_measured_at_its_own_rate() -> None:
    crowd = Joins(rates_hz=(10, 20), step_s=5, stay_s=3, at_s=2)
    steps = join_steps(crowd)
    assert [(step.from_s, step.until_s, step.offered) for step in steps] == [(2, 7, 10), (7, 12, 20)]
    times = come(crowd)
    for step in steps:
        assert np.count_nonzero((times >= step.from_s) & (times < step.until_s)) == step.offered * crowd.step_s


def test_each_stair_of_listeners_is_complete_before_it_is_measured() -> None:
    crowd = Holds(listeners=(300, 100), rate_hz=50, step_s=10)
    times = come(crowd)
    for step in held_steps(crowd):
        assert np.count_nonzero(times <= step.from_s) == step.offered
    assert math.isinf(leave(crowd).max())


def test_those_who_have_left_take_no_place() -> None:
    assert most_at_once((Joins(rates_hz=(10,), step_s=50, stay_s=3),)) == pytest.approx(30, abs=1)
    assert most_at_once((Trickle(listeners=40, over_s=4), Surge(listeners=60, at_s=2))) == 100
