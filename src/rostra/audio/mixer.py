"""The mix of the stage, and what each speaker hears of it."""

from collections.abc import Sequence

import numpy as np

from rostra.audio.frame import Frame, Samples, finite, silence


def mix(frames: Sequence[Frame]) -> Frame:
    """The sum of the frames, in float32 and without a limit (the limiter comes after the mix).

    No frames are silence. NaN and infinities of one speaker are silence, so that nobody can end the others'
    sound. Always a new array.
    """
    if not frames:
        return silence()
    total: Frame = finite(np.stack(frames)).sum(axis=0, dtype=np.float32)
    return total


def mix_minus(total: Frame, own: Samples) -> Samples:
    """What a speaker hears: the mix without the own voice, which would come back as an echo.

    `own` is the frame that went into `total`, shape (960,), or the frames of n speakers, shape (n, 960);
    the answer has its shape. Equal to mixing the others, but for rounding (1e-6 of full scale).
    """
    others: Samples = total - finite(own)
    return others
