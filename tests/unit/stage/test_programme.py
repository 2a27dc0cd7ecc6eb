"""The programme's sound: never silent, on time to the sample, and honest about delays."""

from dataclasses import replace

import numpy as np
import pytest

from rostra.audio import announcements
from rostra.audio.frame import Samples, frame_to_pcm16
from rostra.audio.seat import Seat
from rostra.core.conversation import (
    Conversation,
    DoorsOpen,
    End,
    Ended,
    Held,
    Live,
    Rescheduled,
    Schedule,
    Told,
    advance,
)
from rostra.core.messages import FeedFrames, StageEvent
from rostra.core.units import FRAME_NS, FRAME_SAMPLES, SAMPLE_RATE_HZ, SECOND_NS
from rostra.stage.clock import ProgrammeClock
from rostra.stage.programme import Programme

DOORS_NS = 1_000 * SECOND_NS
SCHEDULE = Schedule("Evening", DOORS_NS + 2 * SECOND_NS, DOORS_NS, DOORS_NS + 600 * SECOND_NS, "UTC")
HOLD_HZ, SPEECH_HZ, VOICE_HZ = 200, 1_000, 3_000


def tone(hertz: int, seconds: float, level: float = 0.25) -> Samples:
    time_s = np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return (level * np.sin(2 * np.pi * hertz * time_s)).astype(np.float32)


def power(sound: Samples, hertz: int) -> float:
    """Amplitude of one tone in `sound`."""
    time_s = np.arange(len(sound)) / SAMPLE_RATE_HZ
    return 2 * abs(complex(np.mean(sound * np.exp(-2j * np.pi * hertz * time_s))))


