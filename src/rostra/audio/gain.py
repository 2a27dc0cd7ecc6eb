"""A gain that moves to its target without a click, sample by sample, and may be turned around on the way."""

import numpy as np

from rostra.audio.frame import Samples
from rostra.core.units import SAMPLE_RATE_HZ


class Gain:
    """Equal-power fade: the gain is the sine of an angle that moves linearly (0 silent, 1 full).

    Two gains that move in opposite directions over the same time keep the power of uncorrelated sound constant.
    """

    def __init__(self, value: float) -> None:
        self._position = _position(value)

    @property
    def value(self) -> float:
        return float(np.sin(self._position * np.pi / 2))

    def apply(self, samples: Samples, target: float, *, fade_s: float) -> Samples:
        """`samples` with the gain on its way to `target`; from 0 to 1 it takes `fade_s` seconds."""
        goal = _position(target)
        if self._position == goal:
            return samples * np.float32(self.value)
        step = (1.0 if goal > self._position else -1.0) / max(1.0, fade_s * SAMPLE_RATE_HZ)
        path = self._position + step * np.arange(1, len(samples) + 1)
        path = np.minimum(path, goal) if step > 0 else np.maximum(path, goal)
        self._position = float(path[-1])
        faded: Samples = (samples * np.sin(path * (np.pi / 2))).astype(np.float32)
        return faded


def _position(value: float) -> float:
    return float(np.arcsin(min(1.0, max(0.0, value))) * 2 / np.pi)
