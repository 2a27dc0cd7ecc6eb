"""The speakers of one conversation at this gate: their sound to their seats, everybody else's sound back to them.

Its own speakers a room hears as they come in; those at other gates, and feeds, it hears on the bus. Those who wait
behind the stage (green) hear one another and, more softly, the stage; the stage does not hear them.
"""

import asyncio
import time
from collections import Counter
from contextlib import aclosing
from typing import Final, Protocol

import numpy as np

from rostra.audio.frame import Frame, frame_to_pcm16, silence
from rostra.audio.mixer import mix
from rostra.audio.returns import Returns
from rostra.audio.seat import ABSENT_FRAMES, Seat
from rostra.audio.voice import Sound, Voice
from rostra.bus.connection import Connection
from rostra.bus.hops import publish_hop
from rostra.bus.seats import SeatPublisher, calls, follow_seats
from rostra.core.errors import ConflictError
from rostra.core.limits import FRAMES_PER_TURN_MAX, HOP_REPORT_S, SEATS_MAX
from rostra.core.messages import FeedFrames, HopReport
from rostra.core.units import FRAME_NS, FRAME_SAMPLES, SECOND_NS
from rostra.gate.arrival import Arrival

_DELAY_FRAMES: Final = 2  # the jitter buffer has smoothed the network; this is for the bus
_GOODBYE_S: Final = 2.0
_STAGE_BEHIND: Final = np.float32(0.35)  # -9 dB: who waits can follow the stage and still talk
_SPEAKING: Final = 0.01  # -40 dBFS: a levelled voice is at -20, a levelled room below -50
_SPEAKING_FRAMES: Final = 15  # 0.3 s: nobody stops speaking between two words


class Speaker(Protocol):
    """Somebody who is connected: by WebRTC (`peer`) or by telephone (`call`)."""

    @property
    def arrival(self) -> Arrival:
        """How the sound that is pulled comes here."""

    @property
    def is_lossy(self) -> bool:
        """Whether the way to the speaker loses packets: then what is offered has FEC."""

    def pull(self) -> Frame | None:
        """The next 20 ms of what the speaker says; None while nothing has come."""

    def offer(self, payload: bytes) -> None:
        """The next 20 ms of what the speaker hears, as Opus."""


