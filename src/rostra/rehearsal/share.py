"""One process's share of a crowd: thousands of listeners in one epoll loop."""

import errno
import heapq
import math
import random
import resource
import select
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from os import read
from typing import Final

from rostra.rehearsal.continuity import Continuity, Lockstep
from rostra.rehearsal.crowd_report import CrowdPlan, Second, Tally
from rostra.rehearsal.member import Address, Member, answers, header, judge

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
# A crowd comes from as many networks as loopback has room for: one /16 for each process, each /24 of it in turn.
_COMPANIES_MAX: Final = 200
_IP_BIND_ADDRESS_NO_PORT: Final = 24
_RESET: Final = struct.pack("ii", 1, 0)  # SO_LINGER of no time: the connection ends with RST


class Share:
    """The listeners of one process. `allow` says which addresses of alternates may be asked."""

    def __init__(
        self,
        plan: CrowdPlan,
        address: Address,
        path: str,
        *,
        index: int,
        allow: Callable[[str], Address | None],
        come_s: Sequence[float] | None = None,
        leave_s: Sequence[float] | None = None,
    ) -> None:
        """`come_s` and `leave_s` say when each comes and goes; else they come evenly and stay."""
        self._plan = plan
        self._come_s = come_s if come_s is not None else [n / plan.join_rate_hz for n in range(plan.listeners)]
        self._leave_s = leave_s
        self._leaving: list[tuple[float, int]] = []
        self._began_s = 0.0
        self._unheard: list[Member] = []
        self._unjoined: list[Member] = []
        self._left = 0
        self._come = 0
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

    def run(self, on_second: Callable[[Second], object]) -> Tally:
        """Listen until the end; `on_second` is told once a second how it is, and may have members do something."""
        self._began_s = time.monotonic()
        second_s = self._began_s + 1.0
        end_s = self._began_s + self._plan.seconds
        come_s, members, poll = self._come_s, self._members, self._poll.poll
        listeners = len(come_s)
        while (now_s := time.monotonic()) < end_s and self._ended + self._left < len(
            self._all
        ) + listeners - self._come:
            for _ in range(_CONNECTS_PER_TURN_MAX):
                if self._come == listeners or come_s[self._come] > now_s - self._began_s:
                    break
                leaves_s = math.inf if self._leave_s is None else self._began_s + self._leave_s[self._come]
                self._come += 1
                self._enter(now_s, leaves_s)
            ready = poll(_TURN_S * 5, _EVENTS_MAX)
            now_s = time.monotonic()
            for descriptor, events in ready:
                if (member := members.get(descriptor)) is not None:  # it may have left in this very turn
                    self._serve(member, descriptor, events, now_s)
            if self._again:
                self._retry(now_s)
            if self._leaving:
                self._go(now_s)
            if now_s >= second_s:
                second_s += 1.0
                on_second(self._second(now_s))
            if len(ready) < _EVENTS_MAX // 8:
                time.sleep(_TURN_S)
        return self._judge(time.monotonic())

    def _go(self, now_s: float) -> None:
        while self._leaving and self._leaving[0][0] <= now_s:
            self._leave(self._all[heapq.heappop(self._leaving)[1]], now_s)

    def _leave(self, member: Member, now_s: float) -> None:
        if member.left:
            return
        self._left += 1
        member.left, member.leaves_s = True, now_s
        if member.streaming and not member.excused:
            member.heard.close(now_s=now_s)
        if member.connection is not None:
            self._drop(member)

    # --- what members do of their own accord -------------------------------------------------------------

    def some(self, share: float) -> list[Member]:
        """The first `share` of those who listen now."""
        listening = [member for member in self._members.values() if member.streaming]
        return listening[: math.ceil(share * len(listening))]

    def reload(self, members: Iterable[Member], *, now_s: float) -> None:
        """Each closes the page and is somebody new at once, without a ticket."""
        for member in members:
            self._leave(member, now_s)
            self._enter(now_s, math.inf)

    def vanish(self, members: Iterable[Member]) -> None:
        """They are gone without a goodbye: the edge is told by a reset, if at all."""
        for member in members:
            if member.connection is not None:
                member.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                self._drop(member)
                member.heard.reconnected()
            member.excused = True

    def come_back(self, members: Iterable[Member], *, now_s: float) -> None:
        for member in members:
            if not member.left:
                self._connect(member, now_s)

    def sleep(self, members: Iterable[Member]) -> None:
        """They read nothing; what comes stays with the kernel."""
        for member in members:
            if member.connection is not None:
                member.asleep = member.excused = True
                self._poll.modify(member.connection.fileno(), 0)

    def wake(self, members: Iterable[Member], *, now_s: float) -> None:
        for member in members:
            member.asleep, member.silent_since_s = False, now_s
            if member.connection is not None:
                self._poll.modify(member.connection.fileno(), select.EPOLLIN)

    # --- connections -----------------------------------------------------------------------------------

    def _enter(self, now_s: float, leaves_s: float) -> None:
        number = len(self._all)
        source = f"127.{self._index % _COMPANIES_MAX}.{1 + number % 250}.{1 + number // 250 % 250}"
        heard = Continuity(self._lockstep.follow)
        ticket = self._plan.ticket
        member = Member(now_s, now_s, source, self._address, heard, ticket=ticket, leaves_s=leaves_s)
        if leaves_s < math.inf:
            heapq.heappush(self._leaving, (leaves_s, len(self._all)))
        self._all.append(member)
        self._unheard.append(member)
        self._unjoined.append(member)
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
        if member.left:
            return
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
            query = f"?place={member.place}" if member.place else "?again=1" if member.failures else ""
            request = f"POST {self._path}/join{query} HTTP/1.1\r\n{host}\r\nContent-Length: 0\r\n\r\n"
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
        if len(body) < int(header(head, b"content-length") or 0):
            return
        if not accepted:
            self._refused(member, head, now_s)
            return
        answer = answers.decode(body)
        if not answer.ticket:  # the doors are closed, or there is no place yet: ask again
            if answer.place:
                member.place = answer.place
                member.wait = member.wait or (now_s, answer.wait_s)
            self._drop(member)
            self._later(member, now_s, after_s=answer.again_s)
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
        wait_s = header(head, b"retry-after")
        self._later(member, now_s, after_s=float(wait_s) if wait_s.isdigit() else _EARLY_S)

    # --- once a second, and at the end -----------------------------------------------------------------

    def _second(self, now_s: float) -> Second:
        """Give up edges that are silent; say how everybody is, and what this process costs."""
        streaming = paused = 0
        pause_max_s = 0.0
        for member in list(self._members.values()):
            if member.asleep:
                continue
            playout = member.heard.playout
            streaming += member.streaming
            if member.streaming and not member.excused:
                playout.until(now_s)
                pause_s = playout.recent_pause_s()
                paused += pause_s > 0
                pause_max_s = max(pause_max_s, pause_s)
            silence_s = now_s - member.silent_since_s
            if silence_s > max(_SILENCE_MIN_S, _SILENCE_CADENCES * playout.cadence_s):
                self._lost(member, now_s)
        used = resource.getrusage(resource.RUSAGE_SELF)
        cpu_s = used.ru_utime + used.ru_stime
        self._cpu.append((now_s, cpu_s, streaming))
        joined = [member for member in self._unjoined if member.joined_s is not None]
        heard = [member for member in self._unheard if member.heard.first_sound_s is not None]
        if joined:
            self._unjoined = [member for member in self._unjoined if member.joined_s is None]
        if heard:
            self._unheard = [member for member in self._unheard if member.heard.first_sound_s is None]
        return Second(
            at_s=now_s - self._began_s,
            come=len(self._all),
            left=self._left,
            heard=len(self._all) - len(self._unheard),
            listening=streaming,
            paused=paused,
            pause_max_ms=pause_max_s * 1_000,
            lost=sum(member.lost for member in self._all),
            waiting=sum(m.wait is not None and not m.left for m in self._unjoined),
            refused=sum(self._tally.refused.values()),
            missing=sum(m.heard.missing + m.heard.missed for m in self._all if not m.excused),
            join_ms=[(m.joined_s - m.began_s) * 1_000 for m in joined if m.joined_s is not None],
            first_sound_ms=[
                (m.heard.first_sound_s - m.began_s) * 1_000 for m in heard if m.heard.first_sound_s is not None
            ],
            cpu_s=cpu_s,
        )

    def _judge(self, now_s: float) -> Tally:
        judge(self._all, self._tally, began_s=self._began_s, now_s=now_s)
        self._tally.listening = sum(member.streaming for member in self._members.values())
        self._steady(self._tally)
        return self._tally

    def _steady(self, tally: Tally) -> None:
        """CPU per listener-second over the seconds in which the crowd was complete."""
        marks = [mark for mark in self._cpu if mark[2] >= self._plan.listeners]
        if len(marks) >= 2:
            (began_s, cpu_s, _), (end_s, cpu_end_s, _) = marks[0], marks[-1]
            tally.cpu_s = cpu_end_s - cpu_s
            tally.listener_seconds = (end_s - began_s) * self._plan.listeners
