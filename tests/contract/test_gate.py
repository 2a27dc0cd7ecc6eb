"""A room carries speakers' sound to their seats, and to each of them what all the others say."""

import asyncio
from contextlib import aclosing, suppress

import numpy as np
import pytest

from bus_server import Bus, run
from rostra.audio.frame import Frame, Samples, pcm16_to_frame
from rostra.audio.jitter import JitterBuffer
from rostra.audio.opus import OpusDecoder
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

    run(test)


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
