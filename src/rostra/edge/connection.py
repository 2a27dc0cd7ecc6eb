"""The crowd's sockets: one epoll for all of them, nested in the event loop; no object for those who listen."""

import os
import select
import socket
import time
from collections import Counter, deque
from email.utils import formatdate
from http import HTTPStatus
from typing import Final, assert_never

from rostra.core.limits import (
    ACCEPTS_PER_TURN_MAX,
    IDLE_DEADLINE_S,
    REQUEST_BYTES_MAX,
    REQUEST_DEADLINE_S,
)
from rostra.edge.door import Door, Listen, Refused
from rostra.edge.fanout import Fanout
from rostra.edge.http import Rejected, Reply, Request, RequestReader, serialize

BACKLOG: Final = 4_096  # the kernel's default net.core.somaxconn cuts it there anyway
EVENTS_PER_TURN_MAX: Final = 256  # about 5 ms of requests, then writes and timers get their turn again
LINGER_DEADLINE_S: Final = 5.0
LINGERING_REFUSED_MAX: Final = 32  # half of DESCRIPTORS_RESERVED: the rest is for ourselves
# What a listener who does not read may cost in kernel memory: 64 kB (doubled by the kernel for its own
# overhead), 8 s of 64 kbit/s; and the longest first write (40 kB) fits.
SEND_BUFFER_BYTES: Final = 64 * 1024
RECEIVE_BUFFER_BYTES: Final = 2 * REQUEST_BYTES_MAX  # nobody sends more; flooders fill this much and stop
DEAD_PEER_MS: Final = 30_000  # unacknowledged for so long, the peer is gone (RFC 5482)

_GONE: Final = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR


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
    listening.listen(BACKLOG)
    listening.setblocking(False)
    return listening


