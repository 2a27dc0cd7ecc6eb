"""A telephone at a real room on a real bus, as the gate's server will wire it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import numpy as np

from rostra.audio.frame import Samples
from rostra.core.errors import ConflictError
from rostra.core.units import SAMPLE_RATE_HZ
from rostra.gate.call_script import RosterSays
from rostra.gate.pin import Access, CallerRole, access_of, pin_of
from rostra.gate.room import Room, Speaker
from rostra.gate.telephone import TelephoneSettings, run_telephone

KEY = bytes(range(32))
CONVERSATION = "evening"


def speaker_pin(number: int) -> str:
    return pin_of(Access(CONVERSATION, CallerRole.SPEAKER, number), key=KEY)


LISTENER_PIN = pin_of(Access(CONVERSATION, CallerRole.LISTENER, 0), key=KEY)
MUSIC_HZ = 700


def music() -> Samples:
    """A second of a tone, which nobody else whistles."""
    return (0.1 * np.sin(2 * np.pi * MUSIC_HZ * np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ)).astype(np.float32)


@dataclass
class Guest:
    """A caller's place in the room, and what the caller has done there."""

    room: Room
    seat: str
    access: Access
    speaker: Speaker
    say: Callable[[RosterSays], None]
    hands: int = 0
    mutes: list[bool] = field(default_factory=list)
    left: bool = False

    async def raise_hand(self) -> None:
        self.hands += 1

    async def mute(self, *, muted: bool) -> None:
        self.mutes.append(muted)
        self.say(RosterSays.MUTED if muted else RosterSays.UNMUTED)

    async def leave(self) -> None:
        self.left = True
        await self.room.leave(self.seat, self.speaker)


class RoomDesk:
    """Lets callers into one room; speakers are on the air at once."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.guests: list[Guest] = []

    async def lookup(self, pin: str) -> Access | None:
        return access_of(pin, conversations=[CONVERSATION], key=KEY)

    async def enter(self, access: Access, speaker: Speaker, say: Callable[[RosterSays], None]) -> Guest | None:
        speaks = access.role is CallerRole.SPEAKER
        seat = access.person if speaks else f"listener-{len(self.guests)}"
        try:
            self._room.enter(seat, speaker)
        except ConflictError:
            return None
        self.guests.append(Guest(self._room, seat, access, speaker, say))
        say(RosterSays.ON_STAGE if speaks else RosterSays.LISTENING)
        return self.guests[-1]


@asynccontextmanager
async def telephone(desk: RoomDesk, *, rtp_ports: tuple[int, int]) -> AsyncIterator[tuple[str, int]]:
    """A running telephone; its address."""
    listening: asyncio.Future[tuple[str, int]] = asyncio.get_running_loop().create_future()
    settings = TelephoneSettings(host="127.0.0.1", port=0, rtp_ports=rtp_ports)
    with suppress(asyncio.CancelledError):
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(run_telephone(settings, desk, music=music(), ready=listening.set_result))
            yield await listening
            running.cancel()
