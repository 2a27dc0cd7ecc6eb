"""How a connection begins: the port, whom a peer speaks for, and what somebody gets who comes too often."""

import enum
import os
import socket
import struct
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from rostra.core.forwarded import asker, read_proxy
from rostra.core.limits import ACCEPT_QUEUE_MAX, PROXY_HEADER_BYTES_MAX, REQUEST_BYTES_MAX
from rostra.core.prefixes import Prefixes
from rostra.core.shield import Prefix, Shield
from rostra.edge.http import Rejected, Request, RequestReader
from rostra.edge.tls import Tls

# What a listener who does not read may cost in kernel memory: 64 kB (doubled by the kernel for its own
# overhead), 8 s of 64 kbit/s; and the longest first write (40 kB) fits.
SEND_BUFFER_BYTES: Final = 64 * 1024
RECEIVE_BUFFER_BYTES: Final = 2 * REQUEST_BYTES_MAX  # nobody sends more; flooders fill this much and stop
DEAD_PEER_MS: Final = 30_000  # unacknowledged for so long, the peer is gone (RFC 5482)
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time


def listen(host: str, port: int) -> socket.socket:
    """A listening socket that other workers may share; accepted sockets inherit its options (Linux)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
    # A chunk must not wait for the acknowledgement of the one before.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_PEER_MS)
    listening.bind((host, port))
    listening.listen(ACCEPT_QUEUE_MAX)
    listening.setblocking(False)
    return listening


class Step(enum.Enum):
    """How far a connection has come: first a proxy's header, where one is due, then TLS, where that is spoken."""

    PROXY_HEADER = enum.auto()
    HANDSHAKE = enum.auto()
    REQUESTS = enum.auto()
    TURNED_AWAY = enum.auto()  # whoever comes too often: the request is awaited, not parsed


class Connection:
    """One peer between its connect and the moment it becomes a listener or goes.

    `peer` holds the descriptor; `source` is who asks, somebody else if `proxy` is the address of a trusted one.
    """

    __slots__ = ("answered", "asked", "ends", "fd", "mask", "peer", "proxy", "reader", "rest", "source", "step")

    def __init__(self, fd: int, peer: Prefix, proxy: str, step: Step) -> None:
        self.fd = fd
        self.peer = self.source = peer
        self.proxy = proxy
        self.step = step
        self.reader = RequestReader()
        self.asked: deque[Request | Rejected] = deque()  # bounded by the bytes of one read
        self.rest = memoryview(b"")
        self.answered = False
        self.ends = False
        self.mask = 0


@dataclass(slots=True)
class Entrance:
    """Whom to believe about whom they speak for. `proxy_protocol`: trusted proxies begin with a PROXY header.

    With `tls` HTTPS is served, and nothing else.
    """

    shield: Shield = field(default_factory=Shield)
    trusted: Prefixes = field(default_factory=Prefixes)
    proxy_protocol: bool = False
    tls: Tls | None = None

    def announced(self, connection: int, proxy: Prefix, now_s: float) -> Prefix:
        """Read the PROXY header away. BadInputError if it cannot be read, BlockingIOError before it is there."""
        peer = socket.socket(fileno=connection)
        try:
            header = read_proxy(peer.recv(PROXY_HEADER_BYTES_MAX, socket.MSG_PEEK))
        finally:
            peer.detach()
        os.read(connection, header.size)
        return proxy if header.address is None else self.shield.source(header.address, now_s)

    def asker(self, request: Request, proxy: str, now_s: float) -> Prefix:
        """Who sends this request through a trusted proxy. BadInputError if the proxy's word cannot be read."""
        return self.shield.source(asker(proxy, request.forwarded, request.forwarded_for, self.trusted), now_s)


def reset(connection: int) -> None:
    """End a connection without another word: half as dear as an answer, and nothing of it stays in the kernel."""
    forsake(connection)
    os.close(connection)


def forsake(connection: int) -> None:
    """Have what is unsent thrown away at the close: else the kernel keeps it, 128 kB for minutes."""
    peer = socket.socket(fileno=connection)
    try:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    finally:
        peer.detach()
