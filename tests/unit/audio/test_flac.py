"""FLAC that is written as it comes decodes to the very samples, wherever it is cut off."""

import io

import numpy as np
import pytest

from rostra.audio.flac import HEADER_BYTES, FlacEncoder, with_length
from rostra.audio.frame import frame_to_pcm16
from rostra.audio.source import frames_from
from rostra.core.errors import BadInputError

RANDOM = np.random.default_rng(1)


def pcm(samples: int) -> np.ndarray:
    return RANDOM.integers(-9_000, 9_000, samples, np.int16)


def decoded(flac: bytes) -> np.ndarray:
    sound = b"".join(frame_to_pcm16(frame) for frame in frames_from(io.BytesIO(flac)))
    return np.frombuffer(sound, "<i2")


@pytest.mark.parametrize("piece", [960, 1_000, 4_608, 20_000])
def test_pieces_of_any_length_come_back_bit_for_bit(piece: int) -> None:
    said = pcm(48_000)
    encoder = FlacEncoder()
    flac = encoder.header
    flac += b"".join(encoder.encode(said[at : at + piece].tobytes()) for at in range(0, len(said), piece))
    assert encoder.held_samples == len(said) % 4_608
    flac += encoder.finish()
    assert np.array_equal(decoded(flac), said)
    told = with_length(flac[:HEADER_BYTES], len(said)) + flac[HEADER_BYTES:]
    assert np.array_equal(decoded(told), said)


def test_a_file_that_was_cut_off_holds_what_was_written_before() -> None:
    said = pcm(48_000)
    encoder = FlacEncoder()
    flac = encoder.header + encoder.encode(said.tobytes())
    heard = decoded(flac[:-7])
    whole = 9 * 4_608
    assert np.array_equal(heard[:whole], said[:whole])


def test_only_our_own_headers_are_told_a_length() -> None:
    with pytest.raises(BadInputError):
        with_length(b"RIFF" + bytes(38), 5)
