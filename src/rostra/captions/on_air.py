"""What of each seat was on the air, and at which sample: what was not on the air gets no caption. Pure."""

from collections.abc import Iterator
from typing import Final

from rostra.audio.frame import PCM16_FRAME_BYTES, Frame, pcm16_to_frame, silence
from rostra.core.limits import SEAT_FRAMES_MAX, SEATS_MAX
from rostra.core.messages import Chunk, FeedFrames
from rostra.core.units import CHUNK_FRAMES, CHUNK_SAMPLES, FRAME_SAMPLES

# A stage that makes up for a delay takes two quiet frames for one; more in one chunk is another feed of that seat.
_TAKEN_MAX: Final = 2 * CHUNK_FRAMES


class OnAir:
    """Matches seats' frames with what the chunks say was heard of them.

    A stage says with each chunk which frame of each seat it mixes next. So what lies between two chunks' numbers
    was mixed in the later one. What a seat sends before the conversation is live, or while it is held, is in none.
    """

    def __init__(self) -> None:
        self._sent: dict[str, dict[int, bytes]] = {}
        self._next: dict[str, int] = {}

    def offer(self, frames: FeedFrames) -> None:
        """Keep what a seat has sent: SEAT_FRAMES_MAX frames of each, as a stage does; the oldest go."""
        if frames.seat not in self._sent and len(self._sent) >= SEATS_MAX:
            # A seat that is on the air is never given up for one that is not.
            gone = next((seat for seat in self._sent if seat not in self._next), None)
            if gone is None:
                return
            del self._sent[gone]
        sent = self._sent.setdefault(frames.seat, {})
        for index in range(len(frames.pcm) // PCM16_FRAME_BYTES):
            sent[frames.seq + index] = frames.pcm[index * PCM16_FRAME_BYTES : (index + 1) * PCM16_FRAME_BYTES]
        while len(sent) > SEAT_FRAMES_MAX:
            del sent[min(sent)]

    def hear(self, chunk: Chunk) -> Iterator[tuple[str, list[tuple[int, Frame]]]]:
        """Each seat's frames in `chunk`, with the sample at which each begins; silence where there were none."""
        before, self._next = self._next, dict(chunk.heard)
        begins = chunk.seq * CHUNK_SAMPLES
        for seat, following in chunk.heard.items():
            first = before.get(seat, 0)
            if not 0 <= following - first <= _TAKEN_MAX:
                first = following - CHUNK_FRAMES  # it has just come, or anew
            sent = self._sent.get(seat, {})
            frames = [pcm16_to_frame(sent[number]) for number in range(first, following) if number in sent]
            frames += [silence()] * (CHUNK_FRAMES - len(frames))
            yield (
                seat,
                [
                    (begins + min(index, CHUNK_FRAMES - 1) * FRAME_SAMPLES, frame)
                    for index, frame in enumerate(frames)
                ],
            )
            for number in [number for number in sent if number < following]:
                del sent[number]
