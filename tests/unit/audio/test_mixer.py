import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rostra.audio.frame import silence
from rostra.audio.mixer import mix, mix_minus
from rostra.core.units import FRAME_SAMPLES


def voices(count: int, *, seed: int = 1) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).uniform(-1, 1, (count, FRAME_SAMPLES)).astype(np.float32))


def test_nobody_sounds_like_silence() -> None:
    assert np.array_equal(mix([]), silence())


@given(st.integers(1, 13), st.integers(0, 1_000))
def test_the_mix_is_the_sum_of_the_voices(count: int, seed: int) -> None:
    frames = voices(count, seed=seed)
    total = mix(frames)
    assert total.dtype == np.float32
    assert np.abs(total - np.sum(np.array(frames, np.float64), axis=0)).max() < 1e-5


def test_a_lone_voice_is_left_as_it_is_in_an_array_of_its_own() -> None:
    (voice,) = voices(1)
    total = mix([voice])
    assert np.array_equal(total, voice)
    assert not np.shares_memory(total, voice)


@given(st.integers(2, 13), st.integers(0, 1_000))
def test_a_speaker_hears_all_the_others_and_not_the_own_voice(count: int, seed: int) -> None:
    frames = voices(count, seed=seed)
    total = mix(frames)
    for own in range(count):
        others = mix([frame for index, frame in enumerate(frames) if index != own])
        assert np.abs(mix_minus(total, frames[own]) - others).max() < 1e-5


def test_all_speakers_are_served_in_one_operation() -> None:
    frames = voices(5)
    total = mix(frames)
    together = mix_minus(total, np.stack(frames))
    assert together.shape == (5, FRAME_SAMPLES)
    assert all(np.array_equal(together[n], mix_minus(total, frames[n])) for n in range(5))


def test_a_broken_voice_is_silence_and_leaves_the_others_alone() -> None:
    good, broken = voices(2)
    broken[10], broken[20] = np.nan, -np.inf
    total = mix([good, broken])
    assert np.isfinite(total).all()
    assert total[10] == good[10]
    assert np.abs(mix_minus(total, broken) - good).max() < 1e-6
