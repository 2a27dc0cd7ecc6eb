"""A hall of people and the waiting rooms of several workers, in a time of its own: seeded, without sockets."""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from rostra.core.messages import EdgeReport
from rostra.core.ticket import Place, TicketClass
from rostra.edge.fleet import Fleet
from rostra.edge.waiting_room import LetIn, Wait, WaitingRoom

BEGAN_S = 1_900_000_000


@dataclass(eq=False)
class Person:
    """Somebody who comes at `came_s`; `told` is every answer while they waited, with when it was given."""

    listener: bytes
    came_s: float
    ticket_class: TicketClass = TicketClass.ANONYMOUS
    network: str = ""
    patience_s: float = float("inf")
    stays_s: float = float("inf")
    place: Place | None = None
    in_s: float | None = None
    told: list[tuple[float, Wait]] = field(default_factory=list)


class Worker:
    def __init__(self, name: str, capacity: int, chance: random.Random) -> None:
        self.listening: set[Person] = set()
        self.freed = 0
        self.room = WaitingRoom(Fleet(name, "http://edge"), listeners=self._count, jitter=chance.random)
        self.room.capacity = capacity

    def _count(self) -> int:
        return len(self.listening)

    def second(self, now_s: float) -> None:
        self.room.fleet.survey(now_s=now_s)
        self.room.second(now_s=now_s, freed=self.freed, draining=False)
        self.freed = 0

    def report(self) -> EdgeReport:
        fleet = self.room.fleet
        return self.room.report(
            EdgeReport(fleet.edge_id, fleet.url, 0, {"evening": self._count()}, 0, 100, 0), several={}
        )


class Hall:
    """`workers` share one port: each request meets one of them by chance."""

    def __init__(self, capacities: list[int], *, seed: int = 1) -> None:
        self.chance = random.Random(seed)
        self.workers = [Worker(f"edge-{n}", capacity, self.chance) for n, capacity in enumerate(capacities)]
        self.now_s = float(BEGAN_S)
        self.let_in: list[Person] = []
        self._events: list[tuple[float, int, str, Person | Worker]] = []
        self._number = 0
        for worker in self.workers:
            self._at(self.now_s + self.chance.random(), "second", worker)

    def come(self, person: Person) -> None:
        self._at(person.came_s, "ask", person)

    def people(self, count: int, *, after_s: float = 0.0, each_s: float = 0.0, **traits: object) -> list[Person]:
        """`count` people, one after the other."""
        found = []
        for n in range(count):
            came_s = self.now_s + after_s + n * each_s
            person = Person(self.chance.randbytes(8), came_s, **traits)  # type: ignore[arg-type]
            person.network = person.network or person.listener.hex()
            found.append(person)
            self.come(person)
        return found

    def run(self, seconds: float) -> None:
        until_s = self.now_s + seconds
        while self._events and self._events[0][0] <= until_s:
            self.now_s, _, what, who = heapq.heappop(self._events)
            if isinstance(who, Worker):
                self._second(who)
            elif what == "ask":
                self._ask(who)
            else:
                self._leave(who)
        self.now_s = until_s

    @property
    def listening(self) -> int:
        return sum(len(worker.listening) for worker in self.workers)

    def _at(self, at_s: float, what: str, who: Person | Worker) -> None:
        self._number += 1
        heapq.heappush(self._events, (at_s, self._number, what, who))

    def _second(self, worker: Worker) -> None:
        worker.second(self.now_s)
        report = worker.report()
        for other in self.workers:
            if other is not worker and other.room.fleet.hear(report, now_s=self.now_s):
                other.room.hear(report)
        self._at(self.now_s + 1, "second", worker)

    def _ask(self, person: Person) -> None:
        if self.now_s - person.came_s > person.patience_s:
            return
        place = person.place
        if place is not None and place.back_by_s < self.now_s:
            place = None
        answer = self.chance.choice(self.workers).room.ask(
            "evening",
            person.listener,
            person.ticket_class,
            place,
            network=person.network,
            now_ms=int(self.now_s * 1_000),
        )
        match answer:
            case LetIn():
                # The stream meets any worker, perhaps another one.
                worker = self.chance.choice(self.workers)
                worker.listening.add(person)
                worker.room.opened(person.listener)
                person.in_s = self.now_s
                self.let_in.append(person)
                if person.stays_s != float("inf"):
                    self._at(self.now_s + person.stays_s, "leave", person)
            case Wait():
                person.place = answer.place
                person.told.append((self.now_s, answer))
                self._at(self.now_s + answer.again_s, "ask", person)

    def _leave(self, person: Person) -> None:
        for worker in self.workers:
            if person in worker.listening:
                worker.listening.discard(person)
                worker.freed += 1


def errors(people: list[Person], *, sooner_s: float = 0.0) -> Iterator[float]:
    """By how much each estimate of `sooner_s` or more was wrong, as a share of the true time."""
    for person in people:
        for told_s, wait in person.told:
            if person.in_s is not None and wait.wait_s is not None and person.in_s - told_s >= max(1, sooner_s):
                true_s = person.in_s - told_s
                yield abs(wait.wait_s - true_s) / true_s
