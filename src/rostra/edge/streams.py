"""Who listens on which descriptor: so that one ticket that is opened fifty times is noticed."""

from collections.abc import Callable
from typing import Final

FOLLOWED_S: Final = 10  # whoever takes the sound for so long listens to it (docs/protocol.md §7)


class Streams:
    """The streams of each listener.

    Nobody tells this when a stream ends: the write loop has no time for it. A descriptor that is not `alive` any
    more is forgotten when somebody looks, or when the kernel gives its number to the next one.
    """

    def __init__(self, alive: Callable[[int], bool]) -> None:
        self._alive = alive
        self._owner: dict[int, bytes] = {}
        self._several: dict[bytes, set[int]] = {}  # two or more: a set for each listener would cost 200 bytes
        self._one: dict[bytes, int] = {}
        self._begun: dict[int, int] = {}  # in which second, for the first FOLLOWED_S; the oldest first
        self._second = 0
        self.followed = 0
        self.left_early = 0

    def open(self, stream: int, listener: bytes) -> None:
        """Descriptor `stream` is `listener`'s from now on; empty: nobody's, who listens without a ticket."""
        self._forget(stream)
        if self._begun.pop(stream, None) is not None:  # somebody else had the number, and is gone
            self.left_early += 1
        self._begun[stream] = self._second
        if not listener:
            return
        self._owner[stream] = listener
        had = self._one.pop(listener, None)
        if had is None and listener not in self._several:
            self._one[listener] = stream
        else:
            self._several.setdefault(listener, set() if had is None else {had}).add(stream)

    def of(self, listener: bytes) -> list[int]:
        """The descriptors on which `listener` listens now."""
        one = self._one.get(listener)
        held = self._several.get(listener, ()) if one is None else (one,)
        for stream in [stream for stream in held if not self._alive(stream)]:
            self._forget(stream)
        one = self._one.get(listener)
        return sorted(self._several.get(listener, ())) if one is None else [one]

    def several(self) -> dict[bytes, int]:
        """Each listener who has more than one stream here, and how many."""
        found = {listener: len(self.of(listener)) for listener in list(self._several)}
        return {listener: count for listener, count in found.items() if count > 1}

    def second(self) -> None:
        """A second is over: judge those who began FOLLOWED_S ago."""
        self._second += 1
        while self._begun and (first := next(iter(self._begun.items())))[1] <= self._second - FOLLOWED_S:
            del self._begun[first[0]]
            if self._alive(first[0]):
                self.followed += 1
            else:
                self.left_early += 1

    def sweep(self) -> None:
        """Forget all who are gone."""
        for stream in [stream for stream in self._owner if not self._alive(stream)]:
            self._forget(stream)

    def _forget(self, stream: int) -> None:
        listener = self._owner.pop(stream, None)
        if listener is None:
            return
        if self._one.get(listener) == stream:
            del self._one[listener]
            return
        held = self._several[listener]
        held.discard(stream)
        if len(held) == 1:
            del self._several[listener]
            self._one[listener] = held.pop()
