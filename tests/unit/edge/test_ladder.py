"""The ladder is climbed and descended in one order, and nobody who listens falls off it (P4)."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rostra.core.ticket import TicketClass
from rostra.edge.cadence import Load
from rostra.edge.ladder import DWELL_DOWN_S, EGRESS_ALARMING, Rung, Strain, ladder, next_rung

RUNGS = ladder(has_copy=True)
CALM = Strain(Load())
FULL = Strain(Load(100, share=0.2), egress_share=0.95)


def walk(strain: Strain, at: int, seconds: int, rungs: tuple[Rung, ...] = RUNGS) -> list[int]:
    """The rungs of so many seconds under the same strain."""
    dwelt_s, walked = 0.0, [at]
    for _ in range(seconds):
        dwelt_s += 1
        step = next_rung(rungs, at, strain, dwelt_s=dwelt_s)
        if step != at:
            at, dwelt_s = step, 0.0
            walked.append(at)
    return walked


def test_p4_cadence_then_rendition_then_the_copy_then_the_doors_class_by_class() -> None:
    assert [rung.name for rung in RUNGS] == [
        *("cadence 100 ms", "cadence 200 ms", "cadence 500 ms", "cadence 1000 ms", "cadence 2000 ms"),
        *("cadence 4000 ms", "32 kbit/s", "16 kbit/s", "copy"),
        *("anonymous wait", "signed in wait", "registered wait"),
    ]
    assert [rung.closed_to for rung in RUNGS[-3:]] == [
        TicketClass.ANONYMOUS,
        TicketClass.SIGNED_IN,
        TicketClass.REGISTERED,
    ]
    assert len(ladder(has_copy=False)) == len(RUNGS) - 1


def test_p4_rising_strain_climbs_every_rung_in_order_and_calm_descends_them_in_the_opposite_one() -> None:
    up = walk(FULL, 0, 200)
    assert up == list(range(len(RUNGS)))
    assert walk(CALM, up[-1], 20 * int(DWELL_DOWN_S)) == up[::-1]


@pytest.mark.parametrize(
    "strain", [FULL, Strain(Load(), lag_s=0.4), Strain(Load(share=0.6)), Strain(Load(10**6, write_cost_s=1e-4))]
)
def test_each_cause_is_a_reason_to_climb(strain: Strain) -> None:
    assert walk(strain, 0, 10)[-1] > 0


def test_a_step_down_that_would_not_fit_is_not_taken() -> None:
    at = [rung.name for rung in RUNGS].index("32 kbit/s")
    assert walk(Strain(Load(), egress_share=0.5), at, 500) == [at]
    assert walk(Strain(Load(), egress_share=0.3), at, 500)[1:] != []


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.floats(0, 2), st.floats(0.5, 1.5))
def test_p4_noise_makes_nobody_run_up_and_down(seed: int, egress: float, listeners: float) -> None:
    """A worker whose egress follows its renditions and whose load is measured with 10 % of noise, for an hour."""
    chance, at, dwelt_s, steps = random.Random(seed), 0, 0.0, [0]
    for _ in range(3_600):
        cap = (RUNGS[at].cap_kbps or 64) / 64
        noise = chance.uniform(0.95, 1.05)
        load = Load(round(15_000 * listeners), share=0.15 * noise / RUNGS[at].cadence, write_cost_s=10e-6)
        dwelt_s += 1
        step = next_rung(RUNGS, at, Strain(load, egress * cap * noise), dwelt_s=dwelt_s)
        if step != at:
            at, dwelt_s = step, 0.0
            steps.append(at)
    turns = sum((b - a) * (c - b) < 0 for (a, b), (_, c) in pairwise(list(pairwise(steps))))
    assert turns <= 1 or EGRESS_ALARMING * 0.9 < egress / 4 < EGRESS_ALARMING * 1.2
