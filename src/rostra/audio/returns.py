"""What each speaker hears of the others: encoded once for all who say nothing, and once for each who speaks. Pure.

A decoder follows from one encoder to the other without a click. Towards the own one, because that begins as a copy
of the shared one, state and all. Back, because both have had the same sound for a while: measured on speech, the
codec's own error (-56 dB) is 0.2 dB greater in the frame of the change; PESQ-WB is the same with five in a second.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from rostra.audio.dynamics import PeakGain
from rostra.audio.frame import Frame
from rostra.audio.mixer import mix_minus
from rostra.audio.opus import OpusEncoder
from rostra.core.units import FRAME_SAMPLES

# FEC makes libopus use SILK, which is wideband and takes twice as long: PESQ-WB 4.30 for 66 us a frame, without FEC
# 4.31 for 31 us and the whole band (docs/performance.md). More complexity gains 0.1 for three times as long.
_PLAIN: Final = {"bitrate_bps": 48_000, "complexity": 0}
_WITH_FEC: Final = {"bitrate_bps": 32_000, "complexity": 1, "loss_percent": 10}
# -50 dBFS, 30 dB below a levelled voice: a murmur that may come back to whom it belongs, a tenth of a second late.
_MURMUR: Final = 0.003
_QUIET_FRAMES: Final = 15  # 0.3 s: longer than between two words, and long enough for both encoders to agree


class _Return:
    """One stream of returns: the gain that keeps it in range, and its encoder."""

    def __init__(self, gain: PeakGain, encoder: OpusEncoder) -> None:
        self._gain = gain
        self._encoder = encoder

    def copy(self) -> "_Return":
        return _Return(self._gain.copy(), self._encoder.copy())

    def encode(self, frame: Frame) -> bytes:
        return self._encoder.encode(self._gain.process(frame))


class Returns:
    """The returns of one mix, `with_fec` for those whose way loses packets. Each `encode` is the next 20 ms."""

    def __init__(self, *, with_fec: bool = False) -> None:
        self._shared = _Return(PeakGain(), OpusEncoder(**(_WITH_FEC if with_fec else _PLAIN)))
        self._own: dict[str, _Return] = {}
        self._quiet_frames: dict[str, int] = {}

    def encode(self, total: Frame, voices: Mapping[str, Frame]) -> tuple[bytes, dict[str, bytes]]:
        """The packet of `total`, and those of whoever of `voices`, its parts, must not hear it: who speaks."""
        for name, voice in voices.items():
            if float(np.dot(voice, voice)) > _MURMUR**2 * FRAME_SAMPLES:
                self._quiet_frames[name] = 0
                if name not in self._own:
                    self._own[name] = self._shared.copy()
        for name in list(self._own):
            self._quiet_frames[name] += 1
            if self._quiet_frames[name] > _QUIET_FRAMES or name not in voices:
                del self._own[name], self._quiet_frames[name]
        packets = {name: own.encode(mix_minus(total, voices[name])) for name, own in self._own.items()}
        return self._shared.encode(total), packets
