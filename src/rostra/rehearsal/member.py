"""One process's share of a crowd: thousands of listeners in one epoll loop."""

import errno
import math
import random
import resource
import select
import socket
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from os import read
from typing import Final
from urllib.parse import urlsplit

import msgspec

from rostra.core.errors import BadInputError
from rostra.rehearsal.continuity import Continuity, Lockstep
from rostra.rehearsal.crowd_report import CrowdPlan, Tally

Address = tuple[str, int]

_READ_BYTES: Final = 64 * 1024
_EVENTS_MAX: Final = 1024
_CONNECTS_PER_TURN_MAX: Final = 64
_AGAIN_FIRST_S: Final = 0.1  # the player's own pauses (edge/pages/assets): at once, then doubling
_AGAIN_MAX_S: Final = 5.0
_EARLY_S: Final = 1.0
# Nothing for this long, and the edge is taken for dead, as by the player.
_SILENCE_MIN_S: Final = 1.5
_SILENCE_CADENCES: Final = 3
# The loop looks so often at most: a read costs a third when many are ready at once, and 2 ms is no pause.
_TURN_S: Final = 0.002
# Linux lets 28,000 connections to one port leave from one address; each process brings its own addresses.
_LISTENERS_PER_ADDRESS: Final = 5_000
_ADDRESSES_MAX: Final = 250
_IP_BIND_ADDRESS_NO_PORT: Final = 24


class JoinAnswer(msgspec.Struct, frozen=True):
    """The answer to a join (docs/protocol.md §2), or a problem."""

    status: str | int = ""
    ticket: str = ""
    alternates: tuple[str, ...] = ()
    title: str = ""


_answers = msgspec.json.Decoder(JoinAnswer)


@dataclass(slots=True)
class Member:
    """One listener. `head` collects an answer until it is understood; then the stream goes to `heard`.

    `silent_since_s` is when it asked for something, or heard something, last.
    """

    began_s: float
    silent_since_s: float
    source: str
    address: Address
    heard: Continuity
    connection: socket.socket | None = None
    ticket: str = ""
    head: bytes = b""
    streaming: bool = False
    joined_s: float | None = None
    failures: int = 0
    lost: int = 0
    alternates: list[Address] = field(default_factory=list)


