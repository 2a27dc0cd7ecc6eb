"""What a desk does with people on a real bus: two calls with one PIN, feeds in the list, what became of a voice."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field

import numpy as np

from bus_server import Bus, run
from rostra.audio.frame import Frame, frame_to_pcm16, silence
from rostra.audio.jitter import JitterBuffer
from rostra.audio.opus import OpusDecoder
from rostra.bus import state
from rostra.bus.hops import follow_hops
from rostra.bus.seats import SeatPublisher
from rostra.bus.subjects import Role
from rostra.core.conversation import Conversation, Live, Schedule
from rostra.core.messages import FeedFrames, HopReport
from rostra.core.units import SECOND_NS
from rostra.gate.arrival import Arrival
from rostra.gate.call_script import RosterSays
from rostra.gate.callers import Callers
from rostra.gate.desk import Desk
from rostra.gate.pin import Access, CallerRole
from rostra.gate.transport import Transport

NOON_NS = 1_790_000_000 * SECOND_NS
EVENING = Conversation(
    "evening", Schedule("Evening", NOON_NS, NOON_NS, NOON_NS + SECOND_NS, "UTC", "en"), Live(since_ns=NOON_NS)
)
PIN = Access("evening", CallerRole.SPEAKER, 1)


async def until(true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not within 5 s")


@dataclass
class Handset:
    """A telephone that is silent, and remembers what it was told."""

    told: list[RosterSays] = field(default_factory=list)
    buffer: JitterBuffer = field(default_factory=lambda: JitterBuffer(OpusDecoder()))

    @property
    def arrival(self) -> Arrival:
        return Arrival("telephone", "PCMA", self.buffer)

    def pull(self) -> Frame | None:
        return silence()

    @property
    def is_lossy(self) -> bool:
        return False

    def offer(self, payload: bytes) -> None:
        del payload

    async def hears(self, what: RosterSays) -> None:
        await until(lambda: what in self.told)


@asynccontextmanager
async def desk_at(bus: Bus) -> AsyncIterator[Desk]:
    async with bus.connect(Role.GATE) as gate, asyncio.TaskGroup() as tasks:
        desk = Desk(gate, EVENING, Transport())
        running = tasks.create_task(desk.run())
        yield desk
        running.cancel()


def test_the_newest_call_with_a_pin_has_the_seat_and_the_former_is_told_why_it_ends(bus: Bus) -> None:
    async def test() -> None:
        async with bus.connect(Role.OPERATOR) as operator:
            await state.provision(operator)
        async with desk_at(bus) as desk:
            callers = Callers({"evening": desk}, key=bytes(32))
            first, second = Handset(), Handset()
            former = await callers.enter(PIN, first, first.told.append)
            newest = await callers.enter(PIN, second, second.told.append)
            assert former is not None
            assert newest is not None
            await first.hears(RosterSays.ELSEWHERE)
            await former.leave()  # what the end of a call does
            await second.hears(RosterSays.ON_STAGE)
            assert [seated.person for seated in desk.log.roster.seats] == ["phone-1"]
            assert desk.room.occupants == ["phone-1"]
            assert desk.connected == ["phone-1"]
            assert RosterSays.ELSEWHERE not in second.told
            await newest.leave()
            assert desk.log.roster.seats == ()
            assert desk.room.occupants == []

    run(test)


def test_a_call_at_another_gate_takes_the_seat_likewise(bus: Bus) -> None:
    async def test() -> None:
        async with bus.connect(Role.OPERATOR) as operator:
            await state.provision(operator)
        async with desk_at(bus) as here, desk_at(bus) as there:
            first, second = Handset(), Handset()
            former = await Callers({"evening": here}, key=bytes(32)).enter(PIN, first, first.told.append)
            await Callers({"evening": there}, key=bytes(32)).enter(PIN, second, second.told.append)
            assert former is not None
            await first.hears(RosterSays.ELSEWHERE)
            await former.leave()
            await there.log.catch_up()
            assert [seated.person for seated in there.log.roster.seats] == ["phone-1"]
            assert there.connected == ["phone-1"]
            assert here.connected == []

    run(test)


def test_a_feed_is_in_the_list_of_people_under_its_name_for_as_long_as_it_is_heard(bus: Bus) -> None:
    async def test() -> None:
        async with bus.connect(Role.OPERATOR) as operator:
            await state.provision(operator)
        async with desk_at(bus) as desk, bus.connect(Role.FEED) as feed:
            publisher, loud = SeatPublisher(feed, "evening"), frame_to_pcm16(np.full(960, 0.1, np.float32))

            def listed() -> list[tuple[str, str, bool]]:
                return [(each["name"], each["role"], each["speaking"]) for each in desk.view("")["seats"]]

            assert listed() == []
            async with asyncio.timeout(10):
                seq = 0
                while listed() != [("radio", "feed", True)]:
                    await publisher.send(FeedFrames("radio", seq, 0, 0, loud))
                    seq += 1
                    await asyncio.sleep(0.02)
                await publisher.send(FeedFrames("radio", seq, 0, 0, b"", last=True))
                await until(lambda: not listed())

    run(test)


def test_what_became_of_a_voice_is_told_when_it_leaves(bus: Bus) -> None:
    async def test() -> None:
        async with bus.connect(Role.OPERATOR) as operator:
            await state.provision(operator)
        async with bus.connect(Role.RECORDER) as recorder, desk_at(bus) as desk:
            reported: asyncio.Future[HopReport] = asyncio.get_running_loop().create_future()

            async def listen() -> None:
                async with aclosing(follow_hops(recorder, "evening")) as reports:
                    async for report in reports:
                        reported.set_result(report)
                        return

            async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
                tasks.create_task(listen())
                phone = Handset()
                phone.buffer.provenance.received = 7
                caller = await Callers({"evening": desk}, key=bytes(32)).enter(PIN, phone, phone.told.append)
                assert caller is not None
                await caller.leave()
            report = reported.result()
            assert (report.hop, report.seat) == ("gate", "phone-1")
            assert report.path == {"transport": "telephone", "codec": "PCMA", "sound": "raw"}
            assert report.counts["received"] == 7
            assert report.at_ns > report.since_ns

    run(test)
