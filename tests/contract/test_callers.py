"""A caller's place at a real desk on a real bus: the same PIN again, and a bus that is not there."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from bus_server import Bus, run
from rostra.audio.frame import Frame
from rostra.audio.jitter import JitterBuffer
from rostra.audio.opus import OpusDecoder
from rostra.bus import state
from rostra.bus.subjects import Role
from rostra.core.conversation import Conversation, Live, Schedule
from rostra.core.errors import BusError
from rostra.core.roster import Enter, Mute, StageRole
from rostra.core.units import SECOND_NS
from rostra.gate.arrival import Arrival
from rostra.gate.call_script import RosterSays
from rostra.gate.callers import Callers
from rostra.gate.desk import Desk
from rostra.gate.pin import Access, CallerRole
from rostra.gate.transport import Transport

ACCESS = Access("evening", CallerRole.SPEAKER, 3)


class Telephone:
    """A silent caller who keeps what is said about the call."""

    def __init__(self) -> None:
        self.told: list[RosterSays] = []
        self.arrival = Arrival("telephone", "opus", JitterBuffer(OpusDecoder()))

    def pull(self) -> Frame | None:
        return None

    @property
    def is_lossy(self) -> bool:
        return False

    def offer(self, payload: bytes) -> None:
        del payload


@asynccontextmanager
async def desk_of(bus: Bus) -> AsyncIterator[Desk]:
    async with bus.connect(Role.OPERATOR) as operator, bus.connect(Role.GATE) as gate:
        await state.provision(operator)
        schedule = Schedule("Evening", 0, 0, SECOND_NS, "UTC")
        desk = Desk(gate, Conversation("evening", schedule, Live(0)), Transport())
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(desk.run())
            yield desk
            running.cancel()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 # the roster tells callers, not tests
            await asyncio.sleep(0.02)


def test_who_dials_again_with_the_same_pin_keeps_the_seat_when_the_first_call_ends(bus: Bus) -> None:
    async def test() -> None:
        async with desk_of(bus) as desk:
            callers = Callers({"evening": desk}, key=bytes(32))
            first, second = Telephone(), Telephone()
            former = await callers.enter(ACCESS, first, first.told.append)
            caller = await callers.enter(ACCESS, second, second.told.append)
            assert former is not None
            assert caller is not None
            assert first.told == [RosterSays.ON_STAGE, RosterSays.ELSEWHERE]
            await former.leave()
            assert desk.connected == ["phone-3"]
            seated = desk.log.roster.seat("phone-3")
            assert seated is not None
            assert seated.generation == 2
            await desk.do("phone-3", Mute("phone-3"))
            await until(lambda: RosterSays.MUTED in second.told)
            await caller.leave()
            assert desk.log.roster.seat("phone-3") is None
            assert desk.connected == []

    run(test)


def test_a_caller_who_cannot_be_seated_because_the_bus_is_away_leaves_nothing_behind(bus: Bus) -> None:
    async def test() -> None:
        async with desk_of(bus) as desk:
            callers = Callers({"evening": desk}, key=bytes(32))
            await desk.do("host", Enter("Host", StageRole.HOST))
            bus.kill()
            telephone = Telephone()
            with pytest.raises(BusError):
                await callers.enter(ACCESS, telephone, telephone.told.append)
            assert desk.callers == {}
            assert desk.room.occupants == []

    run(test)
