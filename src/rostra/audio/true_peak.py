"""True peak (ITU-R BS.1770-5, annex 2): the height of the curve between the samples, by 4x oversampling."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from rostra.audio.frame import Samples

OVERSAMPLING: Final = 4
_TAPS: Final = 24  # per phase: flat to 20 kHz, 60 dB down beyond 28 kHz; annex 2's example has 12
LOOKAHEAD_SAMPLES: Final = _TAPS // 2  # what a peak between two samples needs to know after them
_KAISER_BETA: Final = 6.0
_BLOCK: Final = 32  # samples per row of the matrix product: 32 is fastest on 960


def _interpolators() -> NDArray[np.float64]:
    """Shape (3, _TAPS): Kaiser-windowed sinc kernels for 1/4, 2/4 and 3/4 of a sample, DC gain 1."""
    fractions = np.arange(1, OVERSAMPLING)[:, np.newaxis] / OVERSAMPLING
    distance = np.arange(_TAPS) - (LOOKAHEAD_SAMPLES - 1) - fractions
    window = np.i0(_KAISER_BETA * np.sqrt(np.maximum(0, 1 - (distance / LOOKAHEAD_SAMPLES) ** 2)))
    kernels = np.sinc(distance) * window
    normal: NDArray[np.float64] = kernels / kernels.sum(axis=1, keepdims=True)
    return normal


def _toeplitz(kernels: NDArray[np.float64]) -> NDArray[np.float32]:
    """Shape (_BLOCK + _TAPS - 1, 3 * _BLOCK): a row of samples times this is the points between them."""
    matrix = np.zeros((_BLOCK + _TAPS - 1, len(kernels), _BLOCK), np.float32)
    for at in range(_BLOCK):
        matrix[at : at + _TAPS, :, at] = kernels.T
    return matrix.reshape(len(matrix), -1)


_KERNELS: Final = _interpolators()
_MATRIX: Final = _toeplitz(_KERNELS)

# No point between samples is higher than this many times the highest sample near it.
OVERSHOOT_MAX: Final = float(np.abs(_KERNELS).sum(axis=1).max())


class PeakEnvelope:
    """The true-peak envelope of a stream, LOOKAHEAD_SAMPLES late.

    Element n of the answer is the highest absolute value at sample n and on the way to sample n + 1.
    """

    def __init__(self) -> None:
        self._past = np.zeros(_TAPS - 1, np.float32)

    def may_exceed(self, samples: Samples, level: float) -> bool:
        """Whether the envelope of `samples`, which come next, could reach beyond `level` at all."""
        highest = max(float(np.abs(self._past).max()), float(np.abs(samples).max()))
        return highest * OVERSHOOT_MAX > level

    def skip(self, samples: Samples) -> None:
        """Let `samples` pass without looking between them: a tenth of the work of `advance`."""
        self._past = np.concatenate((self._past, samples), dtype=np.float32)[-len(self._past) :]

    def advance(self, samples: Samples) -> Samples:
        """Shape (n,) to shape (n,), where n is a multiple of 32, as a frame's 960 is; must be finite."""
        assert len(samples) % _BLOCK == 0, samples.shape
        known = np.concatenate((self._past, samples), dtype=np.float32)
        self._past = known[len(samples) :]
        windows = np.lib.stride_tricks.sliding_window_view(known, _BLOCK + _TAPS - 1)[::_BLOCK]
        between = (np.ascontiguousarray(windows) @ _MATRIX).reshape(-1, OVERSAMPLING - 1, _BLOCK)
        at = LOOKAHEAD_SAMPLES - 1
        envelope: Samples = np.abs(between).max(axis=1).reshape(-1)
        np.maximum(envelope, np.abs(known[at : at + len(samples)]), out=envelope)
        return envelope


def true_peak(samples: Samples) -> float:
    """The true peak of shape-(n,) `samples` as an amplitude; 1.0 is 0 dBTP. Silence around them is assumed."""
    padding = -(len(samples) + LOOKAHEAD_SAMPLES) % _BLOCK
    padded = np.concatenate((samples, np.zeros(LOOKAHEAD_SAMPLES + padding)), dtype=np.float32)
    envelope = PeakEnvelope()
    step = 1024 * _BLOCK  # keeps the products in the cache and the memory bounded
    blocks = (padded[at : at + step] for at in range(0, len(padded), step))
    return max((float(envelope.advance(block).max()) for block in blocks), default=0.0)


def to_db(amplitude: float) -> float:
    """20 log10; minus infinity for silence."""
    return 20 * float(np.log10(amplitude)) if amplitude > 0 else -np.inf
