"""Who is heard: the seat that a listener would name, neither every cough nor every breath between words. Pure."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from rostra.audio.frame import Frame
from rostra.core.units import FRAME_SAMPLES

_AUDIBLE: Final = 0.006**2  # -44 dBFS: a levelled voice is 25 dB above, a levelled room below
_LOUDER: Final = 2.0  # 3 dB: two who are equally loud do not take turns at each syllable
_SMOOTHING_FRAMES: Final = 10  # 0.2 s: syllables, not periods
_TAKES_FRAMES: Final = 15  # 0.3 s of being the loudest: a cough is shorter
_QUIET_FRAMES: Final = 150  # 3 s: after that nobody is heard, before it somebody thinks


class ActiveSpeaker:
    """`name` is the seat that is heard now, empty for nobody. `hear` every frame of the mix."""

    def __init__(self) -> None:
        self.name = ""
        self._powers: dict[str, float] = {}
        self._candidate = ""
        self._frames = 0  # for which the candidate has been the loudest

    def hear(self, frames: Mapping[str, Frame]) -> bool:
        """Whether `name` has changed with these 20 ms of each seat."""
        for seat in self._powers.keys() - frames.keys():
            del self._powers[seat]
        for seat, frame in frames.items():
            power = self._powers.get(seat, 0.0)
            self._powers[seat] = power + (float(np.dot(frame, frame)) / FRAME_SAMPLES - power) / _SMOOTHING_FRAMES
        loudest = self._loudest()
        self._frames = self._frames + 1 if loudest == self._candidate else 1
        self._candidate = loudest
        if loudest == self.name or self._frames < (_TAKES_FRAMES if loudest else _QUIET_FRAMES):
            return False
        self.name = loudest
        return True

    def _loudest(self) -> str:
        if not self._powers:
            return ""
        seat = max(self._powers, key=lambda name: self._powers[name])
        if self._powers[seat] < _AUDIBLE:
            return ""
        return self.name if self._powers[seat] < _LOUDER * self._powers.get(self.name, 0.0) else seat