class Share:
    """The listeners of one process. `allow` says which addresses of alternates may be asked."""

    def __init__(
        self, plan: CrowdPlan, address: Address, path: str, *, index: int, allow: Callable[[str], Address | None]
    ) -> None:
        self._plan = plan
        self._address = address
        self._path = path
        self._index = index
        self._allow = allow
        self._poll = select.epoll()
        self._members: dict[int, Member] = {}
        self._all: list[Member] = []
        self._again: list[tuple[float, Member]] = []
        self._ended = 0
        self._lockstep = Lockstep()
        self._known: dict[str, Address | None] = {}
        self._tally = Tally()
        self._cpu: deque[tuple[float, float, int]] = deque()

    def run(self, on_progress: Callable[[int], object]) -> Tally:
        began_s = second_s = time.monotonic()
        end_s = began_s + self._plan.seconds
        listeners, poll, members = self._plan.listeners, self._poll.poll, self._members
        while (now_s := time.monotonic()) < end_s and self._ended < listeners:
            due = min(listeners, int((now_s - began_s) * self._plan.join_rate_hz) + 1)
            for _ in range(min(due - len(self._all), _CONNECTS_PER_TURN_MAX)):
                self._come(now_s)
            ready = poll(_TURN_S * 5, _EVENTS_MAX)
            now_s = time.monotonic()
            for descriptor, events in ready:
                self._serve(members[descriptor], descriptor, events, now_s)
            if self._again:
                self._retry(now_s)
            if now_s - second_s >= 1.0:
                second_s = now_s
                self._second(now_s)
                on_progress(sum(member.heard.chunks > 0 for member in self._all))
            if len(ready) < _EVENTS_MAX // 8:
                time.sleep(_TURN_S)
        return self._judge(time.monotonic())

    # --- connections -----------------------------------------------------------------------------------

    def _come(self, now_s: float) -> None:
        number = len(self._all) // _LISTENERS_PER_ADDRESS % _ADDRESSES_MAX
        source = f"127.{self._index // 200}.{1 + self._index % 200}.{1 + number}"
        heard = Continuity(self._lockstep.follow)
        member = Member(now_s, now_s, source, self._address, heard, ticket=self._plan.ticket)
        self._all.append(member)
        self._connect(member, now_s)

    def _connect(self, member: Member, now_s: float) -> None:
        connection = socket.socket(socket.AF_INET6 if ":" in member.address[0] else socket.AF_INET)
        connection.setblocking(False)
        try:
            if member.address[0].startswith("127."):
                connection.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
                connection.bind((member.source, 0))
            code = connection.connect_ex(member.address)
        except OSError as error:
            code = error.errno or errno.EIO
        if code not in (0, errno.EINPROGRESS):
            connection.close()
            self._later(member, now_s)
            return
        member.connection, member.head, member.streaming = connection, b"", False
        member.silent_since_s = now_s
        self._members[connection.fileno()] = member
        self._poll.register(connection.fileno(), select.EPOLLOUT)

    def _retry(self, now_s: float) -> None:
        due = [member for at_s, member in self._again if at_s <= now_s]
        if due:
            self._again = [(at_s, member) for at_s, member in self._again if at_s > now_s]
            for member in due:
                self._connect(member, now_s)

    def _later(self, member: Member, now_s: float, *, after_s: float | None = None) -> None:
        """Try again, elsewhere if there is an elsewhere."""
        if after_s is None:
            pause_s = min(_AGAIN_MAX_S, _AGAIN_FIRST_S * 2 ** min(member.failures, 10))
            after_s = 0.0 if member.failures == 0 else pause_s * random.uniform(0.5, 1.0)
        member.failures += 1
        others = member.alternates
        if others:
            at = others.index(member.address) + 1 if member.address in others else 0
            member.address = others[at % len(others)]
        self._again.append((now_s + after_s, member))

    def _drop(self, member: Member) -> None:
        assert member.connection is not None
        del self._members[member.connection.fileno()]
        member.connection.close()
        member.connection = None

    def _lost(self, member: Member, now_s: float) -> None:
        """The connection is gone: go on elsewhere at once, unless the conversation has ended."""
        heard = member.heard
        self._drop(member)
        if heard.end_reason is not None:
            self._ended += 1
            return
        if heard.alternates:
            member.alternates = self._addresses(heard.alternates)
        member.lost += member.streaming
        heard.reconnected()
        self._later(member, now_s)

    def _addresses(self, urls: tuple[str, ...]) -> list[Address]:
        for url in urls:
            if url not in self._known:
                self._known[url] = self._allow(url)
        return [address for url in urls if (address := self._known[url]) is not None]

    # --- the dialogue ----------------------------------------------------------------------------------

    def _serve(self, member: Member, descriptor: int, events: int, now_s: float) -> None:
        try:
            if events & select.EPOLLOUT and not events & select.EPOLLERR:
                self._ask(member)
                self._poll.modify(descriptor, select.EPOLLIN)
                return
            data = read(descriptor, _READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lost(member, now_s)
        elif member.streaming:
            member.heard.feed(data, now_s=now_s)
            member.silent_since_s = now_s
        else:
            member.head += data
            self._understand(member, now_s)

    def _ask(self, member: Member) -> None:
        """Send the next request. OSError if the peer has gone."""
        assert member.connection is not None
        host = f"Host: {self._address[0]}:{self._address[1]}"
        if not member.ticket:
            request = f"POST {self._path}/join HTTP/1.1\r\n{host}\r\nContent-Length: 0\r\n\r\n"
        else:
            last = member.heard.last_seq
            resume = "" if last is None else f"&from={last + 1}"
            query = f"ticket={member.ticket}&rendition={self._plan.rendition}{resume}"
            request = f"GET {self._path}/stream?{query} HTTP/1.1\r\n{host}\r\n\r\n"
        # A request is shorter than any socket buffer: it is taken whole.
        member.connection.send(request.encode())

    def _understand(self, member: Member, now_s: float) -> None:
        """Act on an answer as soon as it is complete: to the join, then to the request of the stream."""
        head, separator, body = member.head.partition(b"\r\n\r\n")
        if not separator:
            return
        accepted = head.startswith(b"HTTP/1.1 200")
        if member.ticket and accepted:
            member.streaming, member.head, member.failures = True, b"", 0
            member.heard.feed(body, now_s=now_s)
            return
        if len(body) < int(_header(head, b"content-length") or 0):
            return
        if not accepted:
            self._refused(member, head, now_s)
            return
        answer = _answers.decode(body)
        if not answer.ticket:  # the doors are closed: ask again
            self._drop(member)
            self._later(member, now_s, after_s=_EARLY_S)
            return
        member.ticket, member.head, member.joined_s = answer.ticket, b"", now_s
        member.alternates = self._addresses(answer.alternates)
        try:
            self._ask(member)
        except OSError:
            self._lost(member, now_s)

    def _refused(self, member: Member, head: bytes, now_s: float) -> None:
        status = head[9:12].decode("latin-1")
        self._tally.refused[status] = self._tally.refused.get(status, 0) + 1
        if status == "403":
            member.ticket = self._plan.ticket
        self._drop(member)
        wait_s = _header(head, b"retry-after")
        self._later(member, now_s, after_s=float(wait_s) if wait_s.isdigit() else _EARLY_S)

    # --- once a second, and at the end -----------------------------------------------------------------

    def _second(self, now_s: float) -> None:
        """Give up edges that are silent; note what this process costs."""
        streaming = 0
        for member in list(self._members.values()):
            streaming += member.streaming
            silence_s = max(_SILENCE_MIN_S, _SILENCE_CADENCES * member.heard.playout.cadence_s)
            if now_s - member.silent_since_s > silence_s:
                self._lost(member, now_s)
        used = resource.getrusage(resource.RUSAGE_SELF)
        self._cpu.append((now_s, used.ru_utime + used.ru_stime, streaming))

    def _judge(self, now_s: float) -> Tally:
        tally = self._tally
        for member in self._all:
            heard = member.heard
            if member.joined_s is not None:
                tally.join_ms.append((member.joined_s - member.began_s) * 1_000)
            if heard.first_sound_s is None:
                continue
            heard.close(now_s=now_s)
            tally.first_sound_ms.append((heard.first_sound_s - member.began_s) * 1_000)
            tally.bytes += heard.bytes
            tally.chunks += heard.chunks
            tally.connections_lost += member.lost
            tally.missing_chunks += heard.missing
            tally.missed_chunks += heard.missed
            tally.repeated_chunks += heard.repeated
            tally.disordered_chunks += heard.disordered
            tally.moved += heard.moved
            tally.listeners_with_gaps += bool(heard.missing or heard.missed)
            tally.paused_listeners += heard.playout.paused_s > 0
            tally.paused_ms += heard.playout.paused_s * 1_000
            tally.longest_pause_ms = max(tally.longest_pause_ms, heard.playout.longest_pause_s * 1_000)
            tally.ended += heard.end_reason is not None
        tally.listening = sum(member.streaming for member in self._members.values())
        self._steady(tally)
        return tally

    def _steady(self, tally: Tally) -> None:
        """CPU per listener-second over the seconds in which the crowd was complete."""
        marks = [mark for mark in self._cpu if mark[2] >= self._plan.listeners]
        if len(marks) >= 2:
            (began_s, cpu_s, _), (end_s, cpu_end_s, _) = marks[0], marks[-1]
            tally.cpu_s = cpu_end_s - cpu_s
            tally.listener_seconds = (end_s - began_s) * self._plan.listeners


def _header(head: bytes, name: bytes) -> str:
    """The value of a header field, lower-cased name, or nothing."""
    for line in head.split(b"\r\n")[1:]:
        field_name, _, value = line.partition(b":")
        if field_name.lower() == name:
            return value.strip().decode("latin-1")
    return ""


def parse_target(url: str) -> tuple[str, int, str]:
    """Host, port and path of a conversation. BadInputError for any other address."""
    parts = urlsplit(url)
    try:
        port = parts.port or 80
    except ValueError as error:
        raise BadInputError(f"{url!r} has no port that exists.") from error
    if parts.scheme != "http" or not parts.hostname or not parts.path.startswith("/c/"):
        raise BadInputError(f"{url!r} is no conversation's address: it looks like http://host:8080/c/ID.")
    return parts.hostname, port, parts.path.rstrip("/")


def share_sizes(listeners: int, processes: int) -> list[int]:
    """How many listeners each process has: as equal as can be."""
    share = math.ceil(listeners / processes)
    return [min(share, listeners - share * index) for index in range(processes) if share * index < listeners]
