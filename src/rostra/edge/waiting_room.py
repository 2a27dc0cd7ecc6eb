"""Who is let in now and who waits: the same answer at every worker, from what all of them know. No I/O.

Each worker gives away its share of the places that the whole fleet has free, to whoever asks and has fewer people
before them than there are places. So it does not matter whom somebody asks, nor who asks first.
"""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec

from rostra.core.limits import SEEN_MAX, SEVERAL_MAX
from rostra.core.messages import EdgeReport
from rostra.core.ticket import Place, TicketClass
from rostra.edge.estimate import Progress
from rostra.edge.fleet import Fleet
from rostra.edge.line import CLASSES, Line, Turns, Waiting

PROMISE_S: Final = 2.0  # from a ticket to its stream: the player opens it at once
KEPT_INTERVALS: Final = 3  # who has not asked again after three times what they were told has lost the place,
KEPT_MIN_S: Final = 30  # and not before a phone has found another network
_LATE_S: Final = 3  # people are counted so long after they should have asked again
_AGAIN_S: Final = (3.0, 30.0)  # the soonest and the latest that anybody is told to ask again
_AGAIN_UNKNOWN_S: Final = 15.0
_AGAIN_EACH_S: Final = 0.5  # for each who stands before: as long as nobody can tell how fast places come free
_AGAIN_CALLED_S: Final = 1.5  # there is or may be a place, of which this worker has no share in this second
_DOUBT_S: Final = 3  # until all have heard of all that was given: a promise, a report, and a report of the listener
_TURN_MS: Final = (50, 60_000)
_TURN_UNKNOWN_MS: Final = 200


@dataclass(frozen=True, slots=True)
class LetIn:
    """A place is held for PROMISE_S."""


@dataclass(frozen=True, slots=True)
class Wait:
    """`number` is 1 for who is next; `wait_s` None if nobody can tell."""

    place: Place
    number: int
    waiting: int
    wait_s: float | None
    again_s: float


