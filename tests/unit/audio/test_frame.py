import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from rostra.audio.frame import (
    PCM16_FRAME_BYTES,
    finite,
    frame_to_pcm16,
    pcm16_to_frame,
    silence,
)
from rostra.core.errors import BadInputError

ANY_FRAME = npst.arrays(np.float32, 960, elements=st.floats(width=32))


def test_silence_is_a_frame_of_its_own_each_time() -> None:
    first = silence()
    first[:] = 1
    assert silence().shape == (960,)
    assert silence().dtype == np.float32
    assert not silence().any()


@given(st.binary(min_size=PCM16_FRAME_BYTES, max_size=PCM16_FRAME_BYTES))
def test_what_travelled_as_pcm16_comes_back_bit_for_bit(pcm: bytes) -> None:
    assert frame_to_pcm16(pcm16_to_frame(pcm)) == pcm


@given(ANY_FRAME)
def test_any_float_whatever_becomes_pcm16_within_half_a_step_or_saturates(frame: np.ndarray) -> None:
    back = pcm16_to_frame(frame_to_pcm16(frame))
    meant = np.clip(np.nan_to_num(frame, nan=0, posinf=0, neginf=0), -1, 1 - 2**-15)
    assert np.abs(back - meant).max() <= 2**-16


def test_samples_are_little_endian_and_saturate_at_full_scale() -> None:
    frame = np.array([0, 2**-15, -1, 1, 7, -7, np.nan, np.inf, -np.inf], np.float32)
    values = [0, 1, -32768, 32767, 32767, -32768, 0, 0, 0]
    assert frame_to_pcm16(frame) == b"".join(v.to_bytes(2, "little", signed=True) for v in values)


def test_half_a_sample_is_refused() -> None:
    with pytest.raises(BadInputError, match="even number"):
        pcm16_to_frame(b"abc")


def test_a_finite_frame_is_not_copied_and_another_is_not_changed_in_place() -> None:
    sound = silence()
    assert finite(sound) is sound
    sound[3] = np.nan
    assert not finite(sound).any()
    assert np.isnan(sound[3])
