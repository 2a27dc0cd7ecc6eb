"""The jitter buffer of one speaker: packets in, whenever they come; 20 ms frames out, on the mixer's clock. Pure.

aiortc is used as transport only, because its own buffer breaks at 1 % loss (PESQ 2.8). Measured for ours, with
bursts of loss, in docs/performance.md. Times are seconds, sound is counted in samples of 1/48,000 s.
"""

from collections import deque
from dataclasses import asdict, dataclass
from typing import Final, Protocol

import numpy as np

from rostra.audio.frame import Frame, Samples
from rostra.core.errors import BadInputError
from rostra.core.units import FRAME_SAMPLES, SAMPLE_RATE_HZ

_TIMESTAMPS: Final = 1 << 32  # RTP timestamps wrap (RFC 3550 §5.1)
TARGET_MIN: Final = FRAME_SAMPLES  # one frame: what a machine's own scheduling takes
# Held beside the spread: a frame; after a loss three. Of two packets lost in a row the next one repeats the
# second, which corrects the first: that comes 40 ms late.
_MARGIN: Final = FRAME_SAMPLES
_MARGIN_LOSSY: Final = 3 * FRAME_SAMPLES
_LOSSY_FRAMES: Final = 1_500  # 30 s: a network that loses will lose again
TARGET_MAX: Final = 20 * FRAME_SAMPLES  # 400 ms: beyond it people talk over each other
PACKETS_MAX: Final = 250  # 5 s of 20 ms; a sender that bursts more loses the oldest
_WINDOW: Final = 150  # packets, 3 s: how far back the jitter is looked at
_ENOUGH: Final = 25  # packets until a spread means anything
_ADAPT_EACH: Final = 10  # frames
_QUANTILE: Final = 0.97
_GROW, _SHRINK = 0.5, 0.01  # of the difference: grow before it is heard twice, shrink unnoticed
_QUIET: Final = 0.02  # -34 dBFS: nobody misses a frame of that
_DROP_OVER: Final = 3 * FRAME_SAMPLES // 2  # deeper than the target by this: a quiet frame goes
_SQUEEZE_OVER: Final = 4 * FRAME_SAMPLES  # and by this: a pitch period goes, in mid-word
_JUMP_OVER: Final = 12 * FRAME_SAMPLES  # and by this, the sender has paused and sent all at once
_CONCEALED_MAX: Final = 5  # frames: what libopus invents beyond 100 ms is a buzz
_HOLE_MAX: Final = 10  # frames of loss in a row after which the next packet is taken as it is
_GONE_AFTER: Final = 50  # frames without anything: the next packet starts anew
# Pitch periods of human voices: 80 to 400 Hz.
_PERIOD_MIN, _PERIOD_MAX = SAMPLE_RATE_HZ // 400, SAMPLE_RATE_HZ // 80


class Decoder(Protocol):
    """What a jitter buffer asks of a codec (audio.opus, or G.711 for telephones)."""

    def decode(self, packet: bytes | None, *, fec: bool = False, missing: int = FRAME_SAMPLES) -> Samples: ...


@dataclass(slots=True)
class Provenance:
    """What became of one speaker's sound on this hop: so that "he sounded slurred" has an answer.

    Packets: `received`, of them `late` and `malformed`; `restored` from redundancy. Frames of 20 ms: `corrected` by
    FEC, `concealed` by invention, `starved` without any packet to go on with. Samples: `dropped` in quiet,
    `squeezed` out of speech, `skipped` after a pause.
    """

    received: int = 0
    late: int = 0
    malformed: int = 0
    restored: int = 0
    corrected: int = 0
    concealed: int = 0
    starved: int = 0
    dropped: int = 0
    squeezed: int = 0
    skipped: int = 0

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


