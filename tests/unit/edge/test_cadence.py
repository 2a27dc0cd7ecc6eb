"""The first rung of the ladder: from what the writes cost to how often there is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.edge.cadence import (
    DWELL_DOWN_S,
    DWELL_UP_S,
    RUNGS_CHUNKS,
    SHARE_MAX,
    Load,
    moves_from_seq,
    next_cadence,
    predicted_share,
    smooth,
)

LONG_S = 1_000.0


def settled(listeners: int, *, write_cost_s: float = 10e-6) -> int:
    cadence = RUNGS_CHUNKS[0]
    for _ in RUNGS_CHUNKS:
        load = Load(listeners, write_cost_s=write_cost_s)
        cadence = next_cadence(cadence, load, dwelt_s=LONG_S)
    return cadence


@pytest.mark.parametrize(
    ("listeners", "cadence"),
    [(0, 1), (500, 1), (1_500, 1), (3_000, 2), (8_000, 5), (18_000, 10), (35_000, 20), (500_000, 40)],
)
def test_the_cadence_follows_the_crowd(listeners: int, cadence: int) -> None:
    assert settled(listeners) == cadence


def test_a_stampede_goes_up_several_rungs_at_once() -> None:
    assert next_cadence(1, Load(18_000), dwelt_s=DWELL_UP_S) == 10


def test_nothing_changes_before_the_dwell_is_over() -> None:
    assert next_cadence(1, Load(18_000), dwelt_s=DWELL_UP_S - 0.1) == 1
    assert next_cadence(10, Load(10), dwelt_s=DWELL_DOWN_S - 0.1) == 10


def test_the_way_down_goes_one_rung_at_a_time() -> None:
    assert next_cadence(40, Load(10), dwelt_s=DWELL_DOWN_S) == 20


def test_a_worker_that_feels_worse_than_predicted_goes_up_and_not_down() -> None:
    assert next_cadence(1, Load(10, share=0.6), dwelt_s=LONG_S) == 2
    assert next_cadence(40, Load(10, share=0.3), dwelt_s=LONG_S) == 40


def test_what_is_still_felt_of_the_former_cadence_does_not_climb_the_ladder_twice() -> None:
    assert next_cadence(10, Load(12_000, share=0.6), dwelt_s=LONG_S, settled=False) == 10


@given(st.integers(0, 1_000_000), st.floats(1e-6, 1e-4), st.sampled_from(RUNGS_CHUNKS))
def test_a_cadence_once_settled_stays(listeners: int, write_cost_s: float, start: int) -> None:
    load = Load(listeners, write_cost_s=write_cost_s)
    cadence = start
    for _ in range(2 * len(RUNGS_CHUNKS)):
        cadence = next_cadence(cadence, load, dwelt_s=LONG_S)
    assert next_cadence(cadence, load, dwelt_s=LONG_S) == cadence
    assert predicted_share(load, cadence) <= SHARE_MAX or cadence == RUNGS_CHUNKS[-1]


def test_a_player_at_19_20ths_of_its_speed_has_grown_its_buffer_when_the_longer_cadence_begins() -> None:
    assert moves_from_seq(1_000, shortest=1, cadence=5) == 1_001 + 80
    assert moves_from_seq(1_000, shortest=10, cadence=5) == 1_001


def test_the_load_is_smoothed_and_a_handful_of_writes_tells_nothing_of_their_cost() -> None:
    load = smooth(Load(), listeners=5, writes=10, busy_s=0.5, cpu_s=0.5, elapsed_s=1.0)
    assert load.write_cost_s == Load().write_cost_s
    assert load.share == pytest.approx(0.1)
    for _ in range(100):
        load = smooth(load, listeners=5, writes=1_000, busy_s=0.04, cpu_s=0.02, elapsed_s=1.0)
    assert load.write_cost_s == pytest.approx(20e-6, rel=1e-3)
    assert load.share == pytest.approx(0.04, rel=1e-3)
