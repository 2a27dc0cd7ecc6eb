"""A caller hears what the script says, never nothing, and is heard only on the stage."""

import asyncio
from collections.abc import Callable

import numpy as np
import pytest

from rostra.audio.frame import Frame, Samples
from rostra.audio.opus import OpusEncoder
from rostra.audio.prompts import Prompt
from rostra.core.errors import BusError
from rostra.core.limits import CALL_EVENTS_MAX
from rostra.core.units import FRAME_SAMPLES, SAMPLE_RATE_HZ
from rostra.gate.call import Call, Sounds
from rostra.gate.call_script import PIN_PATIENCE_S, PIN_TRIES_MAX, Digit, Event, RosterSays
from rostra.gate.pin import Access, CallerRole
from rostra.gate.room import Speaker
from rostra.gate.telephone import Place

PIN = "12345678"
MUSIC, WORD, ROOM = 0.1, 0.3, 0.2  # levels by which sounds are told apart


def level(value: float, frames: float = 50) -> Samples:
    return np.full(round(frames * FRAME_SAMPLES), value, np.float32)


SOUNDS = Sounds(level(MUSIC, 1.5), dict.fromkeys(Prompt, level(WORD, 2.5)))


class Wire:
    """A line that keeps what is sent and has something to say for ever."""

    def __init__(self, *, takes_opus: bool = False) -> None:
        self.takes_opus = takes_opus
        self.listening = False
        self.sent: list[float | bytes] = []

    def listen(self) -> None:
        self.listening = True

    def pull(self) -> Frame | None:
        return level(0.5, 1)

    def send_frame(self, frame: Frame) -> None:
        assert frame.shape == (FRAME_SAMPLES,)
        self.sent.append(round(float(np.abs(frame).max()), 2))

    def send_opus(self, payload: bytes) -> None:
        self.sent.append(payload)


class Guest:
    def __init__(self) -> None:
        self.acts: list[str] = []
        self.bus_is_away = False

    async def raise_hand(self) -> None:
        self._act("hand")

    async def mute(self, *, muted: bool) -> None:
        self._act("mute" if muted else "unmute")

    def _act(self, what: str) -> None:
        if self.bus_is_away:
            raise BusError("The bus is away.")
        self.acts.append(what)

    async def leave(self) -> None:
        self.acts.append("leave")


class Reception:
    """A desk with one guest, which may be full or broken."""

    def __init__(self, *, full: bool = False, broken: bool = False) -> None:
        self.guest = Guest()
        self._full = full
        self._broken = broken

    async def lookup(self, pin: str) -> Access | None:
        return Access("evening", CallerRole.SPEAKER, 1) if pin == PIN else None

    async def enter(self, access: Access, speaker: Speaker, say: Callable[[RosterSays], None]) -> Place | None:
        del access, speaker, say
        if self._broken:
            raise BusError("The bus is away.")
        return None if self._full else self.guest


class Dialogue:
    """A call whose clock the test turns."""

    def __init__(self, wire: Wire | None = None, desk: Reception | None = None) -> None:
        self.wire = wire or Wire()
        self.desk = desk or Reception()
        self.call = Call(self.wire, SOUNDS, self.desk, self.desk.lookup)

    def play(self, *turns: str | RosterSays | Event | float | bytes) -> "Dialogue":
        """Keys, news, packets of the room, or seconds that pass; then the caller hangs up."""

        async def test() -> None:
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(self.call.run())
                await settle()
                for turn in turns:
                    match turn:
                        case RosterSays() | Event():
                            self.call.tell(turn)
                        case str():
                            for key in turn:
                                self.call.tell(Digit(key))
                        case bytes():
                            self.call.offer(turn)
                        case float():
                            for _ in range(round(turn * 50)):
                                self.call.tick()
                                await settle()
                    await settle()
                self.over = running.done()
                self.sent = list(self.wire.sent)
                self.was_heard = self.call.pull() is not None
                self.call.tell(Event.HANGUP)
                while not running.done():
                    self.call.tick()
                    await settle()

        asyncio.run(test())
        return self


async def settle() -> None:
    """Let the call do whatever it can do now."""
    for _ in range(4):
        await asyncio.sleep(0)


def test_music_lies_under_the_words_and_is_heard_between_them() -> None:
    sent = Dialogue().play(0.1).sent
    assert sent == [pytest.approx(WORD + MUSIC / 10, abs=0.011)] * 3 + [MUSIC] * 2


def test_a_key_hushes_the_welcome() -> None:
    assert Dialogue().play(0.02, "1", 0.02).sent[-1] == MUSIC


