"""What changes the level: the limiter of the programme and the leveller of one voice.

Gains are factors or decibels as their names say.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from rostra.audio.frame import Frame, Samples, finite
from rostra.audio.loudness import MOMENTARY_FRAMES, TARGET_LUFS, KWeighting, lufs
from rostra.audio.true_peak import LOOKAHEAD_SAMPLES, PeakEnvelope
from rostra.core.units import FRAME_SAMPLES, SAMPLE_RATE_HZ

_RAMP: Final = np.arange(1, FRAME_SAMPLES + 1, dtype=np.float32) / np.float32(FRAME_SAMPLES)

# --- limiter ---------------------------------------------------------------------------------------

CEILING_DBTP: Final = -1.0  # EBU R 128 §4 g
LIMITER_LATENCY_SAMPLES: Final = 240  # 5 ms
_MARGIN_DB: Final = 0.45  # a changing gain bends the curve between the samples, and finer meters than 4x see more
_GUARD: Final = 12  # samples on both sides of a peak that share its gain, because they carry it
_ATTACK: Final = LIMITER_LATENCY_SAMPLES - LOOKAHEAD_SAMPLES - _GUARD
_HALF_ATTACK: Final = _ATTACK // 2
_WINDOW: Final = _ATTACK + 2 * _GUARD  # of the sliding maximum
_RELEASE_S: Final = 0.15  # to 1/e in decibels: fast after a bang, slow over the last decibel
_AT_REST_DB: Final = 0.001
_INPUT_MAX: Final = 1_000.0  # +60 dBFS: more is not sound, and its squares would not fit


class Limiter:
    """Look-ahead true-peak limiter: whatever comes in, at most `ceiling_dbtp` goes out, 240 samples later.

    The gain reduction needed by each peak is held over its neighbourhood, released exponentially and
    smoothed by two moving averages that end exactly at the peak, so the gain has no corner and is never
    too late. NaN and infinities are silence. Below the ceiling samples pass unchanged.
    """

    def __init__(self, *, ceiling_dbtp: float = CEILING_DBTP) -> None:
        self._ceiling = float(10 ** ((ceiling_dbtp - _MARGIN_DB) / 20))
        self._envelope = PeakEnvelope()
        self._waiting = np.zeros(LIMITER_LATENCY_SAMPLES, np.float32)
        self._needed = np.zeros(_WINDOW)  # reduction in dB of the newest samples, LOOKAHEAD_SAMPLES late
        self._held = np.zeros(_ATTACK)  # the same after maximum and release
        self._decay = np.exp(np.arange(1, FRAME_SAMPLES + 1) / (_RELEASE_S * SAMPLE_RATE_HZ))
        self.reduction_db = 0.0  # the greatest of the last frame, 0 or more

    def process(self, frame: Frame) -> Frame:
        """The next 960 samples of the limited stream."""
        samples = np.clip(finite(frame), -_INPUT_MAX, _INPUT_MAX)
        stream = np.concatenate((self._waiting, samples), dtype=np.float32)
        self._waiting = stream[FRAME_SAMPLES:]
        delayed = stream[:FRAME_SAMPLES]
        if self._at_rest() and not self._envelope.may_exceed(samples, self._ceiling):
            self._envelope.skip(samples)
            self.reduction_db = 0.0
            return delayed
        reduction_db = self._smoothed(self._released(self._peaks_db(samples)))
        self.reduction_db = float(reduction_db.max())
        if self.reduction_db < _AT_REST_DB:
            return delayed
        limited: Frame = (delayed * 10 ** (reduction_db / -20)).astype(np.float32)
        return limited

    def _at_rest(self) -> bool:
        return not self._held.any() and not self._needed.any()

    def _peaks_db(self, samples: Samples) -> NDArray[np.float64]:
        """What each sample's neighbourhood needs: the maximum over the window that ends with it."""
        over = np.maximum(self._envelope.advance(samples).astype(np.float64) / self._ceiling, 1)
        needed = np.concatenate((self._needed, 20 * np.log10(over)))
        self._needed = needed[FRAME_SAMPLES:]
        return _sliding_maximum(needed, _WINDOW + 1)

    def _released(self, peaks_db: NDArray[np.float64]) -> NDArray[np.float64]:
        """max(peak, last * d) sample after sample, in closed form: d^n max over k of peak[k] d^-k."""
        last = self._held[-1]
        grown = np.maximum.accumulate(np.concatenate(((last,), peaks_db * self._decay)))[1:]
        released: NDArray[np.float64] = grown / self._decay
        released[released < _AT_REST_DB] = 0
        return released

    def _smoothed(self, released_db: NDArray[np.float64]) -> NDArray[np.float64]:
        held = np.concatenate((self._held, released_db))
        self._held = held[FRAME_SAMPLES:]
        return _moving_average(_moving_average(held, _HALF_ATTACK + 1), _HALF_ATTACK + 1)


