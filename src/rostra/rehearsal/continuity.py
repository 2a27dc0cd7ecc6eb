"""What one listener hears, judged while it comes: numbers, gaps, pauses. Pure; cheap enough for thousands.

`Continuity` cuts the listener stream (docs/protocol.md §3) itself instead of through core.framing.FrameReader:
it looks at headers only and keeps no payload but events, about 1 us per frame.
"""

import json
from typing import Final

from rostra.core.errors import BadInputError
from rostra.core.framing import EVENT, FRAME_BYTES_MAX, INIT, MEDIA
from rostra.core.units import CHUNK_NS, SECOND_NS

_CHUNK_S: Final = CHUNK_NS / SECOND_NS
# A player holds one cadence and this much more (docs/protocol.md §3, edge/pages/assets).
PLAYER_MARGIN_S: Final = 0.12
# It may play at 0.95 of full speed to grow its buffer, which nobody hears.
_SLOWDOWN: Final = 0.05


class Continuity:
    """One listener. Times are monotonic seconds given by the caller.

    `pauses_ms` models a player that holds cadence + PLAYER_MARGIN_S of sound: what it would have been short of.
    """

    __slots__ = (
        "_head",
        "_offset_s",
        "_slow_until_s",
        "_then_s",
        "_wanted",
        "bytes",
        "cadence_s",
        "disorder",
        "duplicates",
        "end_reason",
        "first_seq",
        "first_sound_s",
        "last_seq",
        "longest_pause_s",
        "missing",
        "moved",
        "paused_s",
        "state",
    )

    def __init__(self) -> None:
        self._head = b""  # an unfinished header, or an unfinished event
        self._wanted = 0  # bytes of the present MEDIA or INIT payload still to come
        self._offset_s: float | None = None
        self._then_s = 0.0
        self._slow_until_s = 0.0
        self.bytes = 0
        self.cadence_s = _CHUNK_S
        self.disorder = 0
        self.duplicates = 0
        self.end_reason: str | None = None
        self.first_seq: int | None = None
        self.first_sound_s: float | None = None
        self.last_seq: int | None = None
        self.longest_pause_s = 0.0
        self.missing = 0
        self.moved = 0
        self.paused_s = 0.0
        self.state = ""

    def reconnected(self) -> None:
        """A new response begins: what was unfinished of the old one is void."""
        self._head, self._wanted = b"", 0

    def feed(self, data: bytes, *, now_s: float) -> None:
        """Judge what has been received at `now_s`. BadInputError if it is no Rostra stream."""
        self.bytes += len(data)
        end_before = self.last_seq
        at, size = 0, len(data)
        while at < size:
            if self._wanted:
                taken = min(self._wanted, size - at)
                self._wanted -= taken
                at += taken
                continue
            if self._head:
                data, at = self._head + data[at:], 0
                size, self._head = len(data), b""
            if size - at < 4 or (size - at < 8 and data[at] != EVENT):
                self._head = data[at:]
                break
            kind, length = data[at], int.from_bytes(data[at + 1 : at + 4], "big")
            if kind == MEDIA:
                self._chunk(int.from_bytes(data[at + 4 : at + 8], "big"))
            elif kind == EVENT:
                if size - at < 4 + length:
                    self._head = data[at:]
                    break
                self._event(data[at + 4 : at + 4 + length], now_s)
            elif kind != INIT:
                raise BadInputError(f"This is no Rostra stream: frame kind {kind}.")
            if length > FRAME_BYTES_MAX:
                raise BadInputError(f"This is no Rostra stream: frame length {length}.")
            self._wanted = 4 + length
        if self.last_seq is not None and self.last_seq != end_before:
            self._play(end_before, now_s)

    def _chunk(self, seq: int) -> None:
        last = self.last_seq
        if last is None:
            self.first_seq = seq
        elif seq <= last:
            self.duplicates += seq == last
            self.disorder += seq < last
            return
        elif seq > last + 1:
            self.missing += seq - last - 1
        self.last_seq = seq

    def _event(self, payload: bytes, now_s: float) -> None:
        event = json.loads(payload)
        match event["type"]:
            case "hello":
                self.cadence_s = event["cadence_ms"] / 1000
                self.state = event["conversation"]["state"]
            case "state":
                self.state = event["value"]
            case "cadence":
                grow_s = max(0.0, event["cadence_ms"] / 1000 - self.cadence_s)
                self._slow_until_s = now_s + grow_s / _SLOWDOWN
                self.cadence_s = event["cadence_ms"] / 1000
            case "moved":
                self.moved += 1
            case "ended":
                self.end_reason = event["reason"]
            case _:  # what a page shows does not matter here
                pass

    def _play(self, end_before: int | None, now_s: float) -> None:
        """Move the model player on to `now_s`, when chunks up to `last_seq` have come."""
        assert self.last_seq is not None
        end_s = (self.last_seq + 1) * _CHUNK_S
        if self._offset_s is None or end_before is None:
            self.first_sound_s = now_s
            self._offset_s = end_s - self.cadence_s - PLAYER_MARGIN_S - now_s
        else:
            slow_s = min(now_s, self._slow_until_s) - self._then_s
            self._offset_s -= max(0.0, slow_s) * _SLOWDOWN
            short_s = now_s + self._offset_s - (end_before + 1) * _CHUNK_S
            if short_s > 0:
                self.paused_s += short_s
                self.longest_pause_s = max(self.longest_pause_s, short_s)
                self._offset_s -= short_s
        self._then_s = now_s
