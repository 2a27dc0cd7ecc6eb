"""Connections that we have ended and whose peers have not: closed at once, they would lose the answer."""

import os
import select
from collections.abc import Callable
from typing import Final

from rostra.edge.deadlines import Deadlines

LINGER_DEADLINE_S: Final = 5.0
LINGERING_REFUSED_MAX: Final = 32  # half of DESCRIPTORS_RESERVED: the rest is for ourselves
LINGERING_EVENTS: Final = select.EPOLLIN | select.EPOLLRDHUP


class Lingering:
    """Closing with unread bytes would reset (RFC 9112 §9.6), so what still comes is read away, for a while.

    Whoever hands a peer over has it watched for LINGERING_EVENTS.
    """

    def __init__(self) -> None:
        self._peers = Deadlines(LINGER_DEADLINE_S)

    def __len__(self) -> int:
        return len(self._peers)

    def __contains__(self, peer: int) -> bool:
        return peer in self._peers

    @property
    def has_room(self) -> bool:
        """For somebody who is turned away: an answer that may get lost is worth no descriptor of another."""
        return len(self._peers) < LINGERING_REFUSED_MAX

    def take(self, peer: int, half_close: Callable[[int], bool], now_s: float) -> None:
        if half_close(peer):
            self._peers.start(peer, now_s=now_s)

    def happened(self, peer: int, mask: int) -> None:
        if mask & select.EPOLLHUP or not _discard(peer):
            self._peers.stop(peer)
            os.close(peer)

    def expire(self, now_s: float) -> None:
        for peer in self._peers.expired(now_s=now_s):
            os.close(peer)


def _discard(peer: int) -> bool:
    """False at the end of what comes."""
    try:
        return bool(os.read(peer, 65_536))
    except BlockingIOError:
        return True
    except OSError:
        return False
