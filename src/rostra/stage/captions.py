"""Captions that wait for the stage's next chunk, from the one captioner that is listened to. Pure."""

from typing import Final

from rostra.core.limits import CAPTIONER_LOST_S, CAPTIONS_PENDING_MAX, CAPTIONS_PER_MESSAGE_MAX
from rostra.core.messages import Caption, Captions, Chunk

_PER_CHUNK_MAX: Final = CAPTIONS_PER_MESSAGE_MAX


class CaptionDesk:
    """`offer` what captioners say, `take` what goes into a chunk; `hear` the chunks of a stage that has the air.

    An utterance has one caption here, its newest. CAPTIONS_PENDING_MAX wait at most; then the oldest goes.
    Time is any clock's seconds.
    """

    def __init__(self) -> None:
        self._captioner = ""
        self._heard_s = float("-inf")
        self._pending: dict[str, Caption] = {}

    def captioner(self, *, now_s: float) -> str:
        """Who is listened to; empty if nobody has been heard for CAPTIONER_LOST_S."""
        return self._captioner if now_s - self._heard_s <= CAPTIONER_LOST_S else ""

    def offer(self, captions: Captions, *, now_s: float) -> None:
        if self.captioner(now_s=now_s) not in {"", captions.captioner}:
            return
        self._captioner, self._heard_s = captions.captioner, now_s
        for caption in captions.captions:
            self._pending.pop(caption.id, None)
            self._pending[caption.id] = caption
            if len(self._pending) > CAPTIONS_PENDING_MAX:
                del self._pending[next(iter(self._pending))]

    def take(self) -> list[Caption]:
        taken = list(self._pending.values())[:_PER_CHUNK_MAX]
        for caption in taken:
            del self._pending[caption.id]
        return taken

    def hear(self, chunk: Chunk, *, now_s: float) -> None:
        """What another stage has told is told; to whom it listens, this one would too."""
        for caption in chunk.captions:
            if self._pending.get(caption.id) == caption:
                del self._pending[caption.id]
        if chunk.captioner and chunk.captioner != self._captioner:
            self._captioner, self._heard_s = chunk.captioner, now_s