def _sliding_maximum(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Element n is the maximum of values[n : n + width]; by doubling, 8 passes for 241."""
    reach = 1
    while reach * 2 <= width:
        values = np.maximum(values[:-reach], values[reach:])
        reach *= 2
    rest = width - reach
    return np.maximum(values[:-rest], values[rest:]) if rest else values


def _moving_average(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """Element n is the mean of values[n : n + width]."""
    sums = np.concatenate(((0.0,), np.cumsum(values)))
    return np.asarray((sums[width:] - sums[:-width]) / width)


class PeakGain:
    """One gain per frame that keeps peaks below full scale, released over 0.2 s: a twelfth of the limiter's work.

    For what speakers hear of each other; a peak that comes within the frame of its gain may be clipped.
    """

    _CEILING: Final = 0.89
    _RELEASE: Final = 1.1  # per frame: 6 dB in 0.15 s

    def __init__(self) -> None:
        self._gain = 1.0

    def copy(self) -> "PeakGain":
        copied = PeakGain()
        copied._gain = self._gain
        return copied

    def process(self, frame: Frame) -> Frame:
        """The next 960 samples, without delay."""
        peak = float(np.abs(frame).max())
        before = self._gain
        self._gain = min(1.0, before * self._RELEASE, self._CEILING / max(peak, 1e-9))
        if before == self._gain == 1.0:
            return frame
        softer: Frame = frame * (np.float32(before) + _RAMP * np.float32(self._gain - before))
        return softer.clip(-1.0, 1.0, out=softer)


# --- leveller --------------------------------------------------------------------------------------

LEVELLER_GAIN_MAX_DB: Final = 20.0  # brings -36 LUFS up; beyond that the room is louder than the voice
LEVELLER_GAIN_MIN_DB: Final = -20.0
_RISE_DB_PER_S: Final = 3.0  # heard as somebody coming nearer, not as pumping
_FALL_DB_PER_S: Final = 8.0  # too loud hurts, too soft does not
_DEAD_BAND_DB: Final = 1.0  # differences below are not heard; a gain at rest leaves the voice as it is
_MEMORY_FRAMES_MAX: Final = 200  # 4 s of speech
_GATE_LUFS: Final = -55.0  # below is no microphone that anybody talks into
_ABOVE_FLOOR_LU: Final = 9.0  # speech stands out of the room's noise; steady noise does not
_FLOOR_RISE_LU_PER_FRAME: Final = 0.06  # 3 LU/s: the floor catches up with a fan, not with a sentence
_SMOOTHING_FRAMES: Final = 5  # 100 ms: the gate looks at syllables, not at periods
_MODULATION_MIN_LU: Final = 2.5  # speech varies by 5 to 10 LU from frame to frame, a fan by 0.5
_MODULATION_FRAMES: Final = 25  # 500 ms: some syllables
_SILENCE_LUFS: Final = -70.0
_SETTLED_DB: Final = 0.05


class Leveller:
    """Slow automatic gain of one voice towards `target_lufs`, without delay.

    The loudness of speech is an average of K-weighted power over the last 4 s *of speech*: what varies as
    syllables do, stands 9 LU out of the noise floor and is above -55 LUFS. In pauses the gain rests, so
    nothing is pumped up. A steady sound (a fan, a tone) is noise by that rule and is not levelled. The gain
    glides linearly in decibels over a frame; it starts to move when it is 1 dB wrong and stops once right.
    """

    def __init__(self, *, target_lufs: float = TARGET_LUFS) -> None:
        self._target_lufs = target_lufs
        self._filter = KWeighting()
        self._syllable = 0.0
        self._mean_lufs = _SILENCE_LUFS
        self._modulation_lu = 0.0
        self._floor_lufs = 0.0  # falls to the first thing heard: a fan that runs already is no speech
        self._speech = 0.0
        self._speech_frames = 0
        self._moving = False
        self.gain_db = 0.0

    def process(self, frame: Frame) -> Frame:
        """The frame, shape (960,), with its gain. NaN and infinities become silence."""
        samples = finite(frame)
        before_db = self.gain_db
        loud = float(np.vdot(samples, samples)) > _INPUT_MAX
        if self._hears_speech(self._filter.energy(np.clip(samples, -_INPUT_MAX, _INPUT_MAX) if loud else samples)):
            self._follow()
        if self.gain_db == before_db:
            return samples if self.gain_db == 0 else samples * np.float32(10 ** (self.gain_db / 20))
        gains_db = np.float32(before_db) + _RAMP * np.float32(self.gain_db - before_db)
        return samples * np.float32(10) ** (gains_db / np.float32(20))

    def _hears_speech(self, energy: float) -> bool:
        """Whether this frame of mean square `energy` is speech; if so, it enters the average."""
        self._syllable += (energy - self._syllable) / _SMOOTHING_FRAMES
        loudness = lufs(self._syllable)
        floor = min(loudness, self._floor_lufs + _FLOOR_RISE_LU_PER_FRAME)
        self._floor_lufs = max(floor, _GATE_LUFS - _ABOVE_FLOOR_LU)
        deviation_lu = max(lufs(energy), _SILENCE_LUFS) - self._mean_lufs
        self._mean_lufs += deviation_lu / _MODULATION_FRAMES
        self._modulation_lu += (abs(deviation_lu) - self._modulation_lu) / _MODULATION_FRAMES
        if loudness < self._floor_lufs + _ABOVE_FLOOR_LU or self._modulation_lu < _MODULATION_MIN_LU:
            return False
        self._speech_frames = min(self._speech_frames + 1, _MEMORY_FRAMES_MAX)
        self._speech += (energy - self._speech) / self._speech_frames
        return True

    def _follow(self) -> None:
        if self._speech_frames < MOMENTARY_FRAMES:  # one plosive says nothing about a voice
            return
        wanted_db = min(max(self._target_lufs - lufs(self._speech), LEVELLER_GAIN_MIN_DB), LEVELLER_GAIN_MAX_DB)
        error_db = wanted_db - self.gain_db
        self._moving = abs(error_db) > (_SETTLED_DB if self._moving else _DEAD_BAND_DB)
        if self._moving:
            frame_s = FRAME_SAMPLES / SAMPLE_RATE_HZ
            self.gain_db += min(max(error_db, -_FALL_DB_PER_S * frame_s), _RISE_DB_PER_S * frame_s)