class JitterBuffer:
    """Packets by RTP timestamp. `target` is how much sound is held back, and follows the network.

    `clock_hz` is the rate of the timestamps: 48,000 for Opus (RFC 7587 §4.1), 8,000 for G.711 (RFC 3551 §6).
    """

    def __init__(self, decoder: Decoder, *, clock_hz: int = SAMPLE_RATE_HZ) -> None:
        assert SAMPLE_RATE_HZ % clock_hz == 0, clock_hz
        self._tick = SAMPLE_RATE_HZ // clock_hz  # samples
        self.provenance = Provenance()
        self.target: float = 2 * FRAME_SAMPLES
        self.spread = 0.0  # of the transit times of the last 3 s, in samples
        self.duration = FRAME_SAMPLES  # of the sender's packets
        self._decoder = decoder
        self._packets: dict[int, tuple[bytes, bool]] = {}
        self._newest: int | None = None  # the newest timestamp, in samples
        self._transits: deque[float] = deque(maxlen=_WINDOW)
        self._next: int | None = None  # the timestamp that is decoded next; None until playing
        self._sound: Samples = np.zeros(0, np.float32)
        self._pulls = 0
        self._starved = 0  # frames in a row
        self._hole = 0
        self._lossy_until = 0  # pulls

    @property
    def playing(self) -> bool:
        return self._next is not None

    @property
    def depth(self) -> int:
        """Samples that are ready, decoded or not."""
        ahead = 0
        if self._next is not None and self._packets and self._newest is not None:
            ahead = max(0, max(self._packets) + self.duration - self._next)
        return len(self._sound) + ahead

    # --- packets come ---------------------------------------------------------------------------------

    def add(self, timestamp: int, payload: bytes, *, arrived_s: float, redundant: bool = False) -> None:
        """A packet of the network; `redundant` if it is the repetition of an earlier one."""
        at = self._unwrap(timestamp)
        if not redundant:
            self.provenance.received += 1
            self._transits.append(arrived_s * SAMPLE_RATE_HZ - at)
        if self._next is not None and at < self._next:
            self.provenance.late += not redundant
            return
        if at in self._packets:
            return
        self._packets[at] = payload, redundant
        if len(self._packets) > PACKETS_MAX:
            del self._packets[min(self._packets)]

    def _unwrap(self, timestamp: int) -> int:
        """The timestamp in samples, counted on beyond the wrap."""
        if self._newest is None:
            self._newest = timestamp * self._tick
            return self._newest
        ahead = (timestamp - self._newest // self._tick) % _TIMESTAMPS
        if ahead >= _TIMESTAMPS // 2:
            ahead -= _TIMESTAMPS
        at = self._newest + ahead * self._tick
        self._newest = max(self._newest, at)
        return at

    # --- frames go ------------------------------------------------------------------------------------

    def pull(self) -> Frame | None:
        """The next 20 ms; None while there is no speaker."""
        self._pulls += 1
        if self._next is None and not self._start():
            return None
        if self._pulls % _ADAPT_EACH == 0:
            self._adapt()
        self._keep_depth()
        while len(self._sound) < FRAME_SAMPLES:
            self._sound = np.concatenate((self._sound, self._decode_next()))
            if self._next is None:
                return None
        frame, self._sound = self._sound[:FRAME_SAMPLES], self._sound[FRAME_SAMPLES:]
        return frame

    def _start(self) -> bool:
        if not self._packets:
            return False
        first = min(self._packets)
        if max(self._packets) + self.duration - first < self.target:
            return False
        self._next = first
        self._starved = self._hole = 0
        return True

    def _adapt(self) -> None:
        """The target follows the spread of transit times: late packets count, the few latest do not."""
        if len(self._transits) < _ENOUGH:
            return
        ordered = sorted(self._transits)
        self.spread = ordered[int(len(ordered) * _QUANTILE)] - ordered[0]
        margin = _MARGIN_LOSSY if self._pulls < self._lossy_until else _MARGIN
        wanted = min(TARGET_MAX, max(TARGET_MIN, self.spread + margin))
        self.target += (wanted - self.target) * (_GROW if wanted > self.target else _SHRINK)

    def _keep_depth(self) -> None:
        """Sound that waits longer than it must: sender's clock runs fast, or the network has calmed down."""
        excess = self.depth - self.target
        if excess > _JUMP_OVER and self._packets and self._next is not None:
            until = self._next + int(excess) // FRAME_SAMPLES * FRAME_SAMPLES
            skipped = [at for at in self._packets if at < until]
            for at in skipped:
                del self._packets[at]
            self.provenance.skipped += until - self._next
            self._next = until
        elif excess > _DROP_OVER:
            while len(self._sound) < 2 * FRAME_SAMPLES and self._packets and self._next is not None:
                self._sound = np.concatenate((self._sound, self._decode_next()))
            if float(np.abs(self._sound[:FRAME_SAMPLES]).max(initial=0.0)) < _QUIET:
                self._sound = self._sound[FRAME_SAMPLES:]
                self.provenance.dropped += FRAME_SAMPLES
            elif excess > _SQUEEZE_OVER:
                before = len(self._sound)
                self._sound = squeeze(self._sound)
                self.provenance.squeezed += before - len(self._sound)

    def _decode_next(self) -> Samples:
        assert self._next is not None
        found = self._packets.pop(self._next, None)
        if found is not None:
            return self._decode_packet(*found)
        if not self._packets:
            return self._starve()
        return self._bridge(min(self._packets))

    def _decode_packet(self, payload: bytes, redundant: bool) -> Samples:  # noqa: FBT001
        assert self._next is not None
        try:
            sound = self._decoder.decode(payload)
        except BadInputError:
            self.provenance.malformed += 1
            sound = self._decoder.decode(None, missing=self.duration)
        if redundant:
            self.provenance.restored += 1
            self._lossy_until = self._pulls + _LOSSY_FRAMES
        self._starved = self._hole = 0
        self.duration = len(sound)
        self._next += len(sound)
        return sound

    def _bridge(self, following: int) -> Samples:
        """The packet for `_next` is lost and `following` is there: correct or conceal up to it."""
        assert self._next is not None
        gap = following - self._next
        self._hole += 1
        self._lossy_until = self._pulls + _LOSSY_FRAMES
        if self._hole > _HOLE_MAX or gap < 120:
            self._next = following  # muted, or another grid: what follows is taken as it is
            return np.zeros(0, np.float32)
        missing = min(gap, self.duration) // 120 * 120
        if missing == gap:
            sound = self._corrected(self._packets[following][0], missing)
        else:
            sound = self._decoder.decode(None, missing=missing)
            self.provenance.concealed += 1
        self._next += missing
        return sound

    def _corrected(self, payload: bytes, missing: int) -> Samples:
        try:
            sound = self._decoder.decode(payload, fec=True, missing=missing)
        except BadInputError:
            self.provenance.concealed += 1
            return self._decoder.decode(None, missing=missing)
        self.provenance.corrected += 1
        return sound

    def _starve(self) -> Samples:
        """Nothing to go on with: conceal and wait, so that what comes late is heard late."""
        self._starved += 1
        self.provenance.starved += 1
        if self._starved > _GONE_AFTER:
            self._next = None
            self._transits.clear()
            return np.zeros(0, np.float32)
        if self._starved > _CONCEALED_MAX:
            return np.zeros(FRAME_SAMPLES, np.float32)
        sound = self._decoder.decode(None)
        if self._starved == _CONCEALED_MAX:
            sound = sound * np.linspace(1.0, 0.0, len(sound), dtype=np.float32)
        return sound


def squeeze(sound: Samples) -> Samples:
    """`sound` with one pitch period less, joined where two periods are most alike; as it is if none are.

    Waveform-similarity overlap-add (Verhelst and Roelands, ICASSP 1993) on the first 20 ms.
    """
    if len(sound) < FRAME_SAMPLES + _PERIOD_MAX:
        return sound
    overlap = FRAME_SAMPLES - _PERIOD_MAX
    head = sound[:overlap]
    windows = np.lib.stride_tricks.sliding_window_view(sound[: overlap + _PERIOD_MAX], overlap)
    energy = np.sqrt((windows**2).sum(axis=1) * float((head**2).sum()) + 1e-12)
    likeness = (windows @ head) / energy
    period = _PERIOD_MIN + int(np.argmax(likeness[_PERIOD_MIN:]))
    fade = np.linspace(0.0, 1.0, overlap, dtype=np.float32)
    joined = head * (1 - fade) + sound[period : period + overlap] * fade
    squeezed: Samples = np.concatenate((joined, sound[period + overlap :]))
    return squeezed
