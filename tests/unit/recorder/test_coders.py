"""What a stem's coder has given so far can be played, and what it holds back it says."""

import io

import numpy as np
import pytest

from rostra.audio.frame import frame_to_pcm16
from rostra.audio.source import frames_from
from rostra.core.units import FRAME_SAMPLES, SAMPLE_RATE_HZ
from rostra.recorder.coders import stem_coder
from rostra.recorder.layout import SUFFIXES

FRAMES = 103


def tone() -> np.ndarray:
    at_s = np.arange(FRAMES * FRAME_SAMPLES) / SAMPLE_RATE_HZ
    return (0.4 * np.sin(2 * np.pi * (200 + 150 * at_s) * at_s)).astype(np.float32)


@pytest.mark.parametrize("setting", ["flac", "opus"])
def test_a_stem_is_what_was_said_and_its_coder_knows_what_it_holds_back(setting: str) -> None:
    said, coder = tone(), stem_coder(SUFFIXES[setting])
    data = coder.header
    for number, frame in enumerate(said.reshape(-1, FRAME_SAMPLES), 1):
        data += coder.encode(frame_to_pcm16(frame))
        if number == 60:
            assert coder.held <= 5
            played = np.concatenate(list(frames_from(io.BytesIO(data))))
            assert len(played) >= (60 - coder.held - 1) * FRAME_SAMPLES
    data += coder.finish()
    assert coder.held == 0
    heard = np.concatenate(list(frames_from(io.BytesIO(data))))
    assert len(said) <= len(heard) <= len(said) + 2 * FRAME_SAMPLES
    settled = slice(SAMPLE_RATE_HZ // 5, len(said) - FRAME_SAMPLES)
    assert np.corrcoef(said[settled], heard[: len(said)][settled])[0, 1] > 0.99