class Deadlines:
    """Connections that have to be done `after_s` from when they were started: they expire in that order."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._expiry_s: dict[int, float] = {}

    def __len__(self) -> int:
        return len(self._expiry_s)

    def __contains__(self, connection: int) -> bool:
        return connection in self._expiry_s

    def start(self, connection: int, *, now_s: float) -> None:
        self._expiry_s.pop(connection, None)
        self._expiry_s[connection] = now_s + self._after_s

    def stop(self, connection: int) -> None:
        self._expiry_s.pop(connection, None)

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


class Connection:
    """One peer between its connect and the moment it becomes a listener or goes."""

    __slots__ = ("answered", "asked", "ends", "fd", "mask", "reader", "rest", "source")

    def __init__(self, fd: int, source: str) -> None:
        self.fd = fd
        self.source = source  # the peer's IP address, as text
        self.reader = RequestReader()
        self.asked: deque[Request | Rejected] = deque()  # bounded by the bytes of one read
        self.rest = memoryview(b"")
        self.answered = False
        self.ends = False
        self.mask = 0


class Crowd:
    """Every socket of a worker: those who ask, those who listen (`Fanout`'s wire) and those who linger."""

    write = staticmethod(os.write)

    def __init__(self, listening: socket.socket, *, descriptors_max: int) -> None:
        self._listening: socket.socket | None = listening
        self._listening_fd = listening.fileno()
        self.port: int = listening.getsockname()[1]
        self._descriptors_max = descriptors_max
        self._epoll = select.epoll()
        self._epoll.register(self._listening_fd, select.EPOLLIN)
        self._connections: dict[int, Connection] = {}
        self._amid_request = Deadlines(REQUEST_DEADLINE_S)
        self._idle = Deadlines(IDLE_DEADLINE_S)
        self._lingering = Deadlines(LINGER_DEADLINE_S)
        self._date = ""
        self._date_s = 0
        self.accepted = 0
        self.listens = 0
        self.replies: Counter[int] = Counter()

    def serve(self, fanout: Fanout, door: Door) -> None:
        """Who listeners and requests are handed to. Before this nothing may call `turn`."""
        self._fanout = fanout
        self._door = door

    def fileno(self) -> int:
        """Readable when `turn` has something to do."""
        return self._epoll.fileno()

    @property
    def descriptors(self) -> int:
        return len(self._connections) + self._fanout.listeners + len(self._lingering)

    def stop_accepting(self) -> None:
        """Take whoever has connected already, then close the door for new connections."""
        if self._listening is not None:
            while self._accept(time.monotonic()):
                pass
            self._epoll.unregister(self._listening_fd)
            self._listening.close()
            self._listening = None

    def close_all(self) -> None:
        self.stop_accepting()
        for connection in list(self._connections.values()):
            self._drop(connection)
        for lingering in self._lingering.expired(now_s=float("inf")):
            os.close(lingering)
        self._epoll.close()

    # --- the turn --------------------------------------------------------------------------------------

    def turn(self) -> None:
        """Handle what has happened, a bounded number of events."""
        now_s = time.monotonic()
        accepting = False
        connections, fanout = self._connections, self._fanout
        for fd, mask in self._epoll.poll(0, EVENTS_PER_TURN_MAX):
            if fd == self._listening_fd:
                accepting = True  # last, so that no number in this batch can mean two peers
            elif fd in connections:
                self._happened(connections[fd], mask, now_s)
            elif fd in fanout.seats or fd in fanout.laggards:
                if mask & _GONE:
                    fanout.leave(fd)
                    fanout.counters.gone += 1
                    os.close(fd)
                else:
                    fanout.writable(fd)
            elif fd in self._lingering and (mask & select.EPOLLHUP or not self._discard(fd)):
                self._lingering.stop(fd)
                os.close(fd)
        if accepting:
            self._accept(now_s)

    def expire(self, *, now_s: float) -> None:
        """End what has taken too long: once a second is enough."""
        for fd in self._amid_request.expired(now_s=now_s):
            connection = self._connections[fd]
            if connection.reader.amid_request:
                rejected = Rejected(HTTPStatus.REQUEST_TIMEOUT, "The request was not complete in time.")
                connection.asked.append(rejected)
                self._proceed(connection, now_s)
            else:
                self._drop(connection)
        for fd in self._idle.expired(now_s=now_s):
            self._drop(self._connections[fd])
        for fd in self._lingering.expired(now_s=now_s):
            os.close(fd)

    def _accept(self, now_s: float) -> bool:
        """Accept up to ACCEPTS_PER_TURN_MAX. True if there may be more."""
        assert self._listening is not None
        for _ in range(ACCEPTS_PER_TURN_MAX):
            try:
                # As accept() does, but without a socket object, which would be half of the cost and thrown away.
                peer, address = self._listening._accept()  # type: ignore[attr-defined] # noqa: SLF001
            except BlockingIOError:
                return False
            except OSError:
                # The peer has gone already, or descriptors are short: the next turn tries again.
                self.replies[0] += 1
                return False
            os.set_blocking(peer, False)
            self.accepted += 1
            connection = Connection(peer, address[0])
            self._connections[connection.fd] = connection
            if self.descriptors > self._descriptors_max:
                self._turn_away(connection, now_s)
            else:
                # More often than not the request is there already: saves two system calls per join.
                self._receive(connection, now_s)
        return True

    def _turn_away(self, connection: Connection, now_s: float) -> None:
        refused = Refused(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "full",
            "This edge is full",
            "It has as many connections as it can carry. Another edge may have room.",
            10,
        )
        connection.ends = True
        self._send(connection, self._door.refuse(None, refused), head_only=False)
        if connection.fd in self._connections:
            if len(self._lingering) < LINGERING_REFUSED_MAX and not connection.rest:
                self._linger(connection, now_s)
            else:
                self._drop(connection)

    # --- requests --------------------------------------------------------------------------------------

    def _happened(self, connection: Connection, mask: int, now_s: float) -> None:
        if mask & (select.EPOLLHUP | select.EPOLLERR):
            self._drop(connection)
        elif mask & select.EPOLLOUT:
            self._proceed(connection, now_s)
        else:
            self._receive(connection, now_s)

    def _receive(self, connection: Connection, now_s: float) -> None:
        try:
            data = os.read(connection.fd, REQUEST_BYTES_MAX)
        except BlockingIOError:
            self._wait(connection, now_s)
            return
        except OSError:
            data = b""
        if not data:
            self._drop(connection)
            return
        connection.asked.extend(connection.reader.feed(data))
        self._proceed(connection, now_s)

    def _proceed(self, connection: Connection, now_s: float) -> None:
        """Write what is left, then answer what has been asked, as far as the peer takes it."""
        if connection.rest:
            self._flush(connection)
        while connection.asked and not connection.rest and not connection.ends:
            if connection.fd not in self._connections:
                return
            asked = connection.asked.popleft()
            match asked:
                case Request():
                    now_ms = time.time_ns() // 1_000_000
                    answer = self._door.answer(asked, source=connection.source, date=self._today(), now_ms=now_ms)
                    if isinstance(answer, Listen):
                        self._become_listener(connection, answer)
                        return
                    connection.ends = not asked.keep_alive or self._listening is None
                    self._send(connection, answer, head_only=asked.method == "HEAD")
                case Rejected(status=status, detail=detail):
                    connection.ends = True
                    refused = Refused(status, "request", status.phrase, detail)
                    self._send(connection, self._door.refuse(None, refused), head_only=False)
                case _:
                    assert_never(asked)
        if connection.fd in self._connections:
            if connection.ends and not connection.rest:
                self._linger(connection, now_s)
            else:
                self._wait(connection, now_s)

    def _send(self, connection: Connection, reply: Reply, *, head_only: bool) -> None:
        self.replies[reply.status.value] += 1
        connection.answered = True
        keep_alive = not connection.ends
        data = serialize(reply, date=self._today(), keep_alive=keep_alive, head_only=head_only)
        connection.rest = memoryview(data)
        self._flush(connection)

    def _flush(self, connection: Connection) -> None:
        try:
            sent = os.write(connection.fd, connection.rest)
        except BlockingIOError:
            return
        except OSError:
            self._drop(connection)
            return
        connection.rest = connection.rest[sent:]

    def _wait(self, connection: Connection, now_s: float) -> None:
        """For room to write, or for the next bytes of the peer; with the deadline that belongs to it."""
        waits_for_room = bool(connection.rest)
        self._watch(connection, select.EPOLLOUT if waits_for_room else select.EPOLLIN | select.EPOLLRDHUP)
        between_requests = connection.answered and not connection.reader.amid_request
        deadlines = self._idle if waits_for_room or between_requests else self._amid_request
        # Bytes of an unfinished request win no time: that is what a slowloris tries.
        if deadlines is self._idle or connection.fd not in deadlines:
            self._idle.stop(connection.fd)
            deadlines.start(connection.fd, now_s=now_s)
            if deadlines is self._idle:
                self._amid_request.stop(connection.fd)

    def _watch(self, connection: Connection, mask: int) -> None:
        if connection.mask == 0:
            self._epoll.register(connection.fd, mask)
        elif connection.mask != mask:
            self._epoll.modify(connection.fd, mask)
        connection.mask = mask

    def _forget(self, connection: Connection) -> None:
        del self._connections[connection.fd]
        connection.reader.close()
        self._amid_request.stop(connection.fd)
        self._idle.stop(connection.fd)

    def _drop(self, connection: Connection) -> None:
        if self._connections.get(connection.fd) is connection:
            self._forget(connection)
            os.close(connection.fd)

    def _linger(self, connection: Connection, now_s: float) -> None:
        """Close so that the peer still gets the answer: closing with unread bytes would reset (RFC 9112 §9.6)."""
        self._watch(connection, select.EPOLLIN | select.EPOLLRDHUP)
        self._forget(connection)
        self._half_close(connection.fd, now_s)

    def _half_close(self, fd: int, now_s: float) -> None:
        peer = socket.socket(fileno=fd)
        try:
            peer.shutdown(socket.SHUT_WR)
        except OSError:
            peer.close()
            return
        peer.detach()
        self._lingering.start(fd, now_s=now_s)

    def _discard(self, fd: int) -> bool:
        """Read away what a lingering peer still sends. False at its end."""
        try:
            return bool(os.read(fd, 65_536))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def _today(self) -> str:
        now_s = int(time.time())
        if now_s != self._date_s:
            self._date_s = now_s
            self._date = formatdate(now_s, usegmt=True)
        return self._date

    # --- listeners (Wire) ------------------------------------------------------------------------------

    def _become_listener(self, connection: Connection, answer: Listen) -> None:
        self._forget(connection)
        self._watch(connection, select.EPOLLRDHUP)
        self.listens += 1
        self._door.streams.open(connection.fd, answer.listener)
        self._fanout.admit(connection.fd, answer.lane, answer.group, answer.opening, position=answer.position)

    def watch_writable(self, listener: int, *, wanted: bool) -> None:
        self._epoll.modify(listener, select.EPOLLRDHUP | (select.EPOLLOUT if wanted else 0))

    def close(self, listener: int) -> None:
        os.close(listener)

    def finish(self, listener: int) -> None:
        self._epoll.modify(listener, select.EPOLLIN | select.EPOLLRDHUP)
        self._half_close(listener, time.monotonic())
