"""The crowd's sockets: one epoll for all of them, nested in the event loop; no object for those who listen."""

import os
import select
import socket
import time
from collections import Counter
from http import HTTPStatus
from itertools import islice
from typing import Final, assert_never

from rostra.core.errors import BadInputError
from rostra.core.limits import (
    ACCEPTS_BEHIND_MAX,
    ACCEPTS_PER_TURN_MAX,
    HANDSHAKES_PER_TURN_MAX,
    REQUEST_BYTES_MAX,
)
from rostra.core.shield import Prefix, Strike, Verdict, strain
from rostra.edge.deadlines import Patience
from rostra.edge.door import Door, Listen
from rostra.edge.entrance import Connection, Entrance, Step, forsake, reset
from rostra.edge.fanout import Fanout
from rostra.edge.http import ImfDate, Rejected, Reply, Request, serialize
from rostra.edge.lingering import LINGERING_EVENTS, Lingering
from rostra.edge.refusals import Refused
from rostra.edge.transport import Plain, Transport
from rostra.web.refusal import BUSY, refusal

EVENTS_PER_TURN_MAX: Final = 256  # about 5 ms of requests, then writes and timers get their turn again
EVENTS_BEHIND_MAX: Final = 64
LOOKED_AT_MAX: Final = 16

_GONE: Final = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
_ASKING: Final = select.EPOLLIN | select.EPOLLRDHUP


