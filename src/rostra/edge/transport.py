"""How bytes reach a peer: as they are, or in TLS. Peers are file descriptors, and never waited for."""

import os
import socket
from collections.abc import Callable
from typing import Final, Protocol

from rostra.core.limits import REQUEST_BYTES_MAX


class Transport(Protocol):
    """BlockingIOError says that there is nothing to read or no room, another OSError that the peer has gone."""

    @property
    def handshake(self) -> Callable[[int], int] | None:
        """Go on with the handshake. The epoll events that it waits for, 0 when it is done; None: there is none."""

    @property
    def write(self) -> Callable[[int, bytes | memoryview], int]:
        """The bytes taken."""

    def read(self, peer: int) -> bytes:
        """What has come of requests; nothing at the peer's end."""

    def listens(self, peer: int) -> None:
        """Nothing will be read from this peer any more."""

    def half_close(self, peer: int) -> bool:
        """Tell the peer that everything is sent. False if it has gone, and is closed."""

    def close(self, peer: int) -> None:
        """Forget a peer."""


class Plain:
    """TCP, or a proxy that has ended TLS before us."""

    handshake: Final = None
    write = staticmethod(os.write)
    close = staticmethod(os.close)

    def read(self, peer: int) -> bytes:
        return os.read(peer, REQUEST_BYTES_MAX)

    def listens(self, peer: int) -> None:
        """A descriptor is all there is."""

    def half_close(self, peer: int) -> bool:
        return half_closed(peer)


def half_closed(peer: int) -> bool:
    shared = socket.socket(fileno=peer)
    try:
        shared.shutdown(socket.SHUT_WR)
    except OSError:
        shared.close()
        return False
    shared.detach()
    return True