class WaitingRoom:
    """One worker's part of it. `listeners` is how many listen here; `jitter` gives numbers in [0, 1)."""

    def __init__(self, fleet: Fleet, *, listeners: Callable[[], int], jitter: Callable[[], float]) -> None:
        self.fleet = fleet
        self.line = Line()
        self.progress = Progress()
        self.capacity = 0
        self.closed_to: TicketClass | None = None
        self._listeners = listeners
        self._jitter = jitter
        self._turns = Turns()
        self._turn_ms = _TURN_UNKNOWN_MS
        self._budget: int | None = None  # in the first second: what is free here
        self._promised: dict[bytes, float] = {}  # until when, the oldest first
        self._given = 0
        self._lately = deque[int](maxlen=_DOUBT_S)
        self._overtaking = 1.0
        self._come = [0] * CLASSES
        self._seen: list[bytes] = []
        self._told = ([0] * CLASSES, 0, 0, 0)  # what the last report says of its second
        self._heard_come = [0] * CLASSES
        self._heard = Counter[str]()
        self.gave_up = 0

    @property
    def room_here(self) -> int:
        return self.capacity - self._listeners() - len(self._promised)

    @property
    def room(self) -> int:
        """Free places in the whole fleet."""
        return self.fleet.room(self.room_here)

    @property
    def waiting(self) -> int:
        return len(self.line) + self.fleet.waiting

    # --- who asks ------------------------------------------------------------------------------------

    def ask(
        self,
        conversation: str,
        listener: bytes,
        ticket_class: TicketClass,
        place: Place | None,
        *,
        network: str,
        now_ms: int,
    ) -> LetIn | Wait:
        """Somebody wants to listen, with a `place` if they wait already."""
        self.line.leave(listener)
        if place is None:
            self._come[ticket_class] += 1
            tag_ms = now_ms
            if self.waiting or not self._may(ticket_class, 0):
                tag_ms = self._turns.tag(network, now_ms=now_ms, turn_ms=self._turn_ms)
                # Of the last hundred or so: whose turn comes at once, so that they overtake who has to wait for it.
                self._overtaking += ((tag_ms == now_ms) - self._overtaking) / 100
        else:
            tag_ms = place.tag_ms
        ahead = self.line.ahead(ticket_class, tag_ms, listener) + self.fleet.ahead(ticket_class, tag_ms)
        if self._may(ticket_class, ahead):
            self._let_in(listener, now_ms)
            return LetIn()
        asked_ms = now_ms if place is None else place.asked_ms
        return self._wait(
            conversation,
            listener,
            ticket_class,
            tag_ms,
            ahead,
            network=network,
            asked_ms=asked_ms,
            now_ms=now_ms,
        )

    def plain(self, now_ms: int) -> bool:
        """Whether somebody may listen who cannot wait (a radio, without a ticket)."""
        self._come[TicketClass.ANONYMOUS] += 1
        if not self._may(TicketClass.ANONYMOUS, self.waiting):
            return False
        self._spend(now_ms)
        return True

    def opened(self, listener: bytes) -> None:
        """The stream that was promised has begun."""
        self._promised.pop(listener, None)

    def closed(self, ticket_class: TicketClass) -> bool:
        """Whether the ladder keeps newcomers of this class out."""
        return self.closed_to is not None and ticket_class >= self.closed_to

    def _may(self, ticket_class: TicketClass, ahead: int) -> bool:
        budget = self.room_here if self._budget is None else self._budget
        return budget > 0 and ahead < self.room and not self.closed(ticket_class)

    def _let_in(self, listener: bytes, now_ms: int) -> None:
        self._see(listener)
        self._promised.pop(listener, None)
        self._promised[listener] = now_ms / 1_000 + PROMISE_S
        self._spend(now_ms)

    def _spend(self, now_ms: int) -> None:
        self._forget_promises(now_ms / 1_000)
        self._given += 1
        if self._budget is not None:
            self._budget -= 1

    def _wait(
        self,
        conversation: str,
        listener: bytes,
        ticket_class: TicketClass,
        tag_ms: int,
        ahead: int,
        *,
        network: str,
        asked_ms: int,
        now_ms: int,
    ) -> Wait:
        now_s, closed = now_ms // 1_000, self.closed(ticket_class)
        overtaken_s = max(0, tag_ms - now_ms) / 1_000

        def until_free(room: int) -> float | None:
            needed = ahead + 1 - room
            return self.progress.wait_s(ticket_class, needed, overtaken_s=overtaken_s, overtaking=self._overtaking)

        # What was given lately is counted twice for a moment, here as a promise and there as a listener.
        doubtful = len(self._promised) + sum(self._lately) * (1 + len(self.fleet.reports))
        wait_s = None if closed else until_free(self.room)
        again_s = _AGAIN_UNKNOWN_S if closed else _again_s(until_free(self.room + doubtful), ahead)
        again_s *= 0.75 + self._jitter() / 2
        back_by_s = now_s + 1 + max(KEPT_MIN_S, round(KEPT_INTERVALS * again_s))
        place = Place(conversation, listener, ticket_class, tag_ms, now_s, back_by_s, asked_ms)
        self.line.stand(listener, Waiting(ticket_class, tag_ms, network, now_s + 1 + round(again_s) + _LATE_S))
        self._see(listener)
        return Wait(place, ahead + 1, max(self.waiting, ahead + 1), wait_s, again_s)

    def _see(self, listener: bytes) -> None:
        if len(self._seen) < SEEN_MAX:
            self._seen.append(listener)

    # --- once a second -------------------------------------------------------------------------------

    def hear(self, report: EdgeReport) -> None:
        """Another worker's second."""
        for at in range(0, len(report.seen), 8):
            self.line.leave(report.seen[at : at + 8])
        for index, come in enumerate(report.come[:CLASSES]):
            self._heard_come[index] += come
        self._heard.update(freed=report.freed, left=report.left)

    def second(self, *, now_s: float, freed: int, draining: bool) -> None:
        """Count what was, and give this worker its share of what is free. `freed` listeners have left here."""
        self._forget_promises(now_s)
        left = self.line.expire(now_s=int(now_s))
        self.gave_up += left
        self._told = self._come, freed, left, self._given
        self._lately.append(self._given)
        self._given = 0
        self.progress.second(
            listeners=self._listeners() + sum(self.fleet.listeners().values()),
            freed=freed + self._heard["freed"],
            left=left + self._heard["left"],
            waiting=self.waiting,
            come=[here + there for here, there in zip(self._come, self._heard_come, strict=True)],
        )
        self._come, self._heard_come = [0] * CLASSES, [0] * CLASSES
        self._heard.clear()
        self._turn_ms = self._turn()
        self._budget = self.fleet.share(self.room, now_s=int(now_s), draining=draining)

    def _turn(self) -> int:
        """How long a round takes in which each network that waits here gets one place, and one that comes newly."""
        workers = 1 + len(self.fleet.reports)
        freed_hz = self.progress.freed_hz / workers
        if freed_hz <= 0:
            return _TURN_UNKNOWN_MS
        soonest_ms, latest_ms = _TURN_MS
        return round(min(latest_ms, max(soonest_ms, 1_000 * (1 + self.line.networks) / freed_hz)))

    def _forget_promises(self, now_s: float) -> None:
        while self._promised and (oldest := next(iter(self._promised.items())))[1] <= now_s:
            del self._promised[oldest[0]]

    def report(self, report: EdgeReport, *, several: dict[bytes, int]) -> EdgeReport:
        """`report` with this worker's part of the room; those who asked since the last one are told once."""
        come, freed, left, given = self._told
        seen, self._seen = b"".join(self._seen), []
        most = sorted(several.items(), key=lambda each: -each[1])[:SEVERAL_MAX]
        return msgspec.structs.replace(
            report,
            # Whoever reads this will do so until the next one: as many more will have been let in by then.
            room=self.room_here - given,
            waiting=self.line.census(),
            seen=seen,
            come=come,
            freed=freed,
            left=left,
            several={listener.hex(): count for listener, count in most},
        )


def _again_s(free_s: float | None, ahead: int) -> float:
    """Often enough that no place stays free for long, and no oftener: whoever is far from it asks seldom."""
    soonest_s, latest_s = _AGAIN_S
    if free_s is None:
        return min(_AGAIN_UNKNOWN_S, max(soonest_s, _AGAIN_EACH_S * ahead))
    return min(latest_s, max(soonest_s, free_s / 4)) if free_s else _AGAIN_CALLED_S
