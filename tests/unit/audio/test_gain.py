"""A gain on its way: no click, no dip, and it may turn around."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rostra.audio.gain import Gain

ONES = np.ones(960, np.float32)


def path(gain: Gain, target: float, *, fade_s: float, frames: int) -> np.ndarray:
    return np.concatenate([gain.apply(ONES, target, fade_s=fade_s) for _ in range(frames)])


def test_a_fade_takes_its_time_and_then_rests_at_the_target() -> None:
    gain = Gain(0.0)
    up = path(gain, 1.0, fade_s=0.1, frames=10)
    assert gain.value == 1.0
    assert np.argmax(up >= 1.0) in range(4_795, 4_805)
    assert np.all(np.diff(up) >= 0)


def test_two_gains_that_change_places_keep_the_power() -> None:
    up = path(Gain(0.0), 1.0, fade_s=0.1, frames=5)
    down = path(Gain(1.0), 0.0, fade_s=0.1, frames=5)
    assert np.allclose(up**2 + down**2, 1.0, atol=1e-3)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.floats(0.005, 1))
def test_whatever_the_target_does_there_is_no_step(targets: list[float], fade_s: float) -> None:
    gain = Gain(0.5)
    whole = np.concatenate([gain.apply(ONES, target, fade_s=fade_s) for target in targets])
    assert np.abs(np.diff(whole, prepend=0.5)).max() <= np.pi / 2 / (fade_s * 48_000) + 1e-5
    assert whole.min() >= 0
    assert whole.max() <= 1
