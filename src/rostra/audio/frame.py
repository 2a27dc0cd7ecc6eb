"""The frame: 20 ms of mono sound at 48 kHz, the unit in which all sound moves."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rostra.core.errors import BadInputError
from rostra.core.units import FRAME_SAMPLES

Samples = NDArray[np.float32]  # shape (n,): mono, 48 kHz, nominal -1 to +1
Frame = Samples  # shape (FRAME_SAMPLES,)

PCM16_FRAME_BYTES: Final = FRAME_SAMPLES * 2
_FULL_SCALE: Final = 32_768.0


def silence() -> Frame:
    """A new frame of zeros."""
    return np.zeros(FRAME_SAMPLES, np.float32)


def finite(samples: Samples) -> Samples:
    """The same samples with NaN and infinities as 0: the very array if there is none of them."""
    if math.isfinite(np.vdot(samples, samples)):  # a quarter of the time of looking at each sample
        return samples
    usable = np.isfinite(samples)
    return samples if usable.all() else np.where(usable, samples, np.float32(0))


def frame_to_pcm16(frame: Samples) -> bytes:
    """Samples of shape (n,) as 16-bit little-endian PCM. NaN and infinities become 0, overshoot saturates."""
    scaled = finite(frame).clip(-1, 1)
    scaled *= _FULL_SCALE
    np.rint(scaled, out=scaled)
    np.minimum(scaled, _FULL_SCALE - 1, out=scaled)
    pcm: bytes = scaled.astype("<i2").tobytes()
    return pcm


def pcm16_to_frame(pcm: bytes) -> Samples:
    """Samples of shape (len(pcm) / 2,), -1 to +1, of 16-bit little-endian PCM.

    BadInputError for half a sample. PCM16_FRAME_BYTES give a Frame.
    """
    if len(pcm) % 2:
        raise BadInputError(f"16-bit sound of {len(pcm)} bytes: an even number is needed.")
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(_FULL_SCALE)