class Evening:
    """A programme with a tone for hold music, another for speech and a third for announcements."""

    def __init__(self, schedule: Schedule = SCHEDULE) -> None:
        self.seats: dict[str, Seat] = {}
        self.events: list[StageEvent] = []
        clock = ProgrammeClock.start(DOORS_NS, mono_ns=0, wall_ns=DOORS_NS)
        self.programme = Programme(
            Conversation("evening", schedule),
            clock,
            self.seats,
            hold_music=tone(HOLD_HZ, 1.0),
            announcements={name: tone(VOICE_HZ, 0.5) for name in announcements.TEXTS["en"]},
            position=0,
        )

    def seat(self, name: str, *, first: int, seconds: float) -> None:
        """A recording of speech whose frame 0 is due at frame `first` of the programme."""
        speech = tone(SPEECH_HZ, seconds)
        seat = self.seats.setdefault(name, Seat())
        for seq in range(len(speech) // FRAME_SAMPLES):
            pcm = frame_to_pcm16(speech[seq * FRAME_SAMPLES : (seq + 1) * FRAME_SAMPLES])
            seat.offer(FeedFrames(name, seq, DOORS_NS + (first + seq) * FRAME_NS, 2, pcm))

    def play(self, seconds: float) -> Samples:
        frames = []
        for _ in range(round(seconds * 50)):
            frame, events = self.programme.frame()
            frames.append(frame)
            self.events += events
            if self.programme.finished:
                break
        return np.concatenate(frames)

    def told(self, kind: str) -> list[tuple[int, str]]:
        return [(event.at, event.value) for event in self.events if event.kind == kind]


def test_p1_the_conversation_is_on_the_air_at_the_announced_sample() -> None:
    evening = Evening()
    evening.seat("reader", first=100, seconds=3)
    sound = evening.play(4)
    assert evening.told("state") == [(0, "doors_open"), (96_000, "live")]
    speech = np.abs(np.diff(sound, n=2))  # the hold tone hardly bends, the speech tone does
    first = 48_000 + int(np.argmax(speech[48_000:] > 0.002))
    assert 96_000 <= first <= 96_000 + 480
    assert power(sound[48_000:96_000], SPEECH_HZ) < 0.001
    assert power(sound[144_000:], HOLD_HZ) < 0.001
    assert power(sound[144_000:], SPEECH_HZ) > 0.2


def test_p1_nobody_on_the_stage_is_told_by_voice_and_in_writing_within_a_minute() -> None:
    evening = Evening()
    sound = evening.play(70)
    assert isinstance(evening.programme.conversation.state, Held)
    delays = [at for at, name in evening.told("notice") if name == "delayed"]
    assert len(delays) == 2
    assert delays[0] <= (2 + 60) * SAMPLE_RATE_HZ
    assert power(sound[delays[0] + 4_800 : delays[0] + 19_200], VOICE_HZ) > 0.1


def test_p2_there_is_never_silence_from_doors_open_to_the_end() -> None:
    evening = Evening()
    evening.seat("reader", first=100, seconds=3)
    sound = evening.play(20)
    level = np.sqrt(np.mean(sound.reshape(-1, 4_800) ** 2, axis=1))
    assert level[:49].min() > 0.05
    silent_chunks = int((level < 0.01).sum())
    assert silent_chunks <= 2, "a stage that has fallen silent is covered by music at once"


def test_when_the_speaker_falls_silent_the_conversation_is_held_and_goes_on_when_the_speaker_is_back() -> None:
    evening = Evening()
    evening.seat("reader", first=100, seconds=1)
    evening.play(6)
    state = evening.programme.conversation.state
    assert isinstance(state, Held)
    assert state.begun
    speech = frame_to_pcm16(tone(SPEECH_HZ, 0.02))
    for seq in range(50, 150):
        evening.seats["reader"].offer(FeedFrames("reader", seq, DOORS_NS + (250 + seq) * FRAME_NS, 2, speech))
    sound = evening.play(1)
    assert isinstance(evening.programme.conversation.state, Live)
    assert power(sound[24_000:], SPEECH_HZ) > 0.2


def test_music_is_ducked_under_an_announcement() -> None:
    evening = Evening(Schedule("Evening", DOORS_NS + 60 * SECOND_NS, DOORS_NS, DOORS_NS + 600 * SECOND_NS, "UTC"))
    sound = evening.play(5)
    ((at, name),) = evening.told("notice")
    assert name == "welcome"
    spoken = sound[at + 12_000 : at + 22_000]
    assert power(spoken, HOLD_HZ) < 0.5 * power(sound[:48_000], HOLD_HZ)
    assert power(spoken, VOICE_HZ) > 0.2


def test_the_end_is_said_and_then_the_music_fades() -> None:
    evening = Evening()
    evening.play(1)
    evening.programme.update(
        advance(evening.programme.conversation, End(), now_ns=evening.programme.clock.wall_at(48_000))
    )
    sound = evening.play(30)
    assert evening.programme.finished
    assert isinstance(evening.programme.conversation.state, Ended)
    assert [name for _, name in evening.told("notice")] == ["ended"]
    assert float(np.abs(sound[-FRAME_SAMPLES:]).max()) < 0.01
    assert len(sound) < 5 * SAMPLE_RATE_HZ


@pytest.mark.parametrize(("moved_s", "live_at"), [(5, 240_000), (2.5, 120_000)])
def test_a_start_that_is_moved_is_told_and_kept(moved_s: float, live_at: int) -> None:
    evening = Evening()
    evening.play(1)
    starts_ns = DOORS_NS + int(moved_s * SECOND_NS)
    later = Schedule("Evening", starts_ns, DOORS_NS, SCHEDULE.ends_ns, "UTC")
    moved = advance(evening.programme.conversation, Rescheduled(later), now_ns=DOORS_NS + SECOND_NS)
    (told,) = evening.programme.update(moved)
    assert (told.kind, told.value) == ("start", str(starts_ns))
    assert evening.programme.update(moved) == [], "the same change twice is told once"
    assert isinstance(evening.programme.conversation.state, DoorsOpen)
    evening.seat("reader", first=round(moved_s * 50), seconds=1)
    evening.play(5)
    assert evening.told("state")[-1][0] >= live_at
    assert (live_at, "live") in evening.told("state")


def test_a_notice_of_the_host_is_told_once_with_a_start_that_it_moves() -> None:
    evening = Evening()
    evening.play(1)
    said = advance(evening.programme.conversation, Told("We wait for a train."), now_ns=DOORS_NS + SECOND_NS)
    later = replace(SCHEDULE, starts_ns=SCHEDULE.starts_ns + SECOND_NS)
    moved = advance(said, Rescheduled(later), now_ns=DOORS_NS + SECOND_NS)
    told = evening.programme.update(moved)
    assert [(event.kind, event.value, event.text) for event in told] == [
        ("notice", "host", "We wait for a train."),
        ("start", str(later.starts_ns), ""),
    ]
    assert evening.programme.update(moved) == []


@pytest.mark.parametrize("seconds", [1, 3], ids=["music", "speech"])
def test_p7_a_standby_goes_on_with_the_very_next_sample(seconds: int) -> None:
    one, two, standby = Evening(), Evening(), Evening()
    for evening in (one, two, standby):
        evening.seat("reader", first=100, seconds=2.5)
    whole = one.play(seconds + 1)
    two.play(seconds)
    for name, next_seq in two.programme.heard().items():
        standby.seats[name].continue_from(next_seq)
    programme = Programme(
        two.programme.conversation,
        two.programme.clock,
        standby.seats,
        hold_music=tone(HOLD_HZ, 1.0),
        announcements={name: tone(VOICE_HZ, 0.5) for name in announcements.TEXTS["en"]},
        position=two.programme.position,
    )
    after = np.concatenate([programme.frame()[0] for _ in range(50)])
    expected = whole[seconds * SAMPLE_RATE_HZ : (seconds + 1) * SAMPLE_RATE_HZ]
    assert float(np.abs(after - expected).max()) < 1e-4
