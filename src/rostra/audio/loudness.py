"""Loudness by EBU R 128: a streaming meter of ITU-R BS.1770-5 and the modes of EBU Tech 3341.

The programme is mono. Its loudness is that of one channel with weight 1, which is what BS.1770 says of a
mono file: a 1 kHz sine with a peak of -20 dBFS measures -23.0 LUFS (the same sine in both channels of a
stereo file would measure 3 LU more).
"""

import math
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rostra.audio.frame import Frame, Samples, finite
from rostra.audio.true_peak import PeakEnvelope, to_db
from rostra.core.units import FRAME_SAMPLES

TARGET_LUFS: Final = -16.0  # AES TD1008 for speech and music streams
ABSOLUTE_GATE_LUFS: Final = -70.0
_RELATIVE_GATE_LU: Final = -10.0
_OFFSET_LU: Final = -0.691  # makes a 1 kHz sine read its level in spite of the filter's 0.7 dB there

MOMENTARY_FRAMES: Final = 20  # 400 ms
SHORT_TERM_FRAMES: Final = 150  # 3 s
_STEP_FRAMES: Final = 5  # gating blocks overlap by 75 %: a new one each 100 ms

# Biquads at 48 kHz, (b, a), BS.1770-5 tables 1 and 2: the head's shelf, then the high-pass at 38 Hz.
_SHELF: Final = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (-1.69065929318241, 0.73248077421585))
_HIGH_PASS: Final = ((1.0, -2.0, 1.0), (-1.99004745483398, 0.99007225036621))
_ORDER: Final = 4

_BLOCK: Final = 32  # samples per block of the filter; 30 of them are a frame
_BLOCKS: Final = FRAME_SAMPLES // _BLOCK

_Matrix = NDArray[np.float64]


def _state_space() -> tuple[_Matrix, _Matrix, _Matrix, float]:
    """The cascade as s' = A s + B x, y = C s + D x: two biquads in transposed direct form II."""
    ((p0, p1, p2), (p3, p4)), ((q0, q1, q2), (q3, q4)) = _SHELF, _HIGH_PASS
    inner, outer = np.zeros((2, 2)), np.zeros((2, 2))
    inner[:] = (-p3, 1), (-p4, 0)
    outer[:] = (-q3, 1), (-q4, 0)
    into, out_of = np.array((p1 - p3 * p0, p2 - p4 * p0)), np.array((q1 - q3 * q0, q2 - q4 * q0))
    a = np.zeros((_ORDER, _ORDER))
    a[:2, :2], a[2:, 2:] = inner, outer
    a[2:, 0] = out_of  # the inner section's output is its first state plus p0 x
    return a, np.concatenate((into, out_of * p0)), np.array((q0, 0, 1, 0)), q0 * p0


class _Matrices(NamedTuple):
    """The K filter on a frame of _BLOCKS blocks, each one matrix product; what goes in and out is a row each."""

    inside: _Matrix  # block -> its response in the block itself
    to_state: _Matrix  # block -> what it adds to the state at its end
    leap: _Matrix  # state before the frame and what each block adds -> state after each block
    from_state: _Matrix  # state before a block -> what it goes on to sound in the block


@cache
def _matrices() -> _Matrices:
    """The same 170 kB for all filters: thirteen voices with their own would drive each other out of the cache."""
    a, b, c, d = _state_space()
    powers = [np.linalg.matrix_power(a, k) for k in range(_BLOCK + 1)]
    impulse = np.array([d, *(c @ power @ b for power in powers[: _BLOCK - 1])])
    lag = np.arange(_BLOCK) - np.arange(_BLOCK)[:, np.newaxis]
    leaps = [np.linalg.matrix_power(powers[_BLOCK], k) for k in range(_BLOCKS + 1)]
    leap = np.zeros((_ORDER * (_BLOCKS + 1), _ORDER * _BLOCKS))
    for block in range(_BLOCKS):
        columns = slice(_ORDER * block, _ORDER * (block + 1))
        leap[:_ORDER, columns] = leaps[block + 1].T
        for source in range(block + 1):
            leap[_ORDER * (source + 1) : _ORDER * (source + 2), columns] = leaps[block - source].T
    return _Matrices(
        inside=np.where(lag >= 0, impulse[np.abs(lag)], 0),
        to_state=np.array([powers[_BLOCK - 1 - k] @ b for k in range(_BLOCK)]),
        leap=leap,
        from_state=np.array([c @ power for power in powers[:_BLOCK]]).T.copy(),
    )


class KWeighting:
    """The K filter on whole frames, without a loop over samples.

    A recursive filter is linear, so a frame is cut into blocks of 32 samples: the response inside a block is
    one matrix, the way of the state from block to block another. Exact to rounding in float64.
    """

    def __init__(self) -> None:
        self._by = _matrices()
        self._states = np.zeros((_BLOCKS + 1, _ORDER))  # before each block, and after the last

    def advance(self, frame: Frame) -> _Matrix:
        """The filtered frame, shape (30, 32) in the order of time. `frame` has shape (960,), finite."""
        blocks = frame.astype(np.float64).reshape(_BLOCKS, _BLOCK)
        states = self._states
        states[0] = states[_BLOCKS]
        np.matmul(blocks, self._by.to_state, out=states[1:])
        states[1:] = (states.reshape(-1) @ self._by.leap).reshape(_BLOCKS, _ORDER)
        filtered: _Matrix = blocks @ self._by.inside
        filtered += states[:_BLOCKS] @ self._by.from_state
        return filtered

    def energy(self, frame: Frame) -> float:
        """Mean square of the filtered frame."""
        filtered = self.advance(frame).reshape(-1)
        return float(filtered @ filtered) / FRAME_SAMPLES


