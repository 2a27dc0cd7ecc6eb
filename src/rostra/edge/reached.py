"""Whether listeners take what they are sent, as the kernel knows it: only that shows those who stall in silence."""

import socket
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from typing import Final, NamedTuple

from rostra.core.limits import LISTENERS_ASKED_PER_S_MAX

# linux/tcp.h: struct tcp_info begins with tcpi_state, tcpi_ca_state, tcpi_retransmits.
_RETRANSMITS_AT: Final = 2
# Retransmission timeouts in a row, without an answer: at 0.2 and 0.6 s at the earliest (RFC 6298, Linux's minimum).
_UNANSWERED_MIN: Final = 2


class Reached(NamedTuple):
    """Of so many listeners who were `asked` about, those who have answered no packet for a while."""

    asked: int
    unreached: int


class Rounds:
    """Looks at all listeners in turn, LISTENERS_ASKED_PER_S_MAX of them each time."""

    def __init__(self) -> None:
        self._next = 0

    def look(self, listeners: Iterable[int], *, count: int) -> Reached:
        """At some of the `count` descriptors `listeners`; those that are no TCP are passed over."""
        if self._next >= count:
            self._next = 0
        asked = unreached = 0
        for descriptor in islice(listeners, self._next, self._next + LISTENERS_ASKED_PER_S_MAX):
            with suppress(OSError):
                unreached += _unanswered(descriptor) >= _UNANSWERED_MIN
                asked += 1
        self._next += LISTENERS_ASKED_PER_S_MAX
        return Reached(asked, unreached)


def _unanswered(descriptor: int) -> int:
    borrowed = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=descriptor)
    try:
        return borrowed.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _RETRANSMITS_AT + 1)[_RETRANSMITS_AT]
    finally:
        borrowed.detach()
