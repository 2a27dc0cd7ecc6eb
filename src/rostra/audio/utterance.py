"""Utterances: where in one voice somebody speaks, cut at pauses, for a recogniser. Pure."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from rostra.audio.frame import Frame, Samples, silence
from rostra.core.units import FRAME_SAMPLES, SAMPLE_RATE_HZ

_FRAMES_PER_S: Final = SAMPLE_RATE_HZ // FRAME_SAMPLES
_QUIETEST: Final = 1e-7  # -70 dBFS: the floor of a microphone that is shut off by a gate
_AUDIBLE: Final = 1e-5  # -50 dBFS: a levelled voice is 30 dB above
_OVER_FLOOR: Final = 8.0  # 9 dB over the noise: weak consonants are lost to it either way
_FLOOR_RISES: Final = 10 ** (0.3 / _FRAMES_PER_S)  # 3 dB a second: no breath is so long that speech becomes noise
_FLOOR_FALLS: Final = 0.2
_BEFORE_FRAMES: Final = 15  # 0.3 s are kept before the first voiced frame: an "h" or an "f" is not voiced
_ONSET_FRAMES: Final = 3  # of the newest five: a click is shorter
_VOICED_MIN_FRAMES: Final = 8  # 0.16 s: nobody says a word in less
_PAUSE_FRAMES: Final = 30  # 0.6 s end a sentence
_SHORT_PAUSE_FRAMES: Final = 15  # 0.3 s are enough where there is much to recognise already
_MUCH: Final = 0.5  # of the longest utterance
_TAIL_FRAMES: Final = 10  # 0.2 s of the pause are kept: the last sound rings out in them
_CUT_WITHIN: Final = 1 / 3  # of the longest utterance: there the quietest place is looked for if no pause comes


@dataclass(frozen=True, slots=True)
class Utterance:
    """`sound` from sample `start` on, at 48 kHz; `end` is the sample after its last."""

    start: int
    end: int
    sound: Samples


@dataclass(slots=True)
class _Taken:
    """Frames since `start`; of each its mean square, and whether it was over the noise."""

    start: int
    frames: list[Frame] = field(default_factory=list)
    powers: list[float] = field(default_factory=list)
    voiced: list[bool] = field(default_factory=list)

    @property
    def has_words(self) -> bool:
        return sum(self.voiced) >= _VOICED_MIN_FRAMES

    def add(self, frame: Frame, power: float, *, voiced: bool) -> None:
        self.frames.append(frame)
        self.powers.append(power)
        self.voiced.append(voiced)


class UtteranceCutter:
    """Cuts one voice into utterances of at most `longest_s`. `push` every frame, with the sample it begins at."""

    def __init__(self, *, longest_s: float) -> None:
        self._longest = round(longest_s * _FRAMES_PER_S)
        self._floor = _AUDIBLE
        self._before: deque[tuple[int, Frame, float, bool]] = deque(maxlen=_BEFORE_FRAMES)
        self._recent: deque[bool] = deque(maxlen=5)
        self._taken: _Taken | None = None
        self._quiet_frames = 0

    @property
    def open(self) -> Utterance | None:
        """What is being said, as far as it has come; None in a pause, and until there is a word of it."""
        taken = self._taken
        return _utterance(taken, len(taken.frames)) if taken is not None and taken.has_words else None

    def push(self, position: int, frame: Frame) -> Utterance | None:
        """The utterance that has ended with this frame."""
        power = float(np.dot(frame, frame)) / FRAME_SAMPLES
        voiced = self._is_voice(power)
        self._recent.append(voiced)
        if self._taken is None:
            self._before.append((position, frame, power, voiced))
            if sum(self._recent) >= _ONSET_FRAMES:
                self._begin()
            return None
        self._taken.add(frame, power, voiced=voiced)
        self._quiet_frames = 0 if voiced else self._quiet_frames + 1
        frames = len(self._taken.frames)
        enough = _SHORT_PAUSE_FRAMES if frames >= _MUCH * self._longest else _PAUSE_FRAMES
        if self._quiet_frames >= enough:
            return self.flush()
        return self._cut() if frames >= self._longest else None

    def flush(self) -> Utterance | None:
        """What is open ends here."""
        taken, quiet = self._taken, self._quiet_frames
        self._taken, self._quiet_frames = None, 0
        self._recent.clear()
        if taken is None or not taken.has_words:
            return None
        return _utterance(taken, len(taken.frames) - max(0, quiet - _TAIL_FRAMES))

    def _is_voice(self, power: float) -> bool:
        voiced = power > max(_AUDIBLE, _OVER_FLOOR * self._floor)
        if power < self._floor:
            self._floor += _FLOOR_FALLS * (power - self._floor)
        else:
            self._floor *= _FLOOR_RISES
        self._floor = max(self._floor, _QUIETEST)
        return voiced

    def _begin(self) -> None:
        self._taken = _Taken(self._before[0][0])
        for _, frame, power, voiced in self._before:
            self._taken.add(frame, power, voiced=voiced)
        self._before.clear()

    def _cut(self) -> Utterance:
        """End before the quietest place of the last third; what follows begins the next utterance."""
        taken = self._taken
        assert taken is not None
        since = round((1 - _CUT_WITHIN) * len(taken.frames))
        smooth = np.convolve(taken.powers[since:], np.ones(5), "same")
        at = since + int(np.argmin(smooth))
        done = _utterance(taken, at)
        self._taken = _Taken(done.end, taken.frames[at:], taken.powers[at:], taken.voiced[at:])
        self._quiet_frames = min(self._quiet_frames, len(self._taken.frames))
        return done


def _utterance(taken: _Taken, frames: int) -> Utterance:
    sound = np.concatenate(taken.frames[:frames]) if frames else silence()[:0]
    return Utterance(taken.start, taken.start + frames * FRAME_SAMPLES, sound)