def test_the_caller_is_listened_to_from_the_right_pin_on() -> None:
    dialogue = Dialogue().play("999#", 1.0)
    assert not dialogue.wire.listening
    assert Dialogue().play(f"{PIN}#").wire.listening


@pytest.mark.parametrize(
    ("news", "is_heard"),
    [
        ((), False),
        ((RosterSays.BACKSTAGE,), False),
        ((RosterSays.ON_STAGE,), True),
        ((RosterSays.ON_STAGE, RosterSays.MUTED), False),
        ((RosterSays.ON_STAGE, RosterSays.MUTED, RosterSays.UNMUTED), True),
        ((RosterSays.ON_STAGE, RosterSays.BACKSTAGE), False),
        ((RosterSays.ON_STAGE, RosterSays.REMOVED), False),
    ],
)
def test_a_callers_sound_goes_out_only_on_the_stage_and_unmuted(
    news: tuple[RosterSays, ...],
    is_heard: bool,  # noqa: FBT001
) -> None:
    dialogue = Dialogue().play(f"{PIN}#", *news)
    assert dialogue.was_heard is is_heard


def packets(count: int) -> list[bytes]:
    encoder = OpusEncoder(32_000)
    at = np.arange(FRAME_SAMPLES)
    tone = (ROOM * np.sin(2 * np.pi * 500 * at / SAMPLE_RATE_HZ)).astype(np.float32)
    return [encoder.encode(tone) for _ in range(count)]


def test_on_the_stage_the_room_is_heard_and_a_second_without_it_is_music() -> None:
    offered = [turn for packet in packets(40) for turn in (packet, 0.02)]
    sent = Dialogue().play(f"{PIN}#", RosterSays.ON_STAGE, 0.2, *offered, 2.0).sent
    assert sum(0.15 < float(each) < 0.3 for each in sent) > 30
    assert sent[-10:] == [MUSIC] * 10
    assert 0.0 in sent, "for less than a second there is nothing to hear"


def test_a_telephone_with_opus_gets_the_rooms_packets_as_they_are() -> None:
    offered = packets(10)
    turns = [turn for packet in offered for turn in (packet, 0.02)]
    sent = Dialogue(Wire(takes_opus=True)).play(f"{PIN}#", RosterSays.ON_STAGE, 0.2, *turns).sent
    assert [each for each in sent if isinstance(each, bytes)] == offered[:9], "the last one is the cushion"


def test_what_is_offered_faster_than_it_is_sent_costs_the_oldest() -> None:
    offered = packets(100)
    sent = Dialogue(Wire(takes_opus=True)).play(f"{PIN}#", RosterSays.ON_STAGE, 0.2, *offered, 0.5).sent
    assert [each for each in sent if isinstance(each, bytes)] == offered[-8:]


def test_who_types_nothing_is_let_go_after_three_times_of_patience() -> None:
    patience = PIN_PATIENCE_S + 0.2
    assert not Dialogue().play(*[patience] * (PIN_TRIES_MAX - 1)).over
    assert Dialogue().play(*[patience] * PIN_TRIES_MAX, 0.2).over


def test_a_caller_who_says_nothing_for_two_minutes_stays() -> None:
    assert not Dialogue().play(f"{PIN}#", RosterSays.ON_STAGE, 120.0).over


def test_keys_reach_the_conversation_and_the_place_is_given_back_once() -> None:
    dialogue = Dialogue().play(f"{PIN}#", RosterSays.ON_STAGE, "*6", "*6")
    assert dialogue.desk.guest.acts == ["mute", "unmute", "leave"]


@pytest.mark.parametrize("desk", [Reception(full=True), Reception(broken=True)])
def test_where_there_is_no_place_the_caller_is_told_and_let_go(desk: Reception) -> None:
    dialogue = Dialogue(desk=desk).play(f"{PIN}#", 0.2)
    assert dialogue.over
    assert desk.guest.acts == []


@pytest.mark.parametrize(("news", "keys"), [(RosterSays.ON_STAGE, "*6"), (RosterSays.LISTENING, "*1")])
def test_who_presses_keys_while_the_bus_is_away_stays_and_is_heard_as_before(news: RosterSays, keys: str) -> None:
    dialogue = Dialogue()
    dialogue.desk.guest.bus_is_away = True
    dialogue.play(f"{PIN}#", news, 0.2, keys, 0.2)
    assert not dialogue.over
    assert dialogue.was_heard == (news is RosterSays.ON_STAGE)
    assert dialogue.desk.guest.acts == ["leave"]


def test_keys_without_end_cost_no_memory() -> None:
    dialogue = Dialogue().play("*" * 10_000)
    assert dialogue.call.dropped_events == 10_000 - CALL_EVENTS_MAX