def lufs(mean_square: float) -> float:
    """Loudness of K-weighted mean square; minus infinity for silence (BS.1770-5 eq. 2)."""
    return _OFFSET_LU + 10 * math.log10(mean_square) if mean_square > 0 else -math.inf


def mean_square(loudness_lufs: float) -> float:
    """The K-weighted mean square of a loudness: the inverse of `lufs`."""
    return float(10 ** ((loudness_lufs - _OFFSET_LU) / 10))


class GatedLoudness:
    """The integrated loudness of any number of gating blocks in constant memory.

    Blocks are counted and their energies summed in classes of 0.1 LU, so that only the blocks of the one
    class that the relative gate cuts are in doubt: less than 0.01 LU in the result.
    """

    _CLASSES_PER_LU: Final = 10
    _CLASSES: Final = 900  # -70 to +20 LUFS; anything louder counts in the highest class

    def __init__(self) -> None:
        self._count = np.zeros(self._CLASSES, np.int64)
        self._energy = np.zeros(self._CLASSES)

    def add(self, mean_square: float) -> None:
        loudness = lufs(mean_square)
        if loudness > ABSOLUTE_GATE_LUFS:
            index = int((loudness - ABSOLUTE_GATE_LUFS) * self._CLASSES_PER_LU)
            self._count[min(index, self._CLASSES - 1)] += 1
            self._energy[min(index, self._CLASSES - 1)] += mean_square

    @property
    def integrated_lufs(self) -> float:
        """Loudness of what passes both gates; minus infinity if nothing does (BS.1770-5 eq. 4 to 7)."""
        if not self._count.any():
            return -np.inf
        ungated = lufs(float(self._energy.sum() / self._count.sum()))
        gate = (ungated + _RELATIVE_GATE_LU - ABSOLUTE_GATE_LUFS) * self._CLASSES_PER_LU
        first = min(max(0, int(np.ceil(gate))), int(np.flatnonzero(self._count)[-1]))
        return lufs(float(self._energy[first:].sum() / self._count[first:].sum()))


class LoudnessMeter:
    """Momentary, short-term and integrated loudness and true peak of a stream of frames.

    Everything is minus infinity until it has been heard: momentary loudness after 400 ms, short-term after
    3 s (EBU Tech 3341 §2.2), integrated after the first gating block above -70 LUFS.
    """

    def __init__(self) -> None:
        self._filter = KWeighting()
        self._energies = np.zeros(SHORT_TERM_FRAMES)  # a ring of the newest frames' mean squares
        self._frames = 0
        self._gated = GatedLoudness()
        self._envelope = PeakEnvelope()
        self._peak = 0.0

    def add(self, frame: Frame) -> None:
        """Hear one frame of shape (960,). NaN and infinities count as silence."""
        samples = finite(frame)
        self._energies[self._frames % SHORT_TERM_FRAMES] = self._filter.energy(samples)
        self._frames += 1
        if self._envelope.may_exceed(samples, self._peak):
            self._peak = max(self._peak, float(self._envelope.advance(samples).max()))
        else:
            self._envelope.skip(samples)
        if self._frames >= MOMENTARY_FRAMES and self._frames % _STEP_FRAMES == 0:
            self._gated.add(self._newest(MOMENTARY_FRAMES))

    def _newest(self, frames: int) -> float:
        if self._frames < frames:
            return 0.0
        newest = np.arange(self._frames - frames, self._frames) % SHORT_TERM_FRAMES
        return float(self._energies[newest].mean())

    @property
    def momentary_lufs(self) -> float:
        return lufs(self._newest(MOMENTARY_FRAMES))

    @property
    def short_term_lufs(self) -> float:
        return lufs(self._newest(SHORT_TERM_FRAMES))

    @property
    def integrated_lufs(self) -> float:
        return self._gated.integrated_lufs

    @property
    def true_peak_dbtp(self) -> float:
        """The highest true peak so far, but for the newest 12 samples, which still lack their future."""
        return to_db(self._peak)


def integrated_lufs(samples: Samples) -> float:
    """Integrated loudness of shape-(n,) `samples`. A last frame of less than 20 ms is left out."""
    k_filter, gated = KWeighting(), GatedLoudness()
    energies = np.array([k_filter.energy(frame) for frame in _frames(samples)])
    for end in range(MOMENTARY_FRAMES, len(energies) + 1, _STEP_FRAMES):
        gated.add(float(energies[end - MOMENTARY_FRAMES : end].mean()))
    return gated.integrated_lufs


def _frames(samples: Samples) -> Samples:
    whole = len(samples) // FRAME_SAMPLES * FRAME_SAMPLES
    return finite(samples[:whole]).reshape(-1, FRAME_SAMPLES)
