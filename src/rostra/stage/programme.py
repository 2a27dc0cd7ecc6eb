"""The programme's sound, frame by frame: hold music, announcements and the stage's mix. Pure.

`Programme` is a function of what it was given: the conversation, the seats' frames and the programme
clock. It decides when the conversation changes state (core.conversation), cross-fades at exactly that
frame, and tells what happened as events; `producer` carries it to the encoder and the bus.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from rostra.audio.announcements import FAREWELL_AFTER_NS, TEXTS, due
from rostra.audio.dynamics import Limiter
from rostra.audio.frame import Frame, Samples, silence
from rostra.audio.gain import Gain
from rostra.audio.mixer import mix
from rostra.audio.seat import Seat
from rostra.core.conversation import (
    Cancelled,
    Conversation,
    Ended,
    Held,
    Live,
    Rescheduled,
    Tick,
    advance,
    is_over,
    state_name,
)
from rostra.core.messages import StageEvent
from rostra.core.units import FRAME_SAMPLES
from rostra.stage.active import ActiveSpeaker
from rostra.stage.clock import ProgrammeClock

# Hold music goes in 0.5 s; the first word must be heard whole, so the stage comes in 5 ms (no click).
_HOLD_FADE_S: Final = 0.5
_STAGE_FADE_S: Final = 0.005
_DUCKED: Final = 0.2  # -14 dB: music under a voice stays music, the voice stays clear
_DUCK_FADE_S: Final = 0.2
_CLOSING_FADE_S: Final = 1.0
_LIMITED_DB: Final = 0.5  # less is not heard
# When no seat has given anything for this long music comes up under whatever follows: nobody hears silence (P2).
_BRIDGED_FRAMES: Final = 5


class Programme:
    """The one unbroken sound of a conversation, from sample `position` on."""

    def __init__(
        self,
        conversation: Conversation,
        clock: ProgrammeClock,
        seats: dict[str, Seat],
        *,
        hold_music: Samples,
        announcements: Mapping[str, Samples],
        position: int,
    ) -> None:
        self.conversation = conversation
        self.clock = clock
        self.position = position
        self.finished = False
        self._seats = seats
        self._hold_music = hold_music
        self._announcements = announcements
        on_air = isinstance(conversation.state, Live)
        self._hold = Gain(0.0 if on_air else 1.0)
        self._stage = Gain(1.0 if on_air else 0.0)
        self._duck = Gain(1.0)
        self._limiter = Limiter()
        self.limited_frames = 0
        self.limited_max_db = 0.0
        self._active = ActiveSpeaker()
        self._voice: Samples = silence()[:0]
        self._announced_ns = clock.wall_at(position)
        self._farewell_said = False
        if position:
            self._continue()

    def _continue(self) -> None:
        """Another stage has made what was before; its limiter still held the last 5 ms: put them into ours."""
        before = [seat.before for seat in self._seats.values() if seat.before is not None]
        hold = self._music(self.position - FRAME_SAMPLES) * np.float32(self._hold.value)
        self._limiter.process(mix([hold, *(before if self._stage.value else [])]))

    def update(self, conversation: Conversation) -> list[StageEvent]:
        """Follow a change that somebody made to the schedule, or its end."""
        mine, wall_ns = self.conversation, self.clock.wall_at(self.position)
        if is_over(mine.state):
            return []
        if is_over(conversation.state):
            self.conversation = replace(conversation)
            return []
        events = []
        if conversation.notice.at_ns > mine.notice.at_ns:
            mine = self.conversation = replace(mine, notice=conversation.notice)
            events.append(StageEvent("notice", self.position, "host", mine.notice.text))
        if conversation.schedule.revision <= mine.schedule.revision:
            return events
        base = replace(mine, schedule=replace(mine.schedule, revision=conversation.schedule.revision - 1))
        self.conversation = advance(base, Rescheduled(conversation.schedule), now_ns=wall_ns)
        if self.conversation.schedule.starts_ns != mine.schedule.starts_ns:
            events.append(StageEvent("start", self.position, str(self.conversation.schedule.starts_ns)))
        return events

    @property
    def is_calm(self) -> bool:
        """Whether another stage that begins here sounds the same: no announcement, nothing on its way in or out."""
        on_air = isinstance(self.conversation.state, Live)
        gains = (self._hold.value, self._stage.value, self._duck.value)
        return len(self._voice) == 0 and gains == ((0.0, 1.0, 1.0) if on_air else (1.0, 0.0, 1.0))

    def frame(self) -> tuple[Frame, list[StageEvent]]:
        """The next 20 ms and what happens in them."""
        wall_ns = self.clock.wall_at(self.position)
        before = self.conversation.state
        occupied = any(seat.is_present(wall_ns) for seat in self._seats.values())
        self.conversation = advance(self.conversation, Tick(occupied=occupied), now_ns=wall_ns)
        state = self.conversation.state
        events = []
        if type(state) is not type(before):
            events.append(StageEvent("state", self.position, state_name(state)))
        events += self._announce(wall_ns)
        was_heard = self._active.name
        sound = self._limiter.process(self._mixed(wall_ns))
        self.limited_frames += self._limiter.reduction_db > _LIMITED_DB
        self.limited_max_db = max(self.limited_max_db, self._limiter.reduction_db)
        if self._active.name != was_heard:
            events.append(StageEvent("speaker", self.position, self._active.name))
        self.position += FRAME_SAMPLES
        return sound, events

    def _mixed(self, wall_ns: int) -> Samples:
        on_air = isinstance(self.conversation.state, Live)
        heard = on_air and any(seat.absent_frames < _BRIDGED_FRAMES for seat in self._seats.values())
        voice = self._next_voice()
        if is_over(self.conversation.state) and self._farewell_said and voice is None:
            hold_target, fade_s = 0.0, _CLOSING_FADE_S
            self.finished = self._hold.value == 0.0
        else:
            hold_target, fade_s = (0.0 if heard else 1.0), _HOLD_FADE_S
        hold = self._hold.apply(self._music(self.position), hold_target, fade_s=fade_s)
        parts = [self._duck.apply(hold, 1.0 if voice is None else _DUCKED, fade_s=_DUCK_FADE_S)]
        if voice is not None:
            parts.append(voice)
        if on_air or self._stage.value > 0.0:
            pulled = {name: seat.pull(wall_ns) for name, seat in self._seats.items()}
            frames = {name: frame for name, frame in pulled.items() if frame is not None}
            self._active.hear(frames)
            parts.append(
                self._stage.apply(mix(list(frames.values())), 1.0 if on_air else 0.0, fade_s=_STAGE_FADE_S)
            )
        elif not self._has_begun():
            for seat in self._seats.values():
                seat.rest(wall_ns)
        return mix(parts)

    def _has_begun(self) -> bool:
        """Once somebody was on the air nothing that arrives late is dropped: it is heard late."""
        state = self.conversation.state
        return isinstance(state, Live) or (isinstance(state, Held) and state.begun)

    def _music(self, position: int) -> Samples:
        start = position % len(self._hold_music)
        taken = self._hold_music[start : start + FRAME_SAMPLES]
        if len(taken) < FRAME_SAMPLES:
            taken = np.concatenate((taken, self._hold_music[: FRAME_SAMPLES - len(taken)]))
        return taken

    def _announce(self, wall_ns: int) -> list[StageEvent]:
        """Begin the announcement that is due, if any; it is written on the page as well."""
        state, schedule = self.conversation.state, self.conversation.schedule
        if isinstance(state, Live):
            self._voice = self._voice[:0]  # the speakers are here: nothing is left to be said by machine
        events = []
        for each in due(schedule, state, from_ns=self._announced_ns, until_ns=wall_ns):
            self._voice = self._announcements[each.announcement]
            text = TEXTS[schedule.language][each.announcement]
            events.append(StageEvent("notice", self.position, each.announcement, text))
        self._announced_ns = max(self._announced_ns, wall_ns)
        if isinstance(state, Ended | Cancelled):
            self._farewell_said = wall_ns > state.at_ns + FAREWELL_AFTER_NS
        return events

    def _next_voice(self) -> Samples | None:
        if not len(self._voice):
            return None
        voice, self._voice = self._voice[:FRAME_SAMPLES], self._voice[FRAME_SAMPLES:]
        return voice if len(voice) == FRAME_SAMPLES else np.pad(voice, (0, FRAME_SAMPLES - len(voice)))

    def heard(self) -> dict[str, int]:
        """Per seat on the air, the next frame to be mixed."""
        if not isinstance(self.conversation.state, Live):
            return {}
        return {name: seat.next_seq for name, seat in self._seats.items() if not seat.has_left}
