"""Between the telephone's 8 kHz and the programme's 48 kHz: a polyphase FIR, in pieces of any length but 0. Pure.

One linear-phase low-pass of 168 taps (Kaiser, 60 dB) centred on 4 kHz serves both ways: flat to 3.4 kHz, the edge
of a telephone's band (ITU-T G.712 §3), and 60 dB down from 4.6 kHz, which would alias to 3.4 kHz. Each way is late
by 1.7 ms.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from rostra.audio.frame import Samples
from rostra.core.units import SAMPLE_RATE_HZ

TELEPHONE_HZ: Final = 8_000
FACTOR: Final = SAMPLE_RATE_HZ // TELEPHONE_HZ
_TAPS: Final = 28 * FACTOR
_KAISER_BETA: Final = 5.65  # 60 dB (Kaiser, 1974: 0.1102 (A - 8.7))


def _low_pass() -> NDArray[np.float32]:
    """Taps of unit gain at 0 Hz, shape (_TAPS,)."""
    middle = (_TAPS - 1) / 2
    taps = np.sinc((np.arange(_TAPS) - middle) / FACTOR) * np.kaiser(_TAPS, _KAISER_BETA)
    low_pass: NDArray[np.float32] = (taps / taps.sum()).astype(np.float32)
    return low_pass


class Upsampler:
    """8 kHz in, 48 kHz out: n samples become 6 n."""

    def __init__(self) -> None:
        # Row k makes the k-th of six outputs out of the newest inputs, the newest last.
        self._phases = np.ascontiguousarray(FACTOR * _low_pass().reshape(-1, FACTOR)[::-1])
        self._before = np.zeros(len(self._phases) - 1, np.float32)

    def process(self, sound: Samples) -> Samples:
        """`sound` at 8 kHz, shape (n,), as shape (6 n,) at 48 kHz."""
        whole = np.concatenate((self._before, sound))
        self._before = whole[len(sound) :]
        windows = np.lib.stride_tricks.sliding_window_view(whole, len(self._phases))
        wide: Samples = (windows @ self._phases).reshape(-1)
        return wide


class Downsampler:
    """48 kHz in, 8 kHz out: 6 n samples become n."""

    def __init__(self) -> None:
        self._taps = _low_pass()  # symmetric: its own reversal
        self._before = np.zeros(_TAPS - FACTOR, np.float32)

    def process(self, sound: Samples) -> Samples:
        """`sound` at 48 kHz, shape (6 n,), as shape (n,) at 8 kHz."""
        assert len(sound) % FACTOR == 0, len(sound)
        whole = np.concatenate((self._before, sound))
        self._before = whole[len(sound) :]
        narrow: Samples = np.lib.stride_tricks.sliding_window_view(whole, _TAPS)[::FACTOR] @ self._taps
        return narrow
