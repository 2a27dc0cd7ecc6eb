"""From 48 kHz to the 8 kHz of telephones or the 16 kHz of recognisers, and back from 8: a polyphase FIR. Pure.

One linear-phase low-pass of 168 taps (Kaiser, 60 dB) centred on 4 kHz serves both ways of a telephone: flat to
3.4 kHz, the edge of its band (ITU-T G.712 §3), and 60 dB down from 4.6 kHz, which would alias to 3.4 kHz. Each
way is late by 1.7 ms. To 16 kHz the filter is half as long, its frequencies are twice as high. Pieces may have
any length but 0.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from rostra.audio.frame import Samples
from rostra.core.units import SAMPLE_RATE_HZ

TELEPHONE_HZ: Final = 8_000
FACTOR: Final = SAMPLE_RATE_HZ // TELEPHONE_HZ
RECOGNISER_HZ: Final = 16_000
_TAPS: Final = 28  # for each sample of the lower rate
_KAISER_BETA: Final = 5.65  # 60 dB (Kaiser, 1974: 0.1102 (A - 8.7))


def _low_pass(factor: int) -> NDArray[np.float32]:
    """Taps of unit gain at 0 Hz, shape (_TAPS * factor,)."""
    count = _TAPS * factor
    taps = np.sinc((np.arange(count) - (count - 1) / 2) / factor) * np.kaiser(count, _KAISER_BETA)
    low_pass: NDArray[np.float32] = (taps / taps.sum()).astype(np.float32)
    return low_pass


class Upsampler:
    """8 kHz in, 48 kHz out: n samples become 6 n."""

    def __init__(self) -> None:
        # Row k makes the k-th of six outputs out of the newest inputs, the newest last.
        self._phases = np.ascontiguousarray(FACTOR * _low_pass(FACTOR).reshape(-1, FACTOR)[::-1])
        self._before = np.zeros(len(self._phases) - 1, np.float32)

    def process(self, sound: Samples) -> Samples:
        """`sound` at 8 kHz, shape (n,), as shape (6 n,) at 48 kHz."""
        whole = np.concatenate((self._before, sound))
        self._before = whole[len(sound) :]
        windows = np.lib.stride_tricks.sliding_window_view(whole, len(self._phases))
        wide: Samples = (windows @ self._phases).reshape(-1)
        return wide


class Downsampler:
    """48 kHz in, a `factor`-th of it out: `factor` * n samples become n."""

    def __init__(self, *, factor: int = FACTOR) -> None:
        self._factor = factor
        self._taps = _low_pass(factor)  # symmetric: its own reversal
        self._before = np.zeros(len(self._taps) - factor, np.float32)

    def process(self, sound: Samples) -> Samples:
        """`sound` at 48 kHz, shape (factor * n,), as shape (n,)."""
        assert len(sound) % self._factor == 0, len(sound)
        whole = np.concatenate((self._before, sound))
        self._before = whole[len(sound) :]
        windows = np.lib.stride_tricks.sliding_window_view(whole, len(self._taps))
        narrow: Samples = windows[:: self._factor] @ self._taps
        return narrow


def for_recogniser(sound: Samples) -> Samples:
    """A whole sound at 48 kHz, shape (3 n,), as recognisers take it: at 16 kHz, shape (n,)."""
    return Downsampler(factor=SAMPLE_RATE_HZ // RECOGNISER_HZ).process(sound)
