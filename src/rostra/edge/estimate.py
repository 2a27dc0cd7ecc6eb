"""How long somebody will wait, from how fast places have come free lately. Pure."""

import math
from typing import Final

from rostra.core.ticket import TicketClass
from rostra.edge.line import CLASSES

_MEMORY_S: Final = 60.0  # as long as a person's patience; shorter, and the estimate jumps with each who leaves
_EVENTS_MIN: Final = 3.0  # fewer departures say nothing of a rate: then "we cannot tell"
_FORGETS: Final = math.exp(-1 / _MEMORY_S)


class Progress:
    """Rates of the last minute in the whole fleet, from counts that come once a second.

    Places come free as fast as listeners leave: a share of them each second. So a crowd that has just come is
    understood by what the first of it did, not by the emptiness before.
    """

    def __init__(self) -> None:
        self._seconds = 0.0
        self._freed = 0.0
        self._listening = 0.0
        self._listeners = 0
        self._left = 0.0
        self._waiting = 0.0
        self._come = [0.0] * CLASSES

    def second(self, *, listeners: int, freed: int, left: int, waiting: int, come: list[int]) -> None:
        """Another second: `freed` of so many `listeners`, `left` of those `waiting`, and who has `come`."""
        self._seconds = self._seconds * _FORGETS + 1
        self._freed = self._freed * _FORGETS + freed
        self._listening = self._listening * _FORGETS + listeners
        self._listeners = listeners
        self._left = self._left * _FORGETS + left
        self._waiting = self._waiting * _FORGETS + waiting
        self._come = [before * _FORGETS + now for before, now in zip(self._come, come, strict=True)]

    @property
    def freed_hz(self) -> float:
        return max(0.0, self._freed / self._listening * self._listeners) if self._listening else 0.0

    def wait_s(
        self, ticket_class: TicketClass, needed: int, *, overtaken_s: float, overtaking: float = 1.0
    ) -> float | None:
        """How long until `needed` places have come free for this class and those before; None if nobody can tell.

        For `overtaken_s` the share `overtaking` of those of the class that come later come before. Those ahead who
        lose patience shorten the line: at the rate d of each, `n` people are gone after ln(1 + n d / f) / d.
        """
        if needed <= 0:
            return 0.0
        sooner_hz = sum(self._come[:ticket_class]) / self._seconds if self._seconds else 0.0
        free_hz = self.freed_hz - sooner_hz
        if self._freed < _EVENTS_MIN or free_hz <= 0:
            return None
        wait_s = self._passing_s(needed, free_hz)
        come_hz = overtaking * self._come[ticket_class] / self._seconds
        if overtaken_s <= 0:
            return wait_s
        return self._passing_s(needed + come_hz * min(overtaken_s, wait_s), free_hz)

    def _passing_s(self, people: float, free_hz: float) -> float:
        impatience_hz = self._left / self._waiting if self._waiting else 0.0
        if impatience_hz < 1e-6:
            return people / free_hz
        return math.log1p(people * impatience_hz / free_hz) / impatience_hz