class _Occupant:
    """A speaker in the room, and all that belongs to the speaker alone."""

    def __init__(self, speaker: Speaker, sound: Sound) -> None:
        self.speaker = speaker
        self.sound = sound
        self.voice = Voice(sound)
        self.since_ns = time.time_ns()
        self.green = False
        self.muted = False
        self.was_green = False  # when the newest frame was sent
        self.next_seq: int | None = None  # None while nothing is sent
        self.free_seq = 0  # what was sent has lower numbers

    def gone(self, seat: str) -> FeedFrames | None:
        """The goodbye to where the sound went until now, if it goes there no longer."""
        if self.next_seq is None or not (self.muted or self.green is not self.was_green):
            return None
        goodbye = _goodbye(seat, self.next_seq)
        self.free_seq, self.next_seq = self.next_seq + 1, None
        return goodbye

    def done(self) -> Counter[str]:
        """What came of the speaker's packets, and the frames that had to be made up for them."""
        found = self.speaker.arrival.buffer.provenance
        return Counter(
            packets_in=found.received,
            packets_late=found.late,
            packets_restored=found.restored,
            voice_frames_concealed=found.concealed,
        )

    def say(self) -> Frame | None:
        """The next 20 ms of what is to be heard; None while there is nothing."""
        said = self.speaker.pull()
        if self.muted or (said is None and self.next_seq is None):
            return None
        return self.voice.process(silence() if said is None else said)

    def sent(self, seat: str, frame: Frame, wall_ns: int) -> FeedFrames:
        """The frame that was said, as it goes to the seat."""
        if self.next_seq is None:
            self.next_seq = max(wall_ns // FRAME_NS, self.free_seq)
        self.was_green = self.green
        self.next_seq += 1
        return FeedFrames(seat, self.next_seq - 1, wall_ns, _DELAY_FRAMES, frame_to_pcm16(frame))


class Room:
    """One conversation at this gate. `run` it; people `enter`, are `arrange`d by the roster, and `leave`."""

    def __init__(self, connection: Connection, conversation: str) -> None:
        self._connection = connection
        self._conversation = conversation
        self._occupants: dict[str, _Occupant] = {}
        self._to_air = SeatPublisher(connection, conversation)
        self._to_green = SeatPublisher(connection, conversation, green=True)
        self._on_air: dict[str, Seat] = {}
        self._behind: dict[str, Seat] = {}
        self._silent_frames: dict[str, int] = {}
        self._listeners: list[Speaker] = []
        self._returns = {(green, fec): Returns(with_fec=fec) for green in (False, True) for fec in (False, True)}
        self.frames_late = 0
        self._frames = 0
        self._done: Counter[str] = Counter()  # by voices that are gone

    @property
    def occupants(self) -> list[str]:
        return list(self._occupants)

    @property
    def heard_on_the_bus(self) -> list[str]:
        """Seats on the air whose sound comes from elsewhere: of other gates, and of feeds."""
        return [
            name for name, seat in self._on_air.items() if seat.absent_frames < ABSENT_FRAMES and not seat.has_left
        ]

    @property
    def speaking(self) -> frozenset[str]:
        """Whose voice has been heard within the last 0.3 s."""
        return frozenset(name for name, frames in self._silent_frames.items() if frames < _SPEAKING_FRAMES)

    def enter(
        self,
        seat: str,
        speaker: Speaker,
        *,
        green: bool = False,
        muted: bool = False,
        sound: Sound = Sound.RAW,
    ) -> None:
        """Give `speaker` the seat; whoever had it before is no longer heard. ConflictError if the room is full."""
        if seat not in self._occupants and len(self._occupants) >= SEATS_MAX:
            raise ConflictError(f"All {SEATS_MAX} seats are taken.")
        if (former := self._occupants.get(seat)) is not None:
            self._done += former.done()
        self._occupants[seat] = _Occupant(speaker, sound)
        self.arrange(seat, green=green, muted=muted)

    def done(self) -> Counter[str]:
        """Totals for evidence."""
        frames = Counter(room_frames=self._frames, room_frames_late=self.frames_late)
        return sum((each.done() for each in self._occupants.values()), self._done + frames)

    def treatment(self, seat: str) -> dict[str, float]:
        """What was done to the speaker's voice here (audio.voice.Treatment)."""
        occupant = self._occupants.get(seat)
        return {} if occupant is None else occupant.voice.treatment.as_dict()

    def arrange(self, seat: str, *, green: bool, muted: bool) -> None:
        """Where the speaker's sound goes from now on."""
        if (occupant := self._occupants.get(seat)) is not None:
            occupant.green, occupant.muted = green, muted

    async def leave(self, seat: str, speaker: Speaker) -> None:
        """`speaker` has gone; if the seat has been taken over meanwhile, it stays as it is."""
        occupant = self._occupants.get(seat)
        if occupant is None or occupant.speaker is not speaker:
            return
        del self._occupants[seat]
        self._done += occupant.done()
        await self._report(seat, occupant)
        if occupant.next_seq is not None:
            publisher = self._to_green if occupant.was_green else self._to_air
            await publisher.finish(_goodbye(seat, occupant.next_seq), patience_s=_GOODBYE_S)

    def listen(self, speaker: Speaker) -> None:
        """Let somebody (on a telephone) hear the stage without a seat; all such hear the same packets."""
        self._listeners.append(speaker)

    def unlisten(self, speaker: Speaker) -> None:
        if speaker in self._listeners:
            self._listeners.remove(speaker)

    async def run(self) -> None:
        """Carry the sound until cancelled."""
        async with calls(self._connection, self._conversation) as self._to_air.called, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._gather(self._on_air, green=False), name=f"{self._conversation}: seats")
            tasks.create_task(self._gather(self._behind, green=True), name=f"{self._conversation}: green room")
            tasks.create_task(self._report_all(), name=f"{self._conversation}: reports")
            due_ns = time.monotonic_ns()
            while True:
                for _ in range(FRAMES_PER_TURN_MAX):
                    if time.monotonic_ns() < due_ns:
                        break
                    self._frames += 1
                    self.frames_late += time.monotonic_ns() - due_ns > FRAME_NS
                    await self._tick(time.time_ns())
                    due_ns += FRAME_NS
                    await asyncio.sleep(0)  # after a stall, each tick finds what came in its 20 ms: it is read now
                await asyncio.sleep(max(0, due_ns - time.monotonic_ns()) / SECOND_NS)

    async def _gather(self, seats: dict[str, Seat], *, green: bool) -> None:
        async with aclosing(follow_seats(self._connection, self._conversation, green=green)) as arrivals:
            async for frames in arrivals:
                if frames.seat in self._occupants:
                    seats.pop(frames.seat, None)
                    continue
                if frames.seat in seats or len(seats) < SEATS_MAX:
                    seats.setdefault(frames.seat, Seat()).offer(frames)
                for name in [name for name, seat in seats.items() if seat.has_left]:
                    del seats[name]

    async def _tick(self, wall_ns: int) -> None:
        air, behind = _pulled(self._on_air, wall_ns), _pulled(self._behind, wall_ns)
        to_air, to_green = list[FeedFrames](), list[FeedFrames]()
        for name, occupant in self._occupants.items():
            if (goodbye := occupant.gone(name)) is not None:
                (to_green if occupant.was_green else to_air).append(goodbye)
            if (said := occupant.say()) is None:
                continue
            (behind if occupant.green else air)[name] = said
            (to_green if occupant.green else to_air).append(occupant.sent(name, said, wall_ns))
        await self._to_air.send(*to_air)
        await self._to_green.send(*to_green)
        self._notice(air | behind)
        if not self._occupants and not self._listeners:
            return
        on_air = mix(list(air.values()))
        off_air = mix([*behind.values(), on_air * _STAGE_BEHIND])
        for (green, fec), returns in self._returns.items():
            here = {
                name: each.speaker
                for name, each in self._occupants.items()
                if each.green is green and each.speaker.is_lossy is fec
            }
            listeners = [] if green or fec else self._listeners
            if here or listeners:
                total, voices = (off_air, behind) if green else (on_air, air)
                shared, own = returns.encode(total, {name: voices[name] for name in here.keys() & voices.keys()})
                for name, speaker in here.items():
                    speaker.offer(own.get(name, shared))
                for listener in listeners:
                    listener.offer(shared)

    async def _report(self, seat: str, occupant: _Occupant) -> None:
        """Say what became of the voice on its way here, for the recording."""
        arrival = occupant.speaker.arrival
        path = {"transport": arrival.transport, "codec": arrival.codec, "sound": occupant.sound}
        counts, at_ns = arrival.counts(occupant.voice.treatment), time.time_ns()
        report = HopReport(self._conversation, "gate", seat, occupant.since_ns, at_ns, path, counts)
        await publish_hop(self._connection, report)

    async def _report_all(self) -> None:
        while True:
            await asyncio.sleep(HOP_REPORT_S)
            for seat, occupant in list(self._occupants.items()):
                await self._report(seat, occupant)

    def _notice(self, heard: dict[str, Frame]) -> None:
        for name, frame in heard.items():
            loud = float(np.dot(frame, frame)) > _SPEAKING**2 * FRAME_SAMPLES
            self._silent_frames[name] = 0 if loud else self._silent_frames.get(name, _SPEAKING_FRAMES) + 1
        for name in self._silent_frames.keys() - heard.keys():
            del self._silent_frames[name]


def _goodbye(seat: str, seq: int) -> FeedFrames:
    return FeedFrames(seat, seq, time.time_ns(), 0, b"", last=True)


def _pulled(seats: dict[str, Seat], wall_ns: int) -> dict[str, Frame]:
    return {name: frame for name, seat in seats.items() if (frame := seat.pull(wall_ns)) is not None}
