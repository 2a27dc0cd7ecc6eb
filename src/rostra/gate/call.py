"""One caller: performs the script, every 20 ms sends what is to be heard, and is a `Speaker` to the room."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, assert_never

import numpy as np
import structlog

from rostra.audio.frame import Frame, Samples, silence
from rostra.audio.opus import OpusDecoder
from rostra.audio.prompts import Prompt
from rostra.core.errors import BadInputError, BusError
from rostra.core.limits import CALL_EVENTS_MAX
from rostra.core.units import FRAME_NS, FRAME_SAMPLES, SECOND_NS
from rostra.gate.arrival import Arrival
from rostra.gate.call_script import (
    PIN_PATIENCE_S,
    AskingPin,
    CheckPin,
    Command,
    Deed,
    Event,
    Happening,
    Mute,
    OnStage,
    PinRight,
    Play,
    RosterSays,
    Step,
    begin,
    step,
)
from rostra.gate.pin import Access, CallerRole
from rostra.gate.telephone import Desk, Place

_log = structlog.get_logger()
_FRAMES_PER_SECOND: Final = SECOND_NS // FRAME_NS
_RETURN_PACKETS_MAX: Final = 8  # 160 ms: what is offered faster than it is sent is dropped, the oldest first
_CUSHION_PACKETS: Final = 2  # the room's clock and ours tick alike, but not at the same moment
_CONCEALED_MAX: Final = 5  # frames that a decoder may invent
_DRY_MAX: Final = _FRAMES_PER_SECOND  # a second without a return: the caller hears music rather than nothing
_DUCKED: Final = np.float32(0.1)  # -20 dB under a prompt


class CallerLine(Protocol):
    """What a call is carried by (`gate.line`)."""

    takes_opus: bool

    @property
    def arrival(self) -> Arrival: ...

    def listen(self) -> None: ...

    def pull(self) -> Frame | None: ...

    def send_frame(self, frame: Frame) -> None: ...

    def send_opus(self, payload: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Sounds:
    """What callers hear besides each other; `music` is repeated."""

    music: Samples
    prompts: Mapping[Prompt, Samples]


class Call:
    """`run` it and `tick` it every 20 ms; `tell` it what happens."""

    def __init__(
        self,
        line: CallerLine,
        sounds: Sounds,
        desk: Desk,
        check_pin: Callable[[str], Awaitable[Access | None]],
    ) -> None:
        self._line = line
        self._sounds = sounds
        self._desk = desk
        self._check_pin = check_pin
        self._access: Access | None = None
        self._place: Place | None = None
        self._state, _ = begin()
        self._happenings: deque[Happening] = deque()
        self._happened = asyncio.Event()
        self._hears_room = False
        self._prompts: deque[Samples] = deque()
        self._prompt_at = 0
        self._music_at = 0
        self._returns: deque[bytes] = deque(maxlen=_RETURN_PACKETS_MAX)
        self._return_decoder = OpusDecoder()
        self._flows = False
        self._dry = _DRY_MAX
        self._idle_frames = 0  # since the last key or word
        self._ending = False
        self._over = False
        self.dropped_events = 0

    # --- a speaker to the room ------------------------------------------------------------------------

    def pull(self) -> Frame | None:
        """The caller's next 20 ms: None unless on the stage and not muted, whatever the room believes."""
        frame = self._line.pull()
        return frame if isinstance(self._state, OnStage) and not self._state.muted else None

    def offer(self, payload: bytes) -> None:
        self._returns.append(payload)

    @property
    def arrival(self) -> Arrival:
        return self._line.arrival

    @property
    def is_lossy(self) -> bool:
        return False  # what is offered is decoded here

    # --- what happens ---------------------------------------------------------------------------------

    def tell(self, happening: Happening) -> None:
        """Something has happened. If too much happens at once the newest is not heard of, but for the end."""
        if len(self._happenings) >= CALL_EVENTS_MAX and happening is not Event.HANGUP:
            self.dropped_events += 1
            return
        self._idle_frames = 0
        self._happenings.append(happening)
        self._happened.set()

    async def run(self) -> None:
        """Until the call is over. Whatever happens, the place is given back."""
        try:
            await self._perform(begin())
            while not self._over:
                await self._happened.wait()
                self._happened.clear()
                while self._happenings:
                    await self._perform(step(self._state, self._happenings.popleft()))
        finally:
            if self._place is not None:
                await self._place.leave()

    async def _perform(self, taken: Step) -> None:
        self._state, deeds = taken
        for deed in deeds:
            try:
                await self._do(deed)
            except BusError as error:
                _log.warning("call.unserved", error=str(error))
                self.tell(Event.FULL)

    async def _do(self, deed: Deed) -> None:
        match deed:
            case Play(prompt=prompt):
                self._prompts.append(self._sounds.prompts[prompt])
            case Command.HUSH:
                self._prompts.clear()
                self._prompt_at = 0
            case Command.MUSIC:
                self._hears_room = False
            case Command.ROOM:
                self._hears_room = True
            case CheckPin(digits=digits):
                self._access = await self._check_pin(digits)
                self.tell(
                    Event.PIN_WRONG
                    if self._access is None
                    else PinRight(speaker=self._access.role is CallerRole.SPEAKER)
                )
            case Command.ENTER:
                assert self._access is not None
                self._line.listen()
                self._place = await self._desk.enter(self._access, self, self.tell)
                if self._place is None:
                    self.tell(Event.FULL)
            case Command.RAISE_HAND:
                await self._raise_hand()
            case Mute(muted=muted):
                await self._mute(muted=muted)
            case Command.HANG_UP:
                self._ending = True
                self._over = not self._prompts
            case _:
                assert_never(deed)

    async def _raise_hand(self) -> None:
        if self._place is None:
            return
        try:
            await self._place.raise_hand()
        except BusError as error:
            _log.warning("call.unserved", error=str(error))  # the caller, who is not let up, will press it again

    async def _mute(self, *, muted: bool) -> None:
        """Who is on the stage stays there though the bus does not answer, and is told how things are."""
        if self._place is None:
            return
        try:
            await self._place.mute(muted=muted)
        except BusError as error:
            _log.warning("call.unserved", error=str(error))
            self.tell(RosterSays.UNMUTED if muted else RosterSays.MUTED)

    # --- what is heard --------------------------------------------------------------------------------

    def tick(self) -> None:
        """Send the next 20 ms."""
        packet = self._next_return() if self._hears_room else None
        speaking = self._next_of_prompt()
        if self._ending and speaking is None:
            self._over = True
            self._happened.set()
        if speaking is None and packet is not None and self._line.takes_opus:
            self._line.send_opus(packet)
            return
        below = self._room(packet) if self._hears_room else self._next_of_music()
        self._line.send_frame(below if speaking is None else speaking + below * _DUCKED)
        if speaking is None and isinstance(self._state, AskingPin):
            self._idle_frames += 1
            if self._idle_frames >= PIN_PATIENCE_S * _FRAMES_PER_SECOND:
                self.tell(Event.PIN_TIMEOUT)

    def _next_return(self) -> bytes | None:
        """The next packet of the room, once there is a cushion; None while there is none."""
        self._flows = bool(self._returns) and (self._flows or len(self._returns) >= _CUSHION_PACKETS)
        return self._returns.popleft() if self._flows else None

    def _room(self, packet: bytes | None) -> Frame:
        if packet is None:
            self._dry += 1
            if self._dry > _DRY_MAX:
                return self._next_of_music()
            return self._return_decoder.decode(None) if self._dry <= _CONCEALED_MAX else silence()
        self._dry = 0
        try:
            return self._return_decoder.decode(packet)
        except BadInputError:
            return silence()

    def _next_of_prompt(self) -> Frame | None:
        """None if nothing is being said."""
        if not self._prompts:
            return None
        piece = self._prompts[0][self._prompt_at : self._prompt_at + FRAME_SAMPLES]
        self._prompt_at += FRAME_SAMPLES
        if self._prompt_at >= len(self._prompts[0]):
            self._prompts.popleft()
            self._prompt_at = 0
        return np.pad(piece, (0, FRAME_SAMPLES - len(piece)))

    def _next_of_music(self) -> Frame:
        at = np.arange(self._music_at, self._music_at + FRAME_SAMPLES)
        self._music_at = (self._music_at + FRAME_SAMPLES) % len(self._sounds.music)
        return self._sounds.music.take(at, mode="wrap")
