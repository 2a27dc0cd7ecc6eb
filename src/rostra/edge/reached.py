"""Whether listeners take what they are sent, as the kernel knows it: only that shows those who stall in silence."""

import fcntl
import socket
import termios
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice
from typing import Final, NamedTuple

from rostra.core.limits import LISTENERS_ASKED_PER_S_MAX
from rostra.core.renditions import RENDITIONS
from rostra.edge.channel import CHUNK_MS
from rostra.edge.fanout import Place

# linux/tcp.h: struct tcp_info begins with tcpi_state, tcpi_ca_state, tcpi_retransmits.
_RETRANSMITS_AT: Final = 2
# Retransmission timeouts in a row, without an answer: at 0.2 and 0.6 s at the earliest (RFC 6298, Linux's minimum).
_UNANSWERED_MIN: Final = 2
_BEHIND_MS: Final = 1_500  # of sound beyond its cadence: a player that was in step has run dry, and comes again
_OVERHEAD: Final = 1.4  # of containers and frames, at the smallest rendition


class Reached(NamedTuple):
    """Of so many listeners who were `asked` about, those who have answered no packet for a while.

    And those whom the line leaves `behind`: what was written for them is not there yet.
    """

    asked: int
    unreached: int
    behind: int


class Rounds:
    """Looks at all listeners in turn, LISTENERS_ASKED_PER_S_MAX of them each time."""

    def __init__(self) -> None:
        self._next = 0

    def look(self, listeners: Iterable[int], place: Callable[[int], Place], *, count: int) -> Reached:
        """At some of the `count` descriptors `listeners`; those that are no TCP are passed over."""
        if self._next >= count:
            self._next = 0
        asked = unreached = behind = 0
        for descriptor in islice(listeners, self._next, self._next + LISTENERS_ASKED_PER_S_MAX):
            with suppress(OSError):
                unreached += _unanswered(descriptor) >= _UNANSWERED_MIN
                behind += arrears_ms(place(descriptor), _unacknowledged_bytes(descriptor)) > _BEHIND_MS
                asked += 1
        self._next += LISTENERS_ASKED_PER_S_MAX
        return Reached(asked, unreached, behind)


def arrears_ms(place: Place, unacknowledged_bytes: int) -> int:
    """What a listener lacks, as time of sound, beyond the write that everybody may just have got."""
    bytes_per_ms = _OVERHEAD * RENDITIONS[place.rendition].bitrate_bps / 8_000
    return round(unacknowledged_bytes / bytes_per_ms) + CHUNK_MS * (place.behind - place.cadence)


def _unanswered(descriptor: int) -> int:
    borrowed = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, fileno=descriptor)
    try:
        return borrowed.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _RETRANSMITS_AT + 1)[_RETRANSMITS_AT]
    finally:
        borrowed.detach()


def _unacknowledged_bytes(descriptor: int) -> int:
    """SIOCOUTQ (tcp(7)): what is in the send queue."""
    return int.from_bytes(fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4)), "little")