class Crowd:
    """Every socket of a worker: those who ask, those who listen (`Fanout`'s wire) and those who linger."""

    def __init__(self, listening: socket.socket, *, descriptors_max: int, entrance: Entrance | None = None) -> None:
        self._listening: socket.socket | None = listening
        self._listening_fd = listening.fileno()
        self.port: int = listening.getsockname()[1]
        self._descriptors_max = descriptors_max
        self._entrance = entrance or Entrance()
        self.shield = self._entrance.shield
        self.transport: Transport = self._entrance.tls or Plain()
        self.write = self.transport.write
        self._epoll = select.epoll()
        self._epoll.register(self._listening_fd, select.EPOLLIN)
        self._connections: dict[int, Connection] = {}
        self._listeners: dict[int, Prefix] = {}
        self._handshakes_left = HANDSHAKES_PER_TURN_MAX
        self.patience = Patience(descriptors_max)
        self._lingering = Lingering()
        self._date = ImfDate()
        self._unaccepted_since_s: float | None = None  # the kernel has had more of them than we took in a turn
        self.accepted = 0
        self.listens = 0
        self.replies: Counter[int] = Counter()
        self.bytes_in = self.bytes_out = 0  # but for what listeners get: `Fanout` counts that

    def serve(self, fanout: Fanout, door: Door) -> None:
        """Who listeners and requests are handed to. Before this nothing may call `turn`."""
        self._fanout = fanout
        self._door = door

    def fileno(self) -> int:
        """Readable when `turn` has something to do."""
        return self._epoll.fileno()

    def strain(self, *, now_s: float, loop_lag_s: float) -> float:
        """How hard it is for newcomers to be served, 0 to 1."""
        asking = len(self._connections) + len(self._lingering)
        accept_lag_s = 0.0 if self._unaccepted_since_s is None else now_s - self._unaccepted_since_s
        room = self._descriptors_max - len(self._listeners)
        return strain(asking=asking, room=room, accept_lag_s=accept_lag_s, lag_s=loop_lag_s)

    @property
    def descriptors(self) -> int:
        return len(self._connections) + len(self._listeners) + len(self._lingering)

    def stop_accepting(self) -> None:
        """Take whoever has connected already, then close the door for new connections."""
        if self._listening is not None:
            while self._accept(time.monotonic(), ACCEPTS_PER_TURN_MAX):
                pass
            self._epoll.unregister(self._listening_fd)
            self._listening.close()
            self._listening = None

    def close_all(self) -> None:
        self.stop_accepting()
        for connection in list(self._connections.values()):
            self._drop(connection)
        self._lingering.expire(float("inf"))
        self._epoll.close()

    # --- the turn --------------------------------------------------------------------------------------

    def turn(self) -> None:
        """Handle what has happened, a bounded number of events; fewer while listeners wait for their writes."""
        now_s = time.monotonic()
        accepting = False
        connections, fanout = self._connections, self._fanout
        events_max, accepts_max = EVENTS_PER_TURN_MAX, ACCEPTS_PER_TURN_MAX
        if fanout.behind:
            events_max, accepts_max = EVENTS_BEHIND_MAX, ACCEPTS_BEHIND_MAX
        self._handshakes_left = HANDSHAKES_PER_TURN_MAX
        for fd, mask in self._epoll.poll(0, events_max):
            if fd == self._listening_fd:
                accepting = True  # last, so that no number in this batch can mean two peers
            elif fd in connections:
                self._happened(connections[fd], mask, now_s)
            elif fd in self._listeners:
                if mask & _GONE:
                    fanout.leave(fd)
                    fanout.counters.gone += 1
                    self.close(fd)
                else:
                    fanout.writable(fd)
            elif fd in self._lingering:
                self._lingering.happened(fd, mask)
        if accepting and self._accept(now_s, accepts_max):
            self._unaccepted_since_s = self._unaccepted_since_s or now_s

    def expire(self, *, now_s: float) -> None:
        """End what has taken too long: once a second is enough."""
        for fd in self.patience.amid_request.expired(now_s=now_s):
            connection = self._connections[fd]
            if connection.step is Step.REQUESTS and connection.reader.amid_request:
                rejected = Rejected(HTTPStatus.REQUEST_TIMEOUT, "The request was not complete in time.")
                connection.asked.append(rejected)
                self._proceed(connection, now_s)
            else:
                self.shield.strike(connection.source, Strike.HALF_OPEN, now_s)
                self._drop(connection)
        for fd in self.patience.amid_response.expired(now_s=now_s):
            connection = self._connections[fd]
            self.shield.strike(connection.source, Strike.SLOW_READER, now_s)
            self._drop(connection)
        for fd in self.patience.idle.expired(now_s=now_s):
            self._drop(self._connections[fd])
        self._lingering.expire(now_s)

    def _accept(self, now_s: float, accepts_max: int) -> bool:
        """Accept up to `accepts_max`. True if there may be more."""
        assert self._listening is not None
        for _ in range(accepts_max):
            try:
                # As accept() does, but without a socket object, which would be half of the cost and thrown away.
                peer, address = self._listening._accept()  # type: ignore[attr-defined] # noqa: SLF001
            except BlockingIOError:
                self._unaccepted_since_s = None
                return False
            except OSError:
                # The peer has gone already, or descriptors are short: the next turn tries again.
                self.replies[0] += 1
                return False
            os.set_blocking(peer, False)
            self.accepted += 1
            self._receive_peer(peer, address[0], now_s)
        return True

    def _receive_peer(self, peer: int, host: str, now_s: float) -> None:
        """Let somebody in who has connected, or turn them away before anything they say is read."""
        source = self.shield.source(host, now_s)
        verdict = self.shield.meet(source, now_s)
        if verdict is not Verdict.WELCOME and (verdict is not Verdict.BUSY or self.transport.handshake is not None):
            # Whoever has sent nothing yet could not be answered; and an answer in TLS costs what is to be saved.
            reset(peer)
            return
        is_proxy = host in self._entrance.trusted
        step = Step.REQUESTS if self.transport.handshake is None else Step.HANDSHAKE
        if is_proxy and self._entrance.proxy_protocol:
            is_proxy, step = False, Step.PROXY_HEADER
        if verdict is Verdict.BUSY:
            step = Step.TURNED_AWAY
        connection = Connection(peer, source, host if is_proxy else "", step)
        self._connections[peer] = connection
        self.shield.begin_asking(source)
        if self.descriptors > self._descriptors_max:
            self._make_room(connection, now_s)
        if peer in self._connections:
            # More often than not the request is there already: saves two system calls per join.
            self._happened(connection, select.EPOLLIN, now_s)

    def _turn_away(self, connection: Connection, now_s: float) -> None:
        """Answer whoever comes too often, by a look at the bytes."""
        try:
            data = os.read(connection.fd, REQUEST_BYTES_MAX)
        except BlockingIOError:
            self._watch(connection, _ASKING)
            self._await_request(connection, now_s)
            return
        except OSError:
            data = b""
        if not data:
            self._drop(connection)
            return
        self.replies[HTTPStatus.TOO_MANY_REQUESTS] += 1
        connection.rest = memoryview(
            refusal(data, HTTPStatus.TOO_MANY_REQUESTS, BUSY, date=self._date.at(time.time()), reason="network")
        )
        self._flush(connection)
        self._part(connection, now_s)

    def _make_room(self, connection: Connection, now_s: float) -> None:
        """Of those who only keep a connection open one goes, from where most ask; or whoever has just come."""
        longest = [self._connections[fd] for fd in islice(self.patience.longest(), LOOKED_AT_MAX)]
        if longest:
            self._drop(max(longest, key=_crowdedness))
        elif connection.step is Step.REQUESTS:
            detail = "It has as many connections as it can carry. Another edge may have room."
            refused = Refused(HTTPStatus.SERVICE_UNAVAILABLE, "full", "This edge is full", detail, 10)
            connection.ends = True
            self._send(connection, self._door.refuse(None, refused), now_s, head_only=False)
            self._part(connection, now_s)
        else:
            self._drop(connection)

    # --- before requests -------------------------------------------------------------------------------

    def _begin(self, connection: Connection, now_s: float) -> None:
        """A proxy's header and a handshake, as far as they have come."""
        wanted = _ASKING
        try:
            if connection.step is Step.PROXY_HEADER:
                connection.source = self._entrance.announced(connection.fd, connection.peer, now_s)
                if self.shield.meet(connection.source, now_s) is not Verdict.WELCOME:
                    self._drop(connection)
                    return
                connection.step = Step.HANDSHAKE
            if self.transport.handshake is not None and self._handshakes_left > 0:
                self._handshakes_left -= 1
                wanted = self.transport.handshake(connection.fd)
            if self.transport.handshake is None or not wanted:
                connection.step = Step.REQUESTS
                self._receive(connection, now_s)
                return
        except BlockingIOError:
            wanted = _ASKING
        except BadInputError:
            self.shield.strike(connection.source, Strike.BAD_REQUEST, now_s)
            self._drop(connection)
            return
        except OSError:
            self._drop(connection)
            return
        self._watch(connection, wanted)
        self._await_request(connection, now_s)

    def _await_request(self, connection: Connection, now_s: float) -> None:
        self._lose_patience(self.patience.await_request(connection.fd, now_s), Strike.HALF_OPEN, now_s)

    def _lose_patience(self, longest: int | None, strike: Strike, now_s: float) -> None:
        """With the one who has been `longest` at what too many do."""
        if longest is not None:
            connection = self._connections[longest]
            self.shield.strike(connection.source, strike, now_s)
            self._drop(connection)

    # --- requests --------------------------------------------------------------------------------------

    def _happened(self, connection: Connection, mask: int, now_s: float) -> None:
        if mask & (select.EPOLLHUP | select.EPOLLERR):
            self._drop(connection)
        elif connection.step is Step.TURNED_AWAY:
            self._turn_away(connection, now_s)
        elif connection.step is not Step.REQUESTS:
            self._begin(connection, now_s)
        elif mask & select.EPOLLOUT:
            self._proceed(connection, now_s)
        else:
            self._receive(connection, now_s)

    def _receive(self, connection: Connection, now_s: float) -> None:
        try:
            data = self.transport.read(connection.fd)
        except BlockingIOError:
            self._wait(connection, now_s)
            return
        except OSError:
            data = b""
        if not data:
            self._drop(connection)
            return
        self.bytes_in += len(data)
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
            if isinstance(asked, Request) and (connection.answered or connection.proxy):
                asked = self._weighed(connection, asked, now_s)
            match asked:
                case Request():
                    now_ms = time.time_ns() // 1_000_000
                    source, date = connection.source.address, self._date.at(now_ms / 1_000)
                    answer = self._door.answer(asked, source=source, date=date, now_ms=now_ms)
                    if isinstance(answer, Listen):
                        self._become_listener(connection, answer, now_s)
                        return
                    connection.ends = not asked.keep_alive or self._listening is None
                    self._send(connection, answer, now_s, head_only=asked.method == "HEAD")
                case Rejected(status=status, detail=detail):
                    connection.ends = True
                    if status is not HTTPStatus.TOO_MANY_REQUESTS:
                        is_late = status is HTTPStatus.REQUEST_TIMEOUT
                        strike = Strike.TIMEOUT if is_late else Strike.BAD_REQUEST
                        self.shield.strike(connection.source, strike, now_s)
                    refused = Refused(status, "request", status.phrase, detail, 5 if status == 429 else None)
                    self._send(connection, self._door.refuse(None, refused), now_s, head_only=False)
                case _:
                    assert_never(asked)
        if connection.fd in self._connections:
            if connection.ends and not connection.rest:
                self._linger(connection, now_s)
            else:
                self._wait(connection, now_s)

    def _weighed(self, connection: Connection, request: Request, now_s: float) -> Request | Rejected:
        """One more request of a connection, or one that a proxy brings: its asker has a budget too."""
        if connection.proxy:
            try:
                connection.source = self._entrance.asker(request, connection.proxy, now_s)
            except BadInputError as error:
                return Rejected(HTTPStatus.BAD_REQUEST, str(error))
        if self.shield.ask(connection.source, now_s) is Verdict.WELCOME:
            return request
        return Rejected(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests come from your network at this moment.")

    def _send(self, connection: Connection, reply: Reply, now_s: float, *, head_only: bool) -> None:
        self.replies[reply.status.value] += 1
        if reply.strike is not None:
            self.shield.strike(connection.source, reply.strike, now_s)
        elif reply.status < HTTPStatus.BAD_REQUEST:
            self.shield.praise(connection.source, now_s)
        connection.answered = True
        keep_alive = not connection.ends
        data = serialize(reply, date=self._date.at(time.time()), keep_alive=keep_alive, head_only=head_only)
        connection.rest = memoryview(data)
        self._flush(connection)

    def _flush(self, connection: Connection) -> None:
        try:
            sent = self.write(connection.fd, connection.rest)
        except BlockingIOError:
            return
        except OSError:
            self._drop(connection)
            return
        self.bytes_out += sent
        connection.rest = connection.rest[sent:]

    def _wait(self, connection: Connection, now_s: float) -> None:
        """For room to write, or for the next bytes of the peer; with the deadline that belongs to it."""
        self._watch(connection, select.EPOLLOUT if connection.rest else _ASKING)
        if connection.rest:
            self._lose_patience(self.patience.await_room(connection.fd, now_s), Strike.SLOW_READER, now_s)
        elif connection.answered and not connection.reader.amid_request:
            self.patience.rest(connection.fd, now_s)
        else:
            self._await_request(connection, now_s)

    def _watch(self, connection: Connection, mask: int) -> None:
        if connection.mask == 0:
            self._epoll.register(connection.fd, mask)
        elif connection.mask != mask:
            self._epoll.modify(connection.fd, mask)
        connection.mask = mask

    def _forget(self, connection: Connection) -> None:
        del self._connections[connection.fd]
        self.shield.end_asking(connection.peer)
        connection.reader.close()
        self.patience.forget(connection.fd)

    def _drop(self, connection: Connection) -> None:
        if self._connections.get(connection.fd) is connection:
            self._forget(connection)
            if connection.rest:
                forsake(connection.fd)
            self.transport.close(connection.fd)

    def _part(self, connection: Connection, now_s: float) -> None:
        """Let go of somebody who was turned away."""
        if connection.fd in self._connections:
            if self._lingering.has_room and not connection.rest:
                self._linger(connection, now_s)
            else:
                self._drop(connection)

    def _linger(self, connection: Connection, now_s: float) -> None:
        """Close so that the peer still gets the answer."""
        self._watch(connection, LINGERING_EVENTS)
        self._forget(connection)
        self._lingering.take(connection.fd, self.transport.half_close, now_s)

    # --- listeners (Wire) ------------------------------------------------------------------------------

    def _become_listener(self, connection: Connection, answer: Listen, now_s: float) -> None:
        self._forget(connection)
        self._watch(connection, select.EPOLLRDHUP)
        self.transport.listens(connection.fd)
        self.listens += 1
        self._listeners[connection.fd] = connection.source
        self.shield.begin_listening(connection.source)
        self.shield.praise(connection.source, now_s)
        self._door.streams.open(connection.fd, answer.listener)
        self._fanout.admit(connection.fd, answer.lane, answer.group, answer.opening, position=answer.position)

    def watch_writable(self, listener: int, *, wanted: bool) -> None:
        self._epoll.modify(listener, select.EPOLLRDHUP | (select.EPOLLOUT if wanted else 0))

    def close(self, listener: int) -> None:
        self.shield.end_listening(self._listeners.pop(listener))
        self.transport.close(listener)

    def finish(self, listener: int) -> None:
        self.shield.end_listening(self._listeners.pop(listener))
        self._epoll.modify(listener, LINGERING_EVENTS)
        self._lingering.take(listener, self.transport.half_close, time.monotonic())


def _crowdedness(connection: Connection) -> int:
    return connection.peer.asking
