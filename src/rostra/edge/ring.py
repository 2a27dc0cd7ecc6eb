"""The newest chunks of one conversation, fenced by epoch, as the bytes that listeners get."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from rostra.core.framing import EVENT, frame, media_frame
from rostra.core.limits import RING_CHUNKS_MAX
from rostra.core.messages import Chunk

# A burst is this much longer than the cadence: the jitter of a mobile network, and time to decode.
START_CHUNKS: Final = 5

_json = msgspec.json.Encoder()


def event_frame(kind: str, **fields: Any) -> bytes:
    """An EVENT frame of the listener stream (docs/protocol.md §3)."""
    return frame(EVENT, _json.encode({"type": kind, **fields}))


class Verdict(enum.Enum):
    """What became of a chunk that the bus delivered."""

    ACCEPTED = enum.auto()
    AFTER_GAP = enum.auto()  # accepted, but chunks before it are missing: the bus did not keep its promise
    SEEN = enum.auto()
    FENCED = enum.auto()  # from a stage that has lost its lease


@dataclass(frozen=True, slots=True)
class Entry:
    """One chunk at the edge: `lead` is the event frames that framed listeners get in front of it."""

    seq: int
    wall_ns: int
    lead: bytes
    media: Mapping[str, bytes]


class Ring:
    """At most RING_CHUNKS_MAX chunks; when it is full the oldest goes, and whoever needed it is moved on."""

    def __init__(self) -> None:
        self._entries: dict[int, Entry] = {}
        self._epoch = 0
        self.newest: int | None = None
        self.floor = 0  # the first chunk since the last gap

    @property
    def oldest(self) -> int | None:
        return next(iter(self._entries), None)

    @property
    def epoch(self) -> int:
        return self._epoch

    def judge(self, chunk: Chunk) -> Verdict:
        """Whether `chunk` may be appended; raises the fence, so that an older stage is not heard again."""
        if chunk.epoch < self._epoch:
            return Verdict.FENCED
        self._epoch = chunk.epoch
        if self.newest is None or chunk.seq == self.newest + 1:
            return Verdict.ACCEPTED
        return Verdict.SEEN if chunk.seq <= self.newest else Verdict.AFTER_GAP

    def append(self, chunk: Chunk, *, lead: bytes) -> None:
        """Keep a chunk that `judge` let pass."""
        assert self.newest is None or chunk.seq > self.newest
        if self.newest is None or chunk.seq > self.newest + 1:
            self.floor = chunk.seq
        self._entries[chunk.seq] = Entry(chunk.seq, chunk.wall_ns, lead, chunk.media)
        self.newest = chunk.seq
        if len(self._entries) > RING_CHUNKS_MAX:
            del self._entries[next(iter(self._entries))]

    def entries(self, first: int, last: int) -> list[Entry]:
        """The chunks of `[first, last]` that are here, in order."""
        get = self._entries.get
        return [entry for seq in range(first, last + 1) if (entry := get(seq)) is not None]


# Catch-up pieces end at multiples of this, so that laggards share them: 16 kB, a quarter of a send buffer.
PIECE_CHUNKS: Final = 16
_PIECES_KEPT_MAX: Final = 64  # 64 x 16 kB = 1 MB per rendition at the very worst, forgotten at the next chunk


class Feed:
    """One rendition of a ring on one surface (framed or plain), as bytes to write."""

    def __init__(self, ring: Ring, rendition: str, *, framed: bool) -> None:
        self.ring = ring
        self.rendition = rendition
        self.framed = framed
        self._pieces: dict[tuple[int, int], bytes] = {}
        self._pieces_at: int | None = None

    def span(self, first: int, last: int) -> bytes:
        """The bytes of chunks `[first, last]`, as far as the ring has them."""
        name = self.rendition
        entries = [entry for entry in self.ring.entries(first, last) if name in entry.media]
        if not self.framed:
            return b"".join([entry.media[name] for entry in entries])
        parts: list[bytes] = []
        for entry in entries:
            if entry.lead:
                parts.append(entry.lead)
            parts.append(media_frame(entry.seq, entry.media[name]))
        return b"".join(parts)

    def piece(self, first: int) -> tuple[bytes, int]:
        """The next bytes for a laggard who needs chunk `first`, and the last chunk in them."""
        newest = self.ring.newest
        assert newest is not None
        last = min(newest, first | (PIECE_CHUNKS - 1))
        if self._pieces_at != newest or len(self._pieces) >= _PIECES_KEPT_MAX:
            self._pieces.clear()
            self._pieces_at = newest
        piece = self._pieces.get((first, last))
        if piece is None:
            piece = self._pieces[first, last] = self.span(first, last)
        return piece, last

    def first_of_burst(self, last: int, *, chunks: int, size_bytes: int) -> int:
        """Where a burst up to `last` begins: at least `chunks` and `size_bytes`, or all that the ring has."""
        oldest = self.ring.oldest
        assert oldest is not None
        first, held_bytes = last + 1, 0
        for entry in reversed(self.ring.entries(oldest, last)):
            if last + 1 - first >= chunks and held_bytes >= size_bytes:
                break
            first = entry.seq
            held_bytes += len(entry.media.get(self.rendition, b""))
        return first
