"""What the bus promises, on a real nats-server: the embedded one, and one reached by URL like a cluster."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from bus_server import Bus, run
from rostra.bus import state
from rostra.bus.bans import follow_bans, tell_ban
from rostra.bus.connection import Address, Connection, connect
from rostra.bus.fsck import check
from rostra.bus.programme import ProgrammePublisher, follow_programme, stored_chunks
from rostra.bus.seats import SeatPublisher, call_seats, calls, follow_seats
from rostra.bus.server import prepare
from rostra.bus.subjects import (
    INVITATION_KEY,
    SECRET_STREAM,
    TICKET_KEY,
    Role,
    act_subject,
    seat_subject,
    state_subject,
)
from rostra.core.conversation import Conversation, End, Schedule, advance
from rostra.core.errors import BusError, ConflictError
from rostra.core.keys import KeyRing
from rostra.core.limits import RING_CHUNKS_MAX
from rostra.core.messages import BanNotice, Chunk, FeedFrames, Lease
from system import free_port

CONVERSATION = Conversation("evening", Schedule("Evening", 3_000, 2_000, 9_000, "UTC"))


def chunk(seq: int, *, epoch: int = 1) -> Chunk:
    return Chunk("evening", epoch, seq, seq * 100_000_000, "live", -16.0, {"webm-64": bytes(800)})


def publisher_of(connection: Connection, *, holds_lease: bool = True) -> ProgrammePublisher:
    """A publisher for which every chunk is late, so that it asks each time whether the lease is still its own."""

    async def may_publish() -> bool:
        return holds_lease

    return ProgrammePublisher(connection, may_publish=may_publish, clock_ns=lambda: 10**18)


async def take(count: int, connection: Connection, *, into: list[int] | None = None) -> list[int]:
    """The numbers of the next `count` chunks that a follower is given."""
    numbers: list[int] = [] if into is None else into
    async with aclosing(follow_programme(connection, "evening")) as chunks:
        async for each in chunks:
            numbers.append(each.seq)
            if len(numbers) == count:
                break
    return numbers


def test_provisioning_twice_and_at_once_gives_one_ticket_key(bus: Bus) -> None:
    async def test() -> None:
        async with bus.connect(Role.OPERATOR) as one, bus.connect(Role.OPERATOR) as two:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(state.provision(one))
                tasks.create_task(state.provision(two))
            keys = await state.ticket_keys(one)
            await state.provision(two)
            assert (await state.ticket_keys(two)).keys == keys.keys

    run(test)


def test_two_who_rotate_the_ticket_key_at_once_make_two_new_keys_and_an_edge_may_read_them(bus: Bus) -> None:
    async def test() -> None:
        async with bus.connect(Role.OPERATOR) as one, bus.connect(Role.OPERATOR) as two:
            await state.provision(one)
            before = (await state.ticket_keys(one)).keys
            async with asyncio.TaskGroup() as tasks:
                for connection in (one, two):
                    tasks.create_task(state.rotate_ticket_keys(connection, now_s=1_000))
            async with bus.connect(Role.EDGE) as edge:
                after = (await state.ticket_keys(edge)).keys
            assert [key.id for key in after] == [before[0].id + 2, before[0].id + 1, *(key.id for key in before)]
            assert len({key.secret for key in after}) == len(after)
            alone = await state.rotate_ticket_keys(one, now_s=1_000, forget=True)
            assert (await state.ticket_keys(two)).keys == (alone,)
            assert KeyRing(alone).signing(now_s=1_000) == alone

    run(test)


def test_a_conversation_is_created_once_changed_by_compare_and_set_and_followed(bus: Bus) -> None:
    async def test() -> None:
        async with bus.connect(Role.OPERATOR) as operator, bus.connect(Role.STAGE) as stage:
            await state.provision(operator)
            await state.create_conversation(operator, CONVERSATION)
            with pytest.raises(ConflictError):
                await state.create_conversation(operator, CONVERSATION)

            def end(before: Conversation) -> Conversation:
                return advance(before, End(), now_ns=5_000)

            def entitle(before: Conversation) -> Conversation:
                return replace(before, schedule=replace(before.schedule, title=before.schedule.title + "!"))

            async with aclosing(state.follow_conversations(stage)) as records:
                assert (await anext(records)).title == "Evening"
                async with asyncio.TaskGroup() as tasks:
                    for _ in range(5):
                        tasks.create_task(state.change_conversation(operator, "evening", entitle))
                while (await anext(records)).title != "Evening!!!!!":
                    continue
                await state.change_conversation(operator, "evening", end)
                assert (await anext(records)).state == "ended"
            assert await state.change_conversation(operator, "nobody", end) is None

    run(test)


def test_p6_a_killed_bus_loses_no_chunk_and_keeps_their_order(bus: Bus) -> None:
    async def test() -> None:
        async with bus.connect(Role.OPERATOR) as operator:
            await state.provision(operator)
        async with bus.connect(Role.STAGE) as stage, bus.connect(Role.EDGE) as edge, asyncio.TaskGroup() as tasks:
            publisher = publisher_of(stage)
            publishing = tasks.create_task(publisher.run())
            numbers: list[int] = []
            taking = tasks.create_task(take(150, edge, into=numbers))
            while not numbers:  # a follower that is not there yet gets the newest as history
                publisher.offer(chunk(0))
                await asyncio.sleep(0.01)
            for seq in range(1, 150):
                if seq == 50:
                    bus.kill()
                if seq == 100:
                    bus.start()
                publisher.offer(chunk(seq))
                await asyncio.sleep(0.005)
            assert await taking == list(range(150))
            await publisher.drained()
            publishing.cancel()
            assert publisher.dropped_chunks == 0
            assert await take(150, edge) == list(range(150))

    run(test)


def test_a_newcomer_gets_the_newest_chunks_first_and_then_the_programme(bus: Bus) -> None:
    async def test() -> None:
        async with bus.connect(Role.OPERATOR) as operator:
            await state.provision(operator)
        async with bus.connect(Role.STAGE) as stage, bus.connect(Role.EDGE) as edge, asyncio.TaskGroup() as tasks:
            publisher = publisher_of(stage)
            publishing = tasks.create_task(publisher.run())
            for seq in range(RING_CHUNKS_MAX + 50):
                publisher.offer(chunk(seq))
            await publisher.drained()
            async with aclosing(follow_programme(edge, "evening")) as chunks:
                stored = [(await anext(chunks)).seq for _ in range(RING_CHUNKS_MAX)]
                assert stored == list(range(50, RING_CHUNKS_MAX + 50))
                taking = tasks.create_task(anext(chunks))
                seq = RING_CHUNKS_MAX + 50
                while not taking.done():  # a programme goes on: what came before somebody listened is a hole
                    publisher.offer(chunk(seq))
                    seq += 1
                    await asyncio.sleep(0.1)
                assert taking.result().seq == RING_CHUNKS_MAX + 50
            publishing.cancel()

    run(test)


def test_a_chunk_is_written_once_and_a_deposed_stage_is_refused(bus: Bus) -> None:
    async def test() -> None:
        async with bus.connect(Role.OPERATOR) as operator:
            await state.provision(operator)
        async with bus.connect(Role.STAGE) as old, bus.connect(Role.STAGE) as new, asyncio.TaskGroup() as tasks:
            publishers = [publisher_of(old), publisher_of(new)]
            publishing = [tasks.create_task(publisher.run()) for publisher in publishers]
            publishers[1].offer(chunk(0, epoch=2))
            await publishers[1].drained()
            publishers[0].offer(chunk(0, epoch=1))
            await publishers[0].drained()
            assert publishers[0].refused_chunks == 1
            for task in publishing:
                task.cancel()

    run(test)


def test_a_stage_that_lost_its_lease_while_frozen_publishes_nothing_of_what_it_owes(bus: Bus) -> None:
    async def test() -> None:
        async with bus.connect(Role.OPERATOR) as operator:
            await state.provision(operator)
        async with bus.connect(Role.STAGE) as frozen, asyncio.TaskGroup() as tasks:
            publisher = publisher_of(frozen, holds_lease=False)
            publishing = tasks.create_task(publisher.run())
            for seq in range(5):
                publisher.offer(chunk(seq))
            await publisher.drained()
            publishing.cancel()
            assert publisher.refused_chunks == 5
            assert await stored_chunks(frozen, "evening") == []

    run(test)


def test_only_one_of_two_stages_gets_the_lease(bus: Bus) -> None:
    async def test() -> None:
        async with bus.connect(Role.OPERATOR) as operator, bus.connect(Role.STAGE) as stage:
            await state.provision(operator)
            assert await state.read_lease(stage, "evening") == (None, 0)
            await state.take_lease(stage, Lease("evening", "a", 1), expected_revision=0)
            with pytest.raises(ConflictError):
                await state.take_lease(stage, Lease("evening", "b", 1), expected_revision=0)
            held, _ = await state.read_lease(stage, "evening")
            assert held == Lease("evening", "a", 1)

    run(test)


def test_p7_a_feed_sends_again_what_the_killed_bus_may_have_lost(bus: Bus) -> None:
    async def test() -> None:
        async with bus.connect(Role.OPERATOR) as operator:
            await state.provision(operator)
        async with bus.connect(Role.FEED) as feed, bus.connect(Role.STAGE) as stage, asyncio.TaskGroup() as tasks:
            heard: set[int] = set()

            async def listen() -> None:
                async with aclosing(follow_seats(stage, "evening")) as arrivals:
                    async for frames in arrivals:
                        heard.add(frames.seq)
                        if len(heard) == 101:
                            return

            listening = tasks.create_task(listen())
            await asyncio.sleep(0.1)
            publisher = SeatPublisher(feed, "evening")
            for seq in range(100):
                if seq == 40:
                    bus.kill()
                if seq == 60:
                    bus.start()
                await publisher.send(FeedFrames("seat", seq, 0, 2, bytes(1920)))
                await asyncio.sleep(0.005)
            assert await publisher.finish(FeedFrames("seat", 100, 0, 0, b"", last=True), patience_s=10)
            await listening
            assert heard == set(range(101))

    run(test)


@asynccontextmanager
async def speaking(bus: Bus) -> AsyncIterator[tuple[SeatPublisher, Connection]]:
    """What anna and bert have said before a stage is there."""
    async with bus.connect(Role.OPERATOR) as operator:
        await state.provision(operator)
    async with bus.connect(Role.FEED) as feed:
        publisher = SeatPublisher(feed, "evening")
        async with calls(feed, "evening") as publisher.called:
            await feed.client.flush()  # the server has heard that it listens to calls
            for seq in range(20):
                await publisher.send(*(FeedFrames(seat, seq, 0, 2, bytes(1920)) for seat in ("anna", "bert")))
            yield publisher, feed


async def heard_by_a_stage(
    bus: Bus, publisher: SeatPublisher, then: Callable[[], Awaitable[object]]
) -> list[tuple[str, int]]:
    """Seats and numbers that a stage hears which comes now, until one is 20; `then` the feed does."""
    heard = list[tuple[str, int]]()
    async with (
        asyncio.timeout(10),
        bus.connect(Role.STAGE) as stage,
        aclosing(follow_seats(stage, "evening")) as arrivals,
        asyncio.TaskGroup() as tasks,
    ):
        hearing = tasks.create_task(anext(arrivals))
        calling = tasks.create_task(call_seats(stage, "evening"))  # comes behind the subscription
        await publisher.called.wait()
        calling.cancel()
        saying = tasks.create_task(then())
        frames = await hearing
        while frames.seq < 20:
            heard.append((frames.seat, frames.seq))
            frames = await anext(arrivals)
        await saying
    return [*heard, (frames.seat, frames.seq)]


def test_p7_a_stage_that_was_away_calls_for_what_it_missed(bus: Bus) -> None:
    async def test() -> None:
        async with speaking(bus) as (publisher, _):
            heard = await heard_by_a_stage(
                bus, publisher, lambda: publisher.send(FeedFrames("bert", 20, 0, 2, bytes(1920)))
            )
        assert heard == [*((seat, seq) for seq in range(20) for seat in ("anna", "bert")), ("bert", 20)]

    run(test)


def test_p7_who_says_goodbye_before_a_stage_is_back_is_heard_to_the_end(bus: Bus) -> None:
    async def test() -> None:
        async with speaking(bus) as (publisher, feed):
            feed.connected_since = time.monotonic()  # the bus has just been away
            goodbye = FeedFrames("anna", 20, 0, 0, b"", last=True)
            async with asyncio.TaskGroup() as tasks:
                leaving = tasks.create_task(publisher.finish(goodbye, patience_s=10))
                heard = await heard_by_a_stage(bus, publisher, lambda: asyncio.sleep(0))
            assert leaving.result()
        assert heard[-1] == ("anna", 20)
        assert set(heard[:-1]) == {(seat, seq) for seq in range(20) for seat in ("anna", "bert")}

    run(test)


def test_whoever_sits_down_again_has_not_said_goodbye(bus: Bus) -> None:
    async def test() -> None:
        async with speaking(bus) as (publisher, feed):
            feed.connected_since = time.monotonic()
            await publisher.send(FeedFrames("anna", 19, 0, 0, b"", last=True))
            await publisher.send(FeedFrames("anna", 20, 0, 2, bytes(1920)))
            feed.connected_since -= 2
            heard = await heard_by_a_stage(
                bus, publisher, lambda: publisher.send(FeedFrames("bert", 20, 0, 2, bytes(1920)))
            )
        assert heard[-1] == ("anna", 20)

    run(test)


def test_p8_a_seat_that_has_said_goodbye_is_not_heard_again_when_a_stage_calls(bus: Bus) -> None:
    async def test() -> None:
        async with speaking(bus) as (publisher, _):
            assert await publisher.finish(FeedFrames("anna", 20, 0, 0, b"", last=True), patience_s=10)
            heard = await heard_by_a_stage(
                bus, publisher, lambda: publisher.send(FeedFrames("bert", 20, 0, 2, bytes(1920)))
            )
        assert heard == [("bert", seq) for seq in range(21)]

    run(test)


def test_fsck_finds_a_hole_a_step_back_and_an_unreadable_record(bus: Bus) -> None:
    async def test() -> None:
        async with bus.connect(Role.OPERATOR) as operator:
            await state.provision(operator)
            assert await check(operator) == (0, [])
            await state.create_conversation(operator, CONVERSATION)
            await operator.store(state_subject("conversation.broken"), b"\xff")
        async with bus.connect(Role.STAGE) as stage, asyncio.TaskGroup() as tasks:
            publisher = publisher_of(stage)
            publishing = tasks.create_task(publisher.run())
            for each in (chunk(0, epoch=2), chunk(1, epoch=1), chunk(4)):
                publisher.offer(each)
            await publisher.drained()
            publishing.cancel()
        async with bus.connect(Role.OPERATOR) as operator:
            _, findings = await check(operator)
        said = [finding.what for finding in findings]
        assert any("2 chunks are missing" in what for what in said)
        assert any("epoch 1 after 2" in what for what in said)
        assert any("unreadable" in what for what in said)

    run(test)


FORBIDDEN = [
    (Role.EDGE, "rostra.programme.evening.1"),
    (Role.EDGE, seat_subject("evening")),
    (Role.EDGE, state_subject("conversation.evening")),
    (Role.FEED, "rostra.programme.evening.1"),
    (Role.FEED, state_subject("lease.evening")),
    (Role.STAGE, TICKET_KEY),
    (Role.EDGE, act_subject("evening", 1)),
    (Role.GATE, "rostra.programme.evening.1"),
]


@pytest.mark.parametrize(("role", "subject"), FORBIDDEN)
@pytest.mark.parametrize("bus", ["embedded"], indirect=True)
def test_p8_a_process_can_do_on_the_bus_only_what_its_role_allows(bus: Bus, role: Role, subject: str) -> None:
    async def test() -> None:
        async with bus.connect(Role.OPERATOR) as operator, bus.connect(role) as intruder:
            await state.provision(operator)
            async with operator.notified(subject) as arrived:
                await intruder.publish(subject, b"x")
                await intruder.client.flush()
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(arrived.wait(), 0.2)

    run(test)


async def refused(read: Awaitable[object]) -> None:
    with pytest.raises(BusError):
        await read


@pytest.mark.parametrize(
    ("role", "subject"), [(Role.EDGE, INVITATION_KEY), (Role.GATE, TICKET_KEY), (Role.FEED, TICKET_KEY)]
)
@pytest.mark.parametrize("bus", ["embedded"], indirect=True)
def test_p8_no_process_reads_the_key_of_another(bus: Bus, role: Role, subject: str) -> None:
    async def test() -> None:
        async with bus.connect(Role.OPERATOR) as operator, bus.connect(role) as intruder:
            await state.provision(operator)
            async with asyncio.TaskGroup() as tasks:  # the bus answers none of them: each waits for its time
                for read in (
                    intruder.last(SECRET_STREAM, subject),
                    intruder.last_of_any(SECRET_STREAM, subject),
                    intruder.last_of_each(SECRET_STREAM, ["rostra.secret.*"]),
                ):
                    tasks.create_task(refused(read))

    run(test)


def test_secrets_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    prepare(tmp_path / "bus", free_port())
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "bus").glob("*.nk")}
    assert modes == {f"{role}.nk": 0o600 for role in Role}


def test_a_bus_that_is_not_there_is_told_in_one_sentence() -> None:
    async def test() -> None:
        with pytest.raises(BusError, match="No bus at"):
            async with connect(Address((f"nats://127.0.0.1:{free_port()}",), None), role=Role.EDGE, name="test"):
                pass

    run(test)


def test_bans_reach_edges_and_the_shield_also_those_that_start_later(bus: Bus) -> None:
    notices = [
        BanNotice(prefix, 2_000, "timeout", "edge-1")
        for prefix in ("192.0.2.7/32", "192.0.2.0/24", "2001:db8:1:2::/64", "2001:db8:1::/48")
    ]
    lifted = msgspec.structs.replace(notices[0], until_ns=0)

    async def heard(role: Role, count: int) -> list[BanNotice]:
        found: list[BanNotice] = []
        async with bus.connect(role) as connection, aclosing(follow_bans(connection)) as bans:
            async for notice in bans:
                found.append(notice)
                if len(found) == count:
                    break
        return found

    async def work() -> None:
        async with bus.connect(Role.OPERATOR) as operator, bus.connect(Role.EDGE) as edge:
            await state.provision(operator)
            for notice in notices:
                await tell_ban(edge, notice)
            for role in (Role.EDGE, Role.SHIELD):
                assert await heard(role, 4) == notices
            await tell_ban(edge, lifted)
            await edge.client.flush()
            assert await heard(Role.EDGE, 4) == [*notices[1:], lifted]

    run(work)
