import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.core.errors import BadInputError
from rostra.rehearsal.arrivals import Famous, Surge, Trickle, come, come_by
from rostra.rehearsal.certificate import JOINS, LISTENERS, Certificate, Machine, Stage, Surroundings
from rostra.rehearsal.plan import Doors, Plan, Terms, bits_per_second, let_in, plan, waits_s
from rostra.rehearsal.scalability import Point

TERMS = Terms(cores=32, line_bps=100e9)


def certificate(*, joins_hz: float = 4_000, listeners: int = 15_000) -> Certificate:
    machine = Machine(2, "A processor", 8 << 30, "x86_64", "6.1", 20_000, "0123456789abcdef")
    stages = (
        Stage(JOINS, "joins/s", 2, (Point(2 * joins_hz, 2 * joins_hz, 5), Point(4 * joins_hz, joins_hz, 5)), None),
        Stage(LISTENERS, "listeners", 2, (Point(2.0 * listeners, 2.0 * listeners, 5),), None),
    )
    where = Surroundings(machine, {}, {})
    return Certificate("2026-11-21", "capacity", "", 9, "own", where, "", True, (), stages, (), (), None, ())


def planned(listeners: int = 8_000_000, *, over_s: float = 1_800, terms: Terms = TERMS, **rehearsed: int) -> Plan:
    return plan(Trickle(listeners=listeners, over_s=over_s), certificate(**rehearsed), terms)


crowds = st.one_of(
    st.builds(lambda n, s: Trickle(listeners=n, over_s=s), st.integers(1, 10_000), st.floats(1, 100)),
    st.builds(
        lambda n, s, d: Famous(listeners=n, over_s=s, doubling_s=d),
        st.integers(1, 10_000),
        st.floats(5, 100),
        st.floats(2, 50),
    ),
)


@given(crowds, st.floats(1, 5_000), st.floats(1, 20_000))
def test_nobody_is_lost_and_nobody_comes_out_of_nothing(
    crowd: Trickle | Famous, joins_hz: float, places: float
) -> None:
    arrived = come_by(crowd, np.arange(200.0))
    inside = let_in(arrived, Doors(joins_hz, places))
    assert (inside <= arrived + 1e-6).all()
    assert (np.diff(inside) >= -1e-6).all()
    assert (np.diff(inside) <= joins_hz + 1e-6).all()
    assert inside.max() <= places + 1e-6
    if places >= crowd.listeners and joins_hz * 90 >= crowd.listeners:
        assert inside[-1] == pytest.approx(crowd.listeners)


@given(crowds, st.floats(1, 5_000), st.floats(1.0, 3.0))
def test_wider_doors_let_nobody_in_later(crowd: Trickle | Famous, joins_hz: float, wider: float) -> None:
    arrived = come_by(crowd, np.arange(200.0))
    narrow = let_in(arrived, Doors(joins_hz, math.inf))
    assert (let_in(arrived, Doors(joins_hz * wider, math.inf)) >= narrow - 1e-6).all()


def test_a_crowd_too_large_to_name_comes_as_one_that_can_be_named() -> None:
    for crowd in (Trickle(listeners=900, over_s=30), Famous(listeners=900, over_s=30, doubling_s=6, at_s=4)):
        at_s = np.arange(40.0)
        named = np.searchsorted(come(crowd), at_s)
        assert np.abs(come_by(crowd, at_s) - named).max() <= 1


def test_those_who_come_first_are_let_in_first_and_wait_as_long_as_the_queue_is() -> None:
    arrived = come_by(Surge(listeners=1_000, over_s=1), np.arange(30.0))
    inside = let_in(arrived, Doors(100, math.inf))
    assert inside[:4].tolist() == [0, 100, 200, 300]
    assert waits_s(arrived, inside).max() == pytest.approx(9, abs=1)


def test_who_finds_no_place_waits_for_ever() -> None:
    arrived = come_by(Surge(listeners=1_000, over_s=1), np.arange(30.0))
    assert math.isinf(waits_s(arrived, let_in(arrived, Doors(10_000, 500))).max())


def test_the_design_page_on_paper() -> None:
    """DESIGN §10: eight million at 32 kbit/s are 256 Gbit/s and a few machines; doors open 30 minutes early."""
    evening = planned()
    assert evening.joins_peak_hz == pytest.approx(8_000_000 / 1_800, rel=0.01)
    assert 256e9 < evening.egress_bps < 1.15 * 256e9
    assert evening.places >= 8_000_000
    assert evening.bound_by == "listeners"
    assert evening.machines == math.ceil(8_000_000 / (32 * 15_000 * 0.75))
    assert evening.minutes[-1].listening == 8_000_000
    assert evening.wait_max_s <= TERMS.wait_max_s


def test_a_surge_is_bound_by_joins_and_a_thin_line_by_the_line() -> None:
    sudden = planned(over_s=20, joins_hz=400)
    assert sudden.bound_by == "joins"
    assert sudden.machines > planned(joins_hz=400).machines
    assert planned(terms=msgspec.structs.replace(TERMS, line_bps=1e9)).bound_by == "line"


@given(st.integers(1, 5_000_000), st.floats(1.0, 4.0))
def test_more_people_never_need_less(listeners: int, more: float) -> None:
    few, many = planned(listeners), planned(min(10_000_000, int(listeners * more)))
    assert few.machines <= many.machines
    assert few.egress_bps <= many.egress_bps
    assert few.cost_eur_h <= many.cost_eur_h


@given(st.floats(1.0, 4.0))
def test_better_machines_are_never_more(better: float) -> None:
    assert (
        planned(listeners=8_000_000).machines
        >= plan(
            Trickle(listeners=8_000_000, over_s=1_800),
            certificate(joins_hz=4_000 * better, listeners=int(15_000 * better)),
            TERMS,
        ).machines
    )


def test_the_minutes_add_up() -> None:
    evening = planned(over_s=20)
    assert [minute.minute for minute in evening.minutes] == list(range(1, len(evening.minutes) + 1))
    assert all(minute.listening <= minute.come for minute in evening.minutes)
    assert evening.waiting_max == max(minute.waiting_max for minute in evening.minutes)


def test_a_longer_cadence_takes_less_of_the_line() -> None:
    each = [bits_per_second(32_000, cadence_s=cadence_s) for cadence_s in (0.1, 0.5, 2.0)]
    assert each == sorted(each, reverse=True)
    assert 34_000 < each[-1] < 36_000


def test_it_says_what_it_assumes_and_what_the_rehearsal_did_not_reach() -> None:
    said = " ".join(planned().assumes)
    assert "did not reach the limit of listeners" in said
    assert "the limit of joins" not in said
    assert "75%" in said
    assert "same machine" in said


def test_without_a_rehearsal_of_it_nothing_is_promised() -> None:
    untold = msgspec.structs.replace(certificate(), stages=())
    with pytest.raises(BadInputError, match="rehearse `capacity`"):
        plan(Surge(listeners=10), untold, TERMS)
