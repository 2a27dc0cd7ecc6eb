"""One speaker's place on the stage: what has arrived and what is to be mixed next. Pure."""

from typing import Final

import numpy as np

from rostra.audio.frame import Frame, pcm16_to_frame
from rostra.core.limits import SEAT_FRAMES_MAX
from rostra.core.messages import FeedFrames
from rostra.core.units import FRAME_NS, FRAME_SAMPLES

# Below this level nobody misses a frame: where a seat has fallen behind it catches up here.
_QUIET: Final = 0.02
_PCM_FRAME_BYTES: Final = FRAME_SAMPLES * 2
# A seat that has given nothing for this long has left the air; the hold music takes over.
ABSENT_FRAMES: Final = 40
# Frames that got lost on the way are sent again: for so long a hole is waited for.
_HOLE_FRAMES: Final = 10
# A seat that runs this far behind what is due drops quiet frames until it has caught up.
_CATCH_UP_FRAMES: Final = 3


class Seat:
    """Frames of one seat in order of their number, each mixed once.

    Nothing is skipped when the source or the bus pauses: frames that come late are mixed late, and the
    delay is made good in the quiet moments. At most SEAT_FRAMES_MAX frames wait; then the oldest go, counted.
    """

    def __init__(self, *, next_seq: int | None = None) -> None:
        self._frames: dict[int, tuple[Frame, int]] = {}
        self._next_seq = next_seq
        self._delay_frames = 0
        self._last_seq: int | None = None
        self._started = next_seq is not None
        self._awaited_frames = 0
        self.absent_frames = 0  # in a row, on the air
        self.before: Frame | None = None  # what another stage mixed last
        self.since_ns: int | None = None  # when the first frame that came was due
        self.mixed_frames = 0
        self.lost_frames = 0
        self.dropped_frames = 0

    @property
    def next_seq(self) -> int:
        """The number of the frame that will be mixed next (a standby continues with it)."""
        return self._next_seq or 0

    @property
    def waiting_frames(self) -> int:
        return len(self._frames)

    def offer(self, message: FeedFrames) -> None:
        """Take what a feed sent; frames that were mixed already (sent again after a restart) are ignored."""
        self.since_ns = self.since_ns or message.due_ns
        self._delay_frames = min(message.delay_frames, SEAT_FRAMES_MAX // 2)
        if self.has_left and self._last_seq is not None and message.seq > self._last_seq:
            self._next_seq, self._last_seq = message.seq, None  # somebody sits down here again: nothing lacks
        for index in range(len(message.pcm) // _PCM_FRAME_BYTES):
            seq = message.seq + index
            if self._next_seq is None or seq >= self._next_seq:
                pcm = message.pcm[index * _PCM_FRAME_BYTES : (index + 1) * _PCM_FRAME_BYTES]
                self._frames[seq] = (pcm16_to_frame(pcm), message.due_ns + index * FRAME_NS)
        if message.last:
            self._last_seq = message.seq
        elif self._last_seq is not None and message.seq > self._last_seq:
            self._last_seq = None
        while len(self._frames) > SEAT_FRAMES_MAX:
            oldest = min(self._frames)
            del self._frames[oldest]
            self.dropped_frames += 1

    def is_present(self, wall_ns: int) -> bool:
        """Whether this seat has something to say at `wall_ns`, or said something just now."""
        if not self._frames:
            return self._started and self.absent_frames < ABSENT_FRAMES and not self.has_left
        if self._started:
            return True
        _, due_ns = self._frames[min(self._frames)]
        enough = len(self._frames) >= self._delay_frames or self._last_seq is not None
        return enough and due_ns <= wall_ns

    @property
    def has_left(self) -> bool:
        """The feed said goodbye, and everything it sent before has been mixed."""
        return self._last_seq is not None and not self._frames and self.next_seq >= self._last_seq

    def pull(self, wall_ns: int) -> Frame | None:
        """The frame for programme instant `wall_ns` on the air; None while there is none to be mixed."""
        if not self._frames or not (self._started or self.is_present(wall_ns)):
            self.absent_frames += 1
            self._started &= self.absent_frames < ABSENT_FRAMES  # whoever comes back begins as at first
            return None
        if 0 < self._hole() <= SEAT_FRAMES_MAX and self._awaited_frames < _HOLE_FRAMES:
            self._awaited_frames += 1
            self.absent_frames += 1
            return None
        self._awaited_frames = 0
        self._started = True
        self.absent_frames = 0
        frame, due_ns = self._take()
        late_frames = (wall_ns - due_ns) // FRAME_NS
        if late_frames > self._delay_frames + _CATCH_UP_FRAMES and float(np.abs(frame).max()) < _QUIET:
            self.dropped_frames += 1
            self.mixed_frames -= 1
            return self._take()[0] if self._frames else None
        return frame

    def rest(self, wall_ns: int) -> None:
        """Off the air: keep the newest frames in readiness, and whatever is meant for later."""
        self._started = False
        for seq in sorted(self._frames)[: max(0, len(self._frames) - max(1, self._delay_frames))]:
            if self._frames[seq][1] + FRAME_NS > wall_ns:
                break
            del self._frames[seq]
            self._next_seq = seq + 1

    def continue_from(self, next_seq: int) -> None:
        """Another stage has mixed everything before `next_seq`."""
        before = self._frames.get(next_seq - 1)
        if before is not None:
            self.before = before[0]
        self._next_seq = next_seq
        self._started = True
        self._frames = {seq: held for seq, held in self._frames.items() if seq >= next_seq}

    def _hole(self) -> int:
        """How many frames lack before the first that is here. More than a seat holds: another feed has begun."""
        return 0 if self._next_seq is None else min(self._frames) - self._next_seq

    def _take(self) -> tuple[Frame, int]:
        seq = min(self._frames)
        if (hole := self._hole()) <= SEAT_FRAMES_MAX:
            self.lost_frames += hole
        self._next_seq = seq + 1
        self.mixed_frames += 1
        return self._frames.pop(seq)
