"""P8: two gates keep one roster, and every act on it is kept with who, when and why."""

import asyncio

from bus_server import Bus, run
from rostra.bus import state
from rostra.bus.roster import RosterLog
from rostra.bus.subjects import ACT_STREAM, Role, act_subject
from rostra.core.limits import SEATS_MAX
from rostra.core.messages import StageAct, decode
from rostra.core.roster import Declined, Enter, LetUp, Mute, RaiseHand, StageRole
from rostra.core.units import SECOND_NS

HOST, SPEAKER = StageRole.HOST, StageRole.SPEAKER


def test_two_gates_do_not_give_the_last_seat_away_twice(bus: Bus) -> None:
    async def test() -> None:
        async with bus.connect(Role.OPERATOR) as operator, bus.connect(Role.GATE) as a, bus.connect(Role.GATE) as b:
            await state.provision(operator)
            here, there = RosterLog(a, "evening"), RosterLog(b, "evening")
            async with asyncio.TaskGroup() as tasks:
                coming = [
                    tasks.create_task(
                        (here, there)[n % 2].do(f"guest-{n}", Enter(f"Guest {n}", SPEAKER), now_ns=n * SECOND_NS)
                    )
                    for n in range(SEATS_MAX + 5)
                ]
            assert sum(isinstance(each.result(), Declined) for each in coming) == 5
            await here.catch_up()
            await there.catch_up()
            assert here.roster == there.roster
            assert here.number == there.number == len(here.roster.seats) == SEATS_MAX

    run(test)


def test_p8_every_act_is_kept_with_who_when_and_why(bus: Bus) -> None:
    async def test() -> None:
        async with bus.connect(Role.OPERATOR) as operator, bus.connect(Role.GATE) as gate:
            await state.provision(operator)
            log = RosterLog(gate, "evening")
            assert await log.do("ann", Enter("Ann", HOST), now_ns=1) is None
            assert await log.do("bob", RaiseHand("Bob"), now_ns=2) is None
            assert await log.do("ann", LetUp("bob"), now_ns=3) is None
            assert await log.do("ann", Mute("bob"), why="There is an echo.", now_ns=4) is None
            assert isinstance(await log.do("bob", Mute("ann"), now_ns=5), Declined)
            kept = await operator.last_of_each(ACT_STREAM, [act_subject("evening", "*")])
            acts = [decode(stored.payload) for stored in kept]
            assert [(a.by, a.at_ns) for a in acts if isinstance(a, StageAct)] == [
                ("ann", 1),
                ("bob", 2),
                ("ann", 3),
                ("ann", 4),
            ]
            assert acts[-1] == StageAct("evening", 4, 4, "ann", Mute("bob"), "There is an echo.")

    run(test)


def test_a_gate_that_was_away_follows_up_and_one_that_starts_reads_all(bus: Bus) -> None:
    async def test() -> None:
        async with bus.connect(Role.OPERATOR) as operator, bus.connect(Role.GATE) as a, bus.connect(Role.GATE) as b:
            await state.provision(operator)
            here, there = RosterLog(a, "evening"), RosterLog(b, "evening")
            async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
                following = tasks.create_task(there.run())
                await here.do("ann", Enter("Ann", HOST), now_ns=1)
                await there.beyond(0)
                for n in range(300):
                    await here.do(f"fan-{n}", RaiseHand(f"Fan {n}"), now_ns=2 + n)
                await there.beyond(300)
                assert there.roster == here.roster
                late = RosterLog(b, "evening")
                await late.catch_up()
                assert late.roster == here.roster
                following.cancel()

    run(test)
