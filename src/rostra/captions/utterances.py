"""One conversation as utterances of its seats: what is to be recognised, from what was on the air. Pure."""

from collections.abc import Iterator
from typing import Final

from rostra.audio.utterance import UtteranceCutter
from rostra.captions.backlog import Work
from rostra.captions.on_air import OnAir
from rostra.core.limits import UTTERANCE_MAX_S
from rostra.core.messages import Chunk, FeedFrames
from rostra.core.units import SAMPLE_RATE_HZ

# An utterance is recognised again after two words more, and after a quarter more: in all that takes three times as
# long as recognising it once, instead of the square of its length.
_PARTIAL_SAMPLES: Final = round(0.8 * SAMPLE_RATE_HZ)
_PARTIAL_SHARE: Final = 4


class Utterances:
    """`offer` what seats send, `hear` the chunks; time is any clock's seconds."""

    def __init__(self, conversation: str) -> None:
        self._conversation = conversation
        self._on_air = OnAir()
        self._cutters: dict[str, UtteranceCutter] = {}
        self._offered: dict[str, int] = {}  # up to which sample

    def offer(self, frames: FeedFrames) -> None:
        self._on_air.offer(frames)

    def hear(self, chunk: Chunk, *, now_s: float) -> Iterator[Work]:
        """What is to be recognised after `chunk`, and what will be if there is time."""
        for seat, frames in self._on_air.hear(chunk):
            cutter = self._cutters.setdefault(seat, UtteranceCutter(longest_s=UTTERANCE_MAX_S))
            for position, frame in frames:
                if (utterance := cutter.push(position, frame)) is not None:
                    yield Work(self._conversation, seat, utterance, final=True, at_s=now_s)
                    self._offered[seat] = utterance.end
            if (utterance := cutter.open) is not None:
                new, length = utterance.end - self._offered.get(seat, 0), utterance.end - utterance.start
                if new >= max(_PARTIAL_SAMPLES, length // _PARTIAL_SHARE):
                    yield Work(self._conversation, seat, utterance, final=False, at_s=now_s)
                    self._offered[seat] = utterance.end
        for seat in self._cutters.keys() - chunk.heard.keys():
            if (utterance := self._cutters.pop(seat).flush()) is not None:
                yield Work(self._conversation, seat, utterance, final=True, at_s=now_s)
            self._offered.pop(seat, None)

    def leave(self) -> None:
        """Another captioner has the conversation: what has begun is its business."""
        self._cutters.clear()
        self._offered.clear()
