"""What the source of a lab plays: something that is never silent, or falls silent and stays so."""

import wave
from pathlib import Path

import numpy as np

from rostra.core.units import SAMPLE_RATE_HZ

_SEED = 1  # of a noise that is the same everywhere
_LEVEL = 0.1  # of full scale


def write(path: Path, *, seconds: float, silent_from_s: float | None) -> Path:
    """Noise as a WAV file, mono, 48 kHz; digital silence from that second on."""
    noise = np.random.default_rng(_SEED).standard_normal(round(seconds * SAMPLE_RATE_HZ)) * _LEVEL
    if silent_from_s is not None:
        noise[round(silent_from_s * SAMPLE_RATE_HZ) :] = 0
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE_HZ, 0, "NONE", ""))
        file.writeframes((np.clip(noise, -1, 1) * 32_767).astype("<i2").tobytes())
    return path
