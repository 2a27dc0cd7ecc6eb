"""A model of the player's buffer: when a listener would have been short of sound. Pure."""

from typing import Final

from rostra.core.units import CHUNK_NS, PLAYER_MARGIN_S, SECOND_NS

_CHUNK_S: Final = CHUNK_NS / SECOND_NS
# Below its target it plays a little slower, which nobody hears and which the edge reckons with when it warns of a
# longer cadence (docs/protocol.md §3, `cadence`).
_GROWING_RATE: Final = 0.95


class Playout:
    """A player that starts with the first chunk, holds `cadence_s` + PLAYER_MARGIN_S, and drops what is more.

    Times are monotonic seconds. A pause lasts from the moment the buffer is empty until the next chunk.
    """

    __slots__ = (
        "_buffered_s",
        "_pause_s",
        "_rate",
        "_recent_s",
        "_then_s",
        "cadence_s",
        "longest_pause_s",
        "paused_s",
    )

    def __init__(self) -> None:
        self._buffered_s = 0.0
        self._pause_s = 0.0
        self._rate = 1.0
        self._recent_s = 0.0
        self._then_s: float | None = None
        self.cadence_s = _CHUNK_S
        self.longest_pause_s = 0.0
        self.paused_s = 0.0

    def hear(self, chunks: int, *, now_s: float) -> None:
        """`chunks` new ones have come at `now_s`."""
        self.until(now_s)
        self._then_s = now_s
        self._recent_s = max(self._recent_s, self._pause_s)
        self._pause_s = 0.0
        target_s = self.cadence_s + PLAYER_MARGIN_S
        held_s = self._buffered_s + chunks * _CHUNK_S
        if held_s < target_s:
            self._buffered_s, self._rate = held_s, _GROWING_RATE
        else:
            self._buffered_s, self._rate = target_s, 1.0

    def recent_pause_s(self) -> float:
        """The longest pause since this was asked last, one that goes on included."""
        longest_s, self._recent_s = max(self._recent_s, self._pause_s), 0.0
        return longest_s

    def until(self, now_s: float) -> None:
        """Play until `now_s`, when nothing new has come."""
        if self._then_s is None:
            return
        wanted_s = (now_s - self._then_s) * self._rate
        self._then_s = now_s
        if wanted_s <= self._buffered_s:
            self._buffered_s -= wanted_s
            return
        short_s = (wanted_s - self._buffered_s) / self._rate
        self._buffered_s = 0.0
        self._pause_s += short_s
        self.paused_s += short_s
        self.longest_pause_s = max(self.longest_pause_s, self._pause_s)
