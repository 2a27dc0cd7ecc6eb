"""Who has to be done by when: connections in the order in which they expire."""

from itertools import takewhile


class Deadlines:
    """Connections that have to be done `after_s` from when they were started: they expire in that order."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._expiry_s: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self._expiry_s)

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
