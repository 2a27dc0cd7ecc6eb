"""Who has to be done by when: connections in the order in which they expire."""

from collections.abc import Iterator
from itertools import chain, takewhile
from typing import Final

from rostra.core.limits import (
    HALF_OPEN_SHARE_MAX,
    IDLE_DEADLINE_S,
    REQUEST_DEADLINE_S,
    RESPONSE_DEADLINE_S,
    UNREAD_SHARE_MAX,
)

HALF_OPEN_MIN: Final = 16  # for an edge of very few descriptors


class Deadlines:
    """Connections that have to be done `after_s` from when they were started: they expire in that order."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._expiry_s: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self._expiry_s)

    def __iter__(self) -> Iterator[int]:
        return iter(self._expiry_s)

    def __contains__(self, connection: int) -> bool:
        return connection in self._expiry_s

    @property
    def first(self) -> int:
        """Whoever expires next. There has to be one."""
        return next(iter(self._expiry_s))

    def start(self, connection: int, *, now_s: float) -> None:
        self._expiry_s.pop(connection, None)
        self._expiry_s[connection] = now_s + self._after_s

    def stop(self, connection: int) -> None:
        self._expiry_s.pop(connection, None)

    def older(self, age_s: float, *, now_s: float) -> int:
        """How many were started `age_s` ago, or longer."""
        latest_s = now_s - age_s + self._after_s
        return sum(1 for _ in takewhile(lambda expiry_s: expiry_s <= latest_s, self._expiry_s.values()))

    def expired(self, *, now_s: float) -> list[int]:
        """Those whose time is over; they are forgotten."""
        over: list[int] = []
        for connection, expiry_s in self._expiry_s.items():
            if expiry_s > now_s:
                break
            over.append(connection)
        for connection in over:
            del self._expiry_s[connection]
        return over


class Patience:
    """How long whoever does not listen is waited for: for a request, for room for an answer, or for nothing (idle).

    Bytes win no time: a slowloris sends one now and then, and a slow reader takes one. And of both kinds there are
    only so many: `await_request` and `await_room` return whom another one is too many for, who has been longest.
    """

    def __init__(self, descriptors_max: int) -> None:
        self.amid_request = Deadlines(REQUEST_DEADLINE_S)
        self.amid_response = Deadlines(RESPONSE_DEADLINE_S)
        self.idle = Deadlines(IDLE_DEADLINE_S)
        self._half_open_max = max(HALF_OPEN_MIN, int(descriptors_max * HALF_OPEN_SHARE_MAX))
        self._unread_max = max(HALF_OPEN_MIN, int(descriptors_max * UNREAD_SHARE_MAX))

    def __len__(self) -> int:
        return len(self.amid_request) + len(self.amid_response) + len(self.idle)

    def await_request(self, connection: int, now_s: float) -> int | None:
        self.idle.stop(connection)
        self.amid_response.stop(connection)
        return _bounded(self.amid_request, connection, now_s, self._half_open_max)

    def await_room(self, connection: int, now_s: float) -> int | None:
        self.amid_request.stop(connection)
        self.idle.stop(connection)
        return _bounded(self.amid_response, connection, now_s, self._unread_max)

    def rest(self, connection: int, now_s: float) -> None:
        """It has its answers, and may ask again."""
        self.amid_request.stop(connection)
        self.amid_response.stop(connection)
        self.idle.start(connection, now_s=now_s)

    def forget(self, connection: int) -> None:
        for each in (self.amid_request, self.amid_response, self.idle):
            each.stop(connection)

    def longest(self) -> Iterator[int]:
        """Whoever has kept a connection longest: those for nothing, then for an answer, then for a request."""
        return chain(self.idle, self.amid_response, self.amid_request)


def _bounded(waiting: Deadlines, connection: int, now_s: float, waiting_max: int) -> int | None:
    if connection not in waiting:
        waiting.start(connection, now_s=now_s)
        if len(waiting) > waiting_max:
            return waiting.first
    return None
