"""A crowd: thousands of real connections that join as the player does and check everything they hear."""

import errno
import json
import math
import multiprocessing
import resource
import select
import socket
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Final
from urllib.parse import urlsplit

import msgspec

from rostra.core.errors import BadInputError, RostraError
from rostra.core.limits import DESCRIPTORS_RESERVED
from rostra.rehearsal.continuity import Continuity

_READ_BYTES: Final = 256 * 1024
_RESUME_PAUSE_S: Final = 0.1  # after a refused connection; the first attempt is made at once
_EVENTS_MAX: Final = 1024
_CONNECTS_PER_TURN_MAX: Final = 64
# Linux lets 28,000 connections to one port leave from one address; each process brings its own addresses.
_LISTENERS_PER_ADDRESS: Final = 5_000
_IP_BIND_ADDRESS_NO_PORT: Final = 24


class CrowdPlan(msgspec.Struct, frozen=True):
    """Who comes: `listeners` in all, `join_rate_hz` of them a second, who stay until `seconds` after the first."""

    url: str
    listeners: int
    join_rate_hz: float
    seconds: float
    rendition: str = "webm-32"
    processes: int = 1


class CrowdReport(msgspec.Struct, frozen=True):
    """What the crowd heard. Times in milliseconds; `ok` if nobody missed anything."""

    listeners: int
    heard: int
    refused: int
    first_sound_p50_ms: float
    first_sound_p99_ms: float
    missing_chunks: int
    listeners_with_missing: int
    paused_listeners: int
    longest_pause_ms: float
    resumed: int
    moved: int
    bytes: int
    seconds: float
    cpu_us_per_listener_second: float

    @property
    def ok(self) -> bool:
        return self.heard == self.listeners and not (self.missing_chunks or self.moved or self.paused_listeners)


class Tally(msgspec.Struct):
    """What one process of the crowd has to say."""

    joined: int = 0
    refused: int = 0
    resumed: int = 0
    moved: int = 0
    missing_chunks: int = 0
    listeners_with_missing: int = 0
    paused_listeners: int = 0
    longest_pause_ms: float = 0.0
    bytes: int = 0
    cpu_s: float = 0.0
    listener_seconds: float = 0.0
    first_sound_ms: list[float] = []


