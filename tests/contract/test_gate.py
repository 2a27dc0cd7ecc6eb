"""A room carries speakers' sound to their seats, and to each of them what all the others say."""

import asyncio
import socket
import time
from contextlib import aclosing, suppress
from itertools import count
from threading import Event, Thread

import numpy as np
import pytest

from bus_server import Bus, run
from rostra.audio.frame import Frame, Samples, pcm16_to_frame, silence
from rostra.audio.jitter import JitterBuffer
from rostra.audio.opus import OpusDecoder, OpusEncoder
from rostra.bus import state
from rostra.bus.seats import follow_seats
from rostra.bus.subjects import Role
from rostra.core.errors import ConflictError
from rostra.core.limits import SEATS_MAX
from rostra.core.units import FRAME_SAMPLES, SAMPLE_RATE_HZ
from rostra.gate.arrival import Arrival
from rostra.gate.room import Room


class Whistler:
    """A speaker who whistles one tone and keeps what comes back."""

    def __init__(self, hertz: int) -> None:
        self._hertz = hertz
        self._at = 0
        self._decoder = OpusDecoder()
        self.heard: list[Samples] = []
        self.buffer = JitterBuffer(self._decoder)

    @property
    def arrival(self) -> Arrival:
        return Arrival("whip", "opus", self.buffer)

    def pull(self) -> Frame | None:
        time_s = (self._at + np.arange(FRAME_SAMPLES)) / SAMPLE_RATE_HZ
        self._at += FRAME_SAMPLES
        return (0.2 * np.sin(2 * np.pi * self._hertz * time_s)).astype(np.float32)

    @property
    def is_lossy(self) -> bool:
        return False

    def offer(self, payload: bytes) -> None:
        self.heard.append(self._decoder.decode(payload))

    def level(self, hertz: int) -> float:
        """How loud a tone is in the newest second that came back."""
        sound = np.concatenate(self.heard)[-SAMPLE_RATE_HZ:]
        time_s = np.arange(len(sound)) / SAMPLE_RATE_HZ
        return 2 * abs(complex(np.mean(sound * np.exp(-2j * np.pi * hertz * time_s))))


def test_each_speaker_hears_all_the_others_and_never_the_own_voice(bus: Bus) -> None:
    async def test() -> None:
        async with bus.connect(Role.OPERATOR) as operator:
            await state.provision(operator)
        ann, bob, cat = (Whistler(hertz) for hertz in (500, 900, 1_300))
        arrived: dict[str, list[Frame]] = {}
        async with (
            bus.connect(Role.GATE) as here,
            bus.connect(Role.GATE) as there,
            bus.connect(Role.STAGE) as stage,
        ):
            rooms = Room(here, "evening"), Room(there, "evening")
            rooms[0].enter("ann", ann)
            rooms[0].enter("bob", bob)
            rooms[1].enter("cat", cat)

            async def listen() -> None:
                async with aclosing(follow_seats(stage, "evening")) as arrivals:
                    async for frames in arrivals:
                        if frames.pcm:
                            arrived.setdefault(frames.seat, []).append(pcm16_to_frame(frames.pcm))

            with suppress(TimeoutError):
                async with asyncio.timeout(3), asyncio.TaskGroup() as tasks:
                    for each in (*(room.run() for room in rooms), listen()):
                        tasks.create_task(each)
        for speaker, own, others in ((ann, 500, (900, 1_300)), (bob, 900, (500, 1_300)), (cat, 1_300, (500, 900))):
            assert min(speaker.level(hertz) for hertz in others) > 0.05
            assert speaker.level(own) < 0.01
        assert {name: len(frames) > 120 for name, frames in arrived.items()} == dict.fromkeys(
            ("ann", "bob", "cat"), True
        )
        done = rooms[0].done()
        assert done["room_frames"] > 120
        assert done["packets_in"] == 0, "who whistles has no packets"

    run(test)


class Remote(Whistler, asyncio.DatagramProtocol):
    """A speaker whose packets come by UDP, each a number."""

    def __init__(self) -> None:
        super().__init__(440)
        self._packet = OpusEncoder(40_000).encode(silence())

    def datagram_received(self, data: bytes | str, addr: object) -> None:
        del addr
        assert isinstance(data, bytes)
        self.buffer.add(int.from_bytes(data) * FRAME_SAMPLES, self._packet, arrived_s=time.monotonic())

    def pull(self) -> Frame | None:
        return self.buffer.pull()


def send_each_20_ms(port: int, over: Event) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        due_s = time.monotonic()
        for number in count():
            sender.sendto(number.to_bytes(4), ("127.0.0.1", port))
            due_s += 0.02
            if over.wait(max(0.0, due_s - time.monotonic())):
                return


def test_a_gate_that_makes_up_for_a_stall_uses_what_came_meanwhile(bus: Bus) -> None:
    """Without a look at the socket between two frames, each stall starves the buffer of what has come already."""
    over, remote = Event(), Remote()

    async def stall() -> None:
        for _ in range(8):
            await asyncio.sleep(0.4)
            time.sleep(0.2)  # noqa: ASYNC251 # the gate gets no processor

    async def test() -> None:
        async with bus.connect(Role.GATE) as gate:
            room = Room(gate, "evening")
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: remote, ("127.0.0.1", 0)
            )
            sending = Thread(target=send_each_20_ms, args=(transport.get_extra_info("sockname")[1], over))
            sending.start()
            room.enter("remote", remote)
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(room.run())
                await stall()
                running.cancel()
            transport.close()

    try:
        run(test)
    finally:
        over.set()
    counts = remote.buffer.provenance
    assert counts.received > 200
    assert counts.starved <= 3
    assert counts.late == counts.dropped == counts.squeezed == counts.skipped == 0


def test_a_room_is_bounded_and_a_seat_that_was_taken_over_is_not_given_up_by_the_former(bus: Bus) -> None:
    async def test() -> None:
        async with bus.connect(Role.GATE) as gate:
            room = Room(gate, "evening")
            for number in range(SEATS_MAX):
                room.enter(f"seat-{number}", Whistler(440))
            with pytest.raises(ConflictError):
                room.enter("one-more", Whistler(440))
            first, second = Whistler(440), Whistler(440)
            room.enter("seat-0", first)
            room.enter("seat-0", second)
            await room.leave("seat-0", first)
            assert "seat-0" in room.occupants
            await room.leave("seat-0", second)
            assert "seat-0" not in room.occupants

    run(test)
