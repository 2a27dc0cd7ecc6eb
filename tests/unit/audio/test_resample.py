"""The telephone's band comes through both ways, and nothing is folded into it from beyond."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.audio.frame import Samples
from rostra.audio.resample import FACTOR, TELEPHONE_HZ, Downsampler, Upsampler
from rostra.core.units import SAMPLE_RATE_HZ


def tone(hertz: float, rate_hz: int) -> Samples:
    return np.sin(2 * np.pi * hertz * np.arange(rate_hz) / rate_hz).astype(np.float32)


def level_db(sound: Samples, hertz: float, rate_hz: int) -> float:
    sound = sound[rate_hz // 10 :]
    window = np.hanning(len(sound))
    turning = np.exp(-2j * np.pi * hertz * np.arange(len(sound)) / rate_hz)
    return float(20 * np.log10(2 * abs(complex(np.sum(sound * window * turning))) / window.sum() + 1e-9))


@pytest.mark.parametrize("hertz", [50, 300, 1_000, 2_500, 3_400])
def test_the_band_of_a_telephone_is_as_loud_after_as_before(hertz: int) -> None:
    up = Upsampler().process(tone(hertz, TELEPHONE_HZ))
    down = Downsampler().process(tone(hertz, SAMPLE_RATE_HZ))
    assert level_db(up, hertz, SAMPLE_RATE_HZ) == pytest.approx(0, abs=0.1)
    assert level_db(down, hertz, TELEPHONE_HZ) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("hertz", [4_600, 5_000, 7_000, 9_000, 15_000, 23_000])
def test_what_lies_beyond_the_band_is_not_folded_into_it(hertz: int) -> None:
    folded = abs(hertz - TELEPHONE_HZ * round(hertz / TELEPHONE_HZ))
    down = Downsampler().process(tone(hertz, SAMPLE_RATE_HZ))
    assert level_db(down, folded, TELEPHONE_HZ) < -58


@pytest.mark.parametrize("hertz", [300, 1_000, 3_400])
def test_a_telephones_voice_gets_no_mirror_image_above_it(hertz: int) -> None:
    up = Upsampler().process(tone(hertz, TELEPHONE_HZ))
    assert level_db(up, TELEPHONE_HZ - hertz, SAMPLE_RATE_HZ) < -58
    assert level_db(up, TELEPHONE_HZ + hertz, SAMPLE_RATE_HZ) < -58


@given(st.lists(st.integers(1, 100), min_size=1, max_size=12))
def test_pieces_sound_as_the_whole_does(lengths: list[int]) -> None:
    sound = np.random.default_rng(1).standard_normal(sum(lengths) * FACTOR).astype(np.float32)
    cuts = np.cumsum(lengths)[:-1]
    up, down = Upsampler(), Downsampler()
    rising = np.concatenate([up.process(piece) for piece in np.split(sound[: sum(lengths)], cuts)])
    falling = np.concatenate([down.process(piece) for piece in np.split(sound, cuts * FACTOR)])
    assert np.allclose(rising, Upsampler().process(sound[: sum(lengths)]), atol=1e-5)
    assert np.allclose(falling, Downsampler().process(sound), atol=1e-5)
