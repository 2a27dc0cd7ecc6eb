"""What edges tell one another of those who wait, and what the site withdraws, over a real bus."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bus_server import Bus, run
from rostra.bus import state
from rostra.bus.connection import Connection
from rostra.bus.programmes import BusProgrammes
from rostra.bus.revoked import Revocations, keep_revoked, revoke
from rostra.bus.subjects import Role
from rostra.core.messages import EdgeReport
from rostra.core.ticket import TicketClass
from rostra.edge.fleet import Fleet
from rostra.edge.waiting_room import LetIn, Wait, WaitingRoom


class Worker:
    """One worker's waiting room on the bus; `listening` are let in, and stay."""

    def __init__(self, connection: Connection, name: str, capacity: int) -> None:
        self.room = WaitingRoom(
            Fleet(name, "http://edge"), listeners=lambda: len(self.listening), jitter=lambda: 0.5
        )
        self.room.capacity = capacity
        self.listening: list[bytes] = []
        self.programmes = BusProgrammes(connection)

    async def follow(self) -> None:
        async for report in self.programmes.edge_reports():
            if self.room.fleet.hear(report, now_s=time.monotonic()):
                self.room.hear(report)

    async def second(self, now_s: int) -> None:
        self.room.fleet.survey(now_s=time.monotonic())
        self.room.second(now_s=now_s, freed=0, draining=False)
        fleet = self.room.fleet
        report = EdgeReport(fleet.edge_id, fleet.url, now_s, {}, self.room.capacity, 100, 0.0)
        await self.programmes.report(self.room.report(report, several={}))

    def ask(self, listener: bytes, now_ms: int, waited: Wait | None = None) -> LetIn | Wait:
        place = None if waited is None else waited.place
        asked = self.room.ask(
            "evening", listener, TicketClass.ANONYMOUS, place, network=listener.hex(), now_ms=now_ms
        )
        if isinstance(asked, LetIn):
            self.listening.append(listener)
            self.room.opened(listener)
        return asked


@asynccontextmanager
async def workers(bus: Bus, *capacities: int) -> AsyncIterator[list[Worker]]:
    async with bus.connect(Role.OPERATOR) as operator:
        await state.provision(operator)
    async with bus.connect(Role.EDGE) as one, bus.connect(Role.EDGE) as two, asyncio.TaskGroup() as tasks:
        made = [
            Worker(connection, f"edge-{n}", capacity)
            for n, (connection, capacity) in enumerate(zip((one, two), capacities, strict=True))
        ]
        following = [tasks.create_task(worker.follow()) for worker in made]
        yield made
        for task in following:
            task.cancel()


async def tell(made: list[Worker], now_s: int) -> None:
    """A second of all workers, one after the other, each until the others have heard it."""
    for worker in made:
        for other in made:
            while other is not worker and now_s not in [report.at_ns for report in other.room.fleet.reports]:
                await worker.second(now_s)  # again, should a subscription not have been there yet
                await asyncio.sleep(0.02)
    for worker in made:
        worker.room.fleet.survey(now_s=time.monotonic())


def test_whoever_waits_at_one_worker_has_the_same_place_at_another_and_takes_its_free_place(bus: Bus) -> None:
    async def test() -> None:
        async with workers(bus, 0, 0) as made:
            one, two = made
            now_s = 1_900_000_000
            await tell(made, now_s)
            waits = [one.ask(bytes([n]) * 8, now_s * 1_000 + n) for n in range(3)]
            assert [wait.number for wait in waits if isinstance(wait, Wait)] == [1, 2, 3]
            await tell(made, now_s + 1)
            late = two.ask(b"latecome", (now_s + 2) * 1_000)
            assert isinstance(late, Wait)
            assert (late.number, late.waiting) == (4, 4)
            await tell(made, now_s + 3)
            second = two.ask(bytes([1]) * 8, (now_s + 4) * 1_000, waits[1])  # asks the other worker this time
            assert isinstance(second, Wait)
            assert second.number == 2
            for after_s in (4, 5):  # the first worker learns who has left it, then says so
                await tell(made, now_s + after_s)
            assert one.room.waiting == two.room.waiting == 4  # and is counted once
            two.room.capacity = 2
            for after_s in range(6, 10):  # a share of each place goes round
                await tell(made, now_s + after_s)
                now_ms = (now_s + after_s) * 1_000
                for worker in made:
                    for listener, wait in (
                        (b"latecome", late),
                        (bytes([2]) * 8, waits[2]),
                        (bytes([1]) * 8, second),
                        (bytes([0]) * 8, waits[0]),
                    ):
                        let_in = [listener for each in made for listener in each.listening]
                        if listener not in let_in and len(let_in) < 2:
                            worker.ask(listener, now_ms, wait if isinstance(wait, Wait) else None)
            assert {listener for each in made for listener in each.listening} == {bytes([0]) * 8, bytes([1]) * 8}

    run(test)


def test_what_a_site_withdraws_edges_know_in_a_moment_and_those_that_start_later_too(bus: Bus) -> None:
    async def test() -> None:
        async with bus.connect(Role.OPERATOR) as operator:
            await state.provision(operator)
        async with bus.connect(Role.SITE) as site, bus.connect(Role.EDGE) as edge, asyncio.TaskGroup() as tasks:
            early: Revocations = {}
            late: Revocations = {}
            following = [tasks.create_task(keep_revoked(edge, early))]
            async with asyncio.TaskGroup() as together:
                for listener in (b"listener", b"another."):
                    together.create_task(revoke(site, "evening", listener, now_s=1_000))
            following.append(tasks.create_task(keep_revoked(edge, late)))
            async with asyncio.timeout(10):
                while not len(early.get("evening", ())) == len(late.get("evening", ())) == 2:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            assert set(early["evening"]) == {b"listener".hex(), b"another.".hex()}
            assert early == late
            for task in following:
                task.cancel()

    run(test)
