import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.core.errors import BadInputError
from rostra.rehearsal.scalability import Law, Point, beyond_knee, fit, holds

LOADS = (100.0, 500.0, 1_000.0, 4_000.0, 10_000.0, 20_000.0)


def measured(law: Law, *, noise: float = 0.0, seed: int = 1) -> list[Point]:
    factors = 1 + noise * np.random.default_rng(seed).standard_normal(len(LOADS))
    served = law.served(np.array(LOADS)) * factors
    return [Point(offered, float(each), 10) for offered, each in zip(LOADS, served, strict=True)]


@given(st.floats(0.5, 1.0), st.floats(0, 1e-3), st.floats(1e-10, 1e-7))
def test_the_parameters_that_made_the_points_are_found_again(
    rate: float, contention: float, coherence: float
) -> None:
    law = fit(measured(Law(rate, contention, coherence, (), 0.0)))
    assert law.rate == pytest.approx(rate, rel=1e-3)
    assert law.contention == pytest.approx(contention, rel=1e-2, abs=1e-7)
    assert law.coherence == pytest.approx(coherence, rel=1e-2, abs=1e-12)
    assert law.residual_rms < 1e-3


def test_noise_is_told_as_residuals_and_moves_the_peak_little() -> None:
    truth = Law(1.0, 2e-5, 5e-9, (), 0.0)
    law = fit(measured(truth, noise=0.02))
    assert 0.005 < law.residual_rms < 0.04
    assert truth.peak is not None
    assert law.peak == pytest.approx(truth.peak, rel=0.25)


def test_no_parameter_is_negative_where_more_is_served_than_a_line_would() -> None:
    law = fit([Point(n, n**1.05, 10) for n in LOADS])
    assert (law.contention, law.coherence) == (0.0, 0.0)
    assert law.peak is None


def test_two_loads_make_no_law() -> None:
    with pytest.raises(BadInputError, match="3 different loads"):
        fit([Point(1, 1, 1), Point(2, 2, 1), Point(2, 2, 1)])


def test_what_holds_is_the_largest_load_below_the_first_that_was_not_served() -> None:
    points = [Point(300, 200, 10), Point(100, 100, 10), Point(200, 199, 10), Point(400, 400, 10)]
    assert holds(points) == 200
    assert holds([Point(100, 50, 10)]) == 0


def test_a_limit_is_known_only_when_it_was_passed() -> None:
    assert not beyond_knee([Point(100, 100, 10), Point(200, 200, 10)])
    assert beyond_knee([Point(100, 100, 10), Point(300, 200, 10)])