def check_target(url: str, *, any_host: bool) -> tuple[str, int, str]:
    """Host, port and path. BadInputError for anything but a conversation, or (without leave) another machine."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname or not parts.path.startswith("/c/"):
        raise BadInputError(f"{url!r} is no conversation's address: it looks like http://host:8080/c/ID.")
    try:
        address = socket.gethostbyname(parts.hostname)
    except OSError as error:
        raise BadInputError(f"There is no host {parts.hostname!r}.") from error
    if not address.startswith("127.") and not any_host:
        raise BadInputError(f"{parts.hostname} is not this machine: say --i-own-this-target if it is yours.")
    return address, parts.port or 80, parts.path.rstrip("/")


def run_crowd(
    plan: CrowdPlan, *, any_host: bool = False, on_progress: Callable[[int], object] | None = None
) -> CrowdReport:
    """Send the crowd and wait for it. RostraError if this machine cannot hold it."""
    target = check_target(plan.url, any_host=any_host)
    share = math.ceil(plan.listeners / plan.processes)
    room = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - DESCRIPTORS_RESERVED
    if share > room:
        needed = math.ceil(plan.listeners / room)
        raise RostraError(f"A process may hold {room} connections here: use --processes {needed}.")
    context = multiprocessing.get_context("spawn")
    workers = []
    left = plan.listeners
    for index in range(plan.processes):
        mine, theirs = context.Pipe(duplex=False)
        count = min(share, left)
        left -= count
        part = msgspec.structs.replace(plan, listeners=count, join_rate_hz=plan.join_rate_hz / plan.processes)
        process = context.Process(target=_work, args=(part, target, index, theirs), name=f"crowd-{index}")
        process.start()
        theirs.close()
        workers.append((process, mine))
    tallies = [_collect(pipe, on_progress) for _, pipe in workers]
    for process, _ in workers:
        process.join()
    return _sum(plan, tallies)


def _collect(pipe: Connection, on_progress: Callable[[int], object] | None) -> Tally:
    try:
        while True:
            said = pipe.recv_bytes()
            if said.startswith(b"{"):
                return msgspec.json.decode(said, type=Tally)
            if on_progress is not None:
                on_progress(int(said))
    except EOFError as error:
        raise RostraError("A process of the crowd died: see its error above.") from error


def _sum(plan: CrowdPlan, tallies: list[Tally]) -> CrowdReport:
    first = sorted(ms for tally in tallies for ms in tally.first_sound_ms)
    cpu_s, listener_s = sum(t.cpu_s for t in tallies), sum(t.listener_seconds for t in tallies)
    return CrowdReport(
        listeners=plan.listeners,
        heard=len(first),
        refused=sum(t.refused for t in tallies),
        first_sound_p50_ms=round(statistics.median(first), 1) if first else math.inf,
        first_sound_p99_ms=round(first[math.ceil(0.99 * len(first)) - 1], 1) if first else math.inf,
        missing_chunks=sum(t.missing_chunks for t in tallies),
        listeners_with_missing=sum(t.listeners_with_missing for t in tallies),
        paused_listeners=sum(t.paused_listeners for t in tallies),
        longest_pause_ms=round(max(t.longest_pause_ms for t in tallies), 1),
        resumed=sum(t.resumed for t in tallies),
        moved=sum(t.moved for t in tallies),
        bytes=sum(t.bytes for t in tallies),
        seconds=plan.seconds,
        cpu_us_per_listener_second=round(1e6 * cpu_s / listener_s, 2) if listener_s else 0.0,
    )


# --- one process of the crowd ----------------------------------------------------------------------------


@dataclass(slots=True)
class Member:
    """One listener. `head` collects an answer until it is understood; then the stream goes to `heard`."""

    began_s: float
    source: str
    connection: socket.socket | None = None
    ticket: str = ""
    head: bytes = b""
    streaming: bool = False
    heard: Continuity = field(default_factory=Continuity)
    resumed: int = 0


def _work(plan: CrowdPlan, target: tuple[str, int, str], index: int, report: Connection) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    crowd = _Crowd(plan, target, index)
    tally = crowd.run(lambda joined: report.send_bytes(str(joined).encode()))
    report.send_bytes(msgspec.json.encode(tally))


class _Crowd:
    """All members of one process, in one epoll loop."""

    def __init__(self, plan: CrowdPlan, target: tuple[str, int, str], index: int) -> None:
        self._plan = plan
        self._address, self._path = target[:2], target[2]
        self._index = index
        self._poll = select.epoll()
        self._members: dict[int, Member] = {}
        self._all: list[Member] = []
        self._again: list[tuple[float, Member]] = []
        self._tally = Tally()
        self._buffer = bytearray(_READ_BYTES)

    def run(self, on_progress: Callable[[int], object]) -> Tally:
        began_s = told_s = time.monotonic()
        end_s = began_s + self._plan.seconds
        while (now_s := time.monotonic()) < end_s:
            due = min(self._plan.listeners, int((now_s - began_s) * self._plan.join_rate_hz) + 1)
            for _ in range(min(due - len(self._all), _CONNECTS_PER_TURN_MAX)):
                number = len(self._all) // _LISTENERS_PER_ADDRESS
                member = Member(now_s, f"127.0.{1 + self._index}.{1 + number}")
                self._all.append(member)
                self._connect(member)
            self._retry(now_s)
            for descriptor, events in self._poll.poll(0.005 if due < self._plan.listeners else 0.02, _EVENTS_MAX):
                self._serve(self._members[descriptor], events)
            if now_s - told_s > 1.0:
                told_s = now_s
                on_progress(sum(member.heard.last_seq is not None for member in self._all))
            if self._all and len(self._all) == self._plan.listeners and self._everybody_has_ended():
                break
        return self._judge(time.monotonic())

    def _everybody_has_ended(self) -> bool:
        return not self._members and all(member.heard.end_reason is not None for member in self._all)

    def _connect(self, member: Member) -> None:
        connection = socket.socket()
        connection.setblocking(False)
        if self._address[0].startswith("127."):
            connection.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
            connection.bind((member.source, 0))
        code = connection.connect_ex(self._address)
        if code not in (0, errno.EINPROGRESS):
            connection.close()
            self._again.append((time.monotonic() + _RESUME_PAUSE_S, member))
            return
        member.connection, member.head, member.streaming = connection, b"", False
        self._members[connection.fileno()] = member
        self._poll.register(connection.fileno(), select.EPOLLOUT)

    def _retry(self, now_s: float) -> None:
        due = [member for at_s, member in self._again if at_s <= now_s]
        self._again = [(at_s, member) for at_s, member in self._again if at_s > now_s]
        for member in due:
            self._connect(member)

    def _serve(self, member: Member, events: int) -> None:
        connection = member.connection
        assert connection is not None
        try:
            if events & select.EPOLLOUT and not events & select.EPOLLERR:
                connection.send(self._stream_request(member) if member.ticket else self._join_request())
                self._poll.modify(connection.fileno(), select.EPOLLIN)
                return
            size = connection.recv_into(self._buffer)
        except BlockingIOError:
            return
        except OSError:
            size = 0
        if not size:
            self._lost(member)
        elif member.streaming:
            member.heard.feed(bytes(self._buffer[:size]), now_s=time.monotonic())
        else:
            member.head += bytes(self._buffer[:size])
            self._understand(member)

    def _join_request(self) -> bytes:
        return f"POST {self._path}/join HTTP/1.1\r\nHost: rostra\r\nContent-Length: 0\r\n\r\n".encode()

    def _stream_request(self, member: Member) -> bytes:
        last = member.heard.last_seq
        resume = "" if last is None else f"&from={last + 1}"
        query = f"ticket={member.ticket}&rendition={self._plan.rendition}{resume}"
        return f"GET {self._path}/stream?{query} HTTP/1.1\r\nHost: rostra\r\n\r\n".encode()

    def _understand(self, member: Member) -> None:
        """Act on an answer as soon as it is complete: to the join, then to the request of the stream."""
        head, separator, body = member.head.partition(b"\r\n\r\n")
        if not separator:
            return
        connection = member.connection
        assert connection is not None
        accepted = head.startswith(b"HTTP/1.1 200")
        if member.ticket and accepted:
            member.streaming, member.head = True, b""
            if body:
                member.heard.feed(body, now_s=time.monotonic())
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        if len(body) < length:
            return
        if member.ticket or not accepted:
            self._tally.refused += 1
            self._drop(member)
            self._again.append((time.monotonic() + 1.0, member))
            return
        member.ticket = json.loads(body).get("ticket", "")
        member.head = b""
        if member.ticket:
            connection.send(self._stream_request(member))
        else:  # the doors are closed: ask again
            self._drop(member)
            self._again.append((time.monotonic() + 1.0, member))

    def _drop(self, member: Member) -> None:
        connection = member.connection
        assert connection is not None
        del self._members[connection.fileno()]
        connection.close()
        member.connection = None

    def _lost(self, member: Member) -> None:
        """The connection is gone: go on elsewhere at once, unless the conversation has ended."""
        was_streaming = member.streaming
        self._drop(member)
        if member.heard.end_reason is not None:
            return
        member.heard.reconnected()
        member.resumed += was_streaming
        if was_streaming:
            self._connect(member)
        else:
            self._again.append((time.monotonic() + _RESUME_PAUSE_S, member))

    def _judge(self, now_s: float) -> Tally:
        tally = self._tally
        for member in self._all:
            heard = member.heard
            if heard.first_sound_s is None:
                continue
            tally.joined += 1
            tally.first_sound_ms.append((heard.first_sound_s - member.began_s) * 1000)
            tally.listener_seconds += now_s - heard.first_sound_s
            tally.bytes += heard.bytes
            tally.resumed += member.resumed
            tally.moved += heard.moved
            tally.missing_chunks += heard.missing + heard.disorder
            tally.listeners_with_missing += heard.missing > 0
            tally.paused_listeners += heard.paused_s > 0
            tally.longest_pause_ms = max(tally.longest_pause_ms, heard.longest_pause_s * 1000)
        used = resource.getrusage(resource.RUSAGE_SELF)
        tally.cpu_s = used.ru_utime + used.ru_stime
        return tally
