"""The speakers of one conversation at this gate: their sound to their seats, everybody else's sound back to them.

A room hears all seats on the bus, its own speakers' too, so it makes no difference at which gate somebody is.
"""

import asyncio
import time
from contextlib import aclosing
from typing import Final, Protocol

import structlog

from rostra.audio.dynamics import Leveller, Limiter
from rostra.audio.frame import Frame, frame_to_pcm16, silence
from rostra.audio.mixer import mix, mix_minus
from rostra.audio.opus import OpusEncoder
from rostra.audio.seat import Seat
from rostra.bus.connection import Connection
from rostra.bus.seats import SeatPublisher, calls, follow_seats
from rostra.core.errors import ConflictError
from rostra.core.limits import FRAMES_PER_TURN_MAX, SEATS_MAX
from rostra.core.messages import FeedFrames
from rostra.core.units import FRAME_NS, SECOND_NS

_log = structlog.get_logger()
RETURN_BPS: Final = 32_000
_RETURN_LOSS_PERCENT: Final = 10  # what a speaker's way down may lose unheard
_DELAY_FRAMES: Final = 2  # the jitter buffer has smoothed the network; this is for the bus
_GOODBYE_S: Final = 2.0


class Speaker(Protocol):
    """Somebody who is connected: by WebRTC (`peer`), later by telephone."""

    def pull(self) -> Frame | None:
        """The next 20 ms of what the speaker says; None while nothing has come."""

    def offer(self, payload: bytes) -> None:
        """The next 20 ms of what the speaker hears, as Opus."""


class _Occupant:
    """A speaker in the room, and all that belongs to the speaker alone."""

    def __init__(self, speaker: Speaker, publisher: SeatPublisher) -> None:
        self.speaker = speaker
        self.publisher = publisher
        self.leveller = Leveller()
        self.limiter = Limiter()
        self.encoder = OpusEncoder(RETURN_BPS, loss_percent=_RETURN_LOSS_PERCENT)
        self.next_seq: int | None = None


class Room:
    """One conversation at this gate. `run` it; people `enter` and `leave`."""

    def __init__(self, connection: Connection, conversation: str) -> None:
        self._connection = connection
        self._conversation = conversation
        self._occupants: dict[str, _Occupant] = {}
        self._seats: dict[str, Seat] = {}
        self._called = asyncio.Event()
        self.frames_late = 0

    @property
    def occupants(self) -> list[str]:
        return list(self._occupants)

    def enter(self, seat: str, speaker: Speaker) -> None:
        """Give `speaker` the seat; whoever had it before is no longer heard. ConflictError if the room is full."""
        if seat not in self._occupants and len(self._occupants) >= SEATS_MAX:
            raise ConflictError(f"All {SEATS_MAX} seats are taken.")
        self._occupants[seat] = _Occupant(speaker, SeatPublisher(self._connection))

    async def leave(self, seat: str, speaker: Speaker) -> None:
        """`speaker` has gone; if the seat has been taken over meanwhile, it stays as it is."""
        occupant = self._occupants.get(seat)
        if occupant is None or occupant.speaker is not speaker:
            return
        del self._occupants[seat]
        if occupant.next_seq is not None:
            last = FeedFrames(self._conversation, seat, occupant.next_seq, time.time_ns(), 0, b"", last=True)
            await occupant.publisher.finish(last, patience_s=_GOODBYE_S)

    async def run(self) -> None:
        """Carry the sound until cancelled."""
        async with calls(self._connection, self._conversation) as self._called, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._gather(), name=f"{self._conversation}: seats")
            due_ns = time.monotonic_ns()
            while True:
                for _ in range(FRAMES_PER_TURN_MAX):
                    if time.monotonic_ns() < due_ns:
                        break
                    self.frames_late += time.monotonic_ns() - due_ns > FRAME_NS
                    await self._tick(time.time_ns())
                    due_ns += FRAME_NS
                await asyncio.sleep(max(0, due_ns - time.monotonic_ns()) / SECOND_NS)

    async def _gather(self) -> None:
        async with aclosing(follow_seats(self._connection, self._conversation)) as arrivals:
            async for frames in arrivals:
                if frames.seat in self._seats or len(self._seats) < SEATS_MAX:
                    self._seats.setdefault(frames.seat, Seat()).offer(frames)
                for name in [name for name, seat in self._seats.items() if seat.has_left]:
                    del self._seats[name]

    async def _tick(self, wall_ns: int) -> None:
        if self._called.is_set():
            self._called.clear()
            for occupant in self._occupants.values():
                occupant.publisher.repeat()
        for name, occupant in list(self._occupants.items()):
            await self._speak(name, occupant, wall_ns)
        heard = {name: frame for name, seat in self._seats.items() if (frame := seat.pull(wall_ns)) is not None}
        total = mix(list(heard.values()))
        for name, occupant in self._occupants.items():
            others = mix_minus(total, heard[name]) if name in heard else total
            occupant.speaker.offer(occupant.encoder.encode(occupant.limiter.process(others)))

    async def _speak(self, name: str, occupant: _Occupant, wall_ns: int) -> None:
        said = occupant.speaker.pull()
        if said is None and occupant.next_seq is None:
            return  # nothing has come yet
        frame = occupant.leveller.process(silence() if said is None else said)
        if occupant.next_seq is None:
            occupant.next_seq = wall_ns // FRAME_NS
        pcm = frame_to_pcm16(frame)
        await occupant.publisher.send(
            FeedFrames(self._conversation, name, occupant.next_seq, wall_ns, _DELAY_FRAMES, pcm)
        )
        occupant.next_seq += 1
