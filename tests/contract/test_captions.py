"""Captions over a real bus: recognised per seat, one captioner at a time, and never the reason that sound waits."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from bus_server import Bus, run
from rostra.audio.containers import ogg
from rostra.audio.frame import Samples, frame_to_pcm16
from rostra.audio.resample import RECOGNISER_HZ
from rostra.bus import state
from rostra.bus.captions import follow_captions, transcribed
from rostra.bus.connection import Connection
from rostra.bus.seats import SeatPublisher
from rostra.bus.subjects import Role, chunk_subject
from rostra.captions.ear import Model
from rostra.captions.server import CaptionsServer
from rostra.core.conversation import Conversation, Live, Schedule
from rostra.core.errors import BusError
from rostra.core.limits import UTTERANCE_LONG_MAX_S
from rostra.core.messages import Caption, Chunk, FeedFrames, Phrase, StageEvent, encode
from rostra.core.units import CHUNK_FRAMES, CHUNK_NS, CHUNK_SAMPLES, FRAME_NS, SAMPLE_RATE_HZ, SECOND_NS
from rostra.evidence.testimony import Silence
from rostra.recorder import archive, layout
from rostra.recorder.check import check_recordings
from rostra.recorder.journal import AnyEntry, Captioned, Conversing, Happened, Journal, Named, Seated
from rostra.recorder.manifest import read_manifest
from rostra.recorder.mastering import master_copy
from rostra.recorder.merge import merge
from rostra.recorder.tracks import Piece
from rostra.recorder.transcriber import said, transcribe_all
from rostra.recorder.writer import Batch, claim
from rostra.stage.captions import CaptionDesk

BEGAN_NS = 1_790_000_000 * SECOND_NS


class Hears:
    """A recogniser that understands how long a sound was, after `takes_s`; `chokes` on the first."""

    name = "a test"

    def __init__(self, *, takes_s: float = 0.0, chokes: int = 0) -> None:
        self.takes_s = takes_s
        self.threads: set[int] = set()
        self.chokes = chokes

    def recognise(self, sound: Samples) -> list[Phrase]:
        self.threads.add(threading.get_ident())
        time.sleep(self.takes_s)  # as a model's native code, which holds nothing but its thread
        if self.chokes > 0:
            self.chokes -= 1
            raise RuntimeError("nothing it knows")
        seconds = len(sound) / RECOGNISER_HZ
        return [Phrase(0.0, seconds, f"{seconds:.1f} s of speech")]


def model(recogniser: Hears) -> Model:
    return Model(lambda: recogniser, frozenset({"en"}))


def voice(seconds: float) -> Samples:
    at_s = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return (0.2 * np.sin(2 * np.pi * 200 * at_s) * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * at_s))).astype(np.float32)


def quiet(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE_HZ), np.float32)


class Stage:
    """As much of a stage as captions see: seats' frames and chunks at the pace of time, with a caption desk."""

    def __init__(self, connection: Connection, *, seats: Connection) -> None:
        self.captions: list[Caption] = []
        self.late_s: list[float] = []
        self.captioners: list[str] = []
        self.seq = -1
        self._connection = connection
        self._seats = seats
        self._desk = CaptionDesk()

    async def listen(self) -> None:
        async for captions in follow_captions(self._connection, "evening"):
            self._desk.offer(captions, now_s=time.monotonic())

    async def play(self, sounds: dict[str, Samples]) -> None:
        publishers = {seat: SeatPublisher(self._seats, "evening") for seat in sounds}
        begins_s = time.monotonic()
        for number in range(min(len(sound) for sound in sounds.values()) // CHUNK_SAMPLES):
            for seat, sound in sounds.items():
                pcm = frame_to_pcm16(sound[number * CHUNK_SAMPLES : (number + 1) * CHUNK_SAMPLES])
                first = 1 + (self.seq + 1) * CHUNK_FRAMES
                await publishers[seat].send(FeedFrames(seat, first, time.time_ns(), 2, pcm))
            due_s = begins_s + (number + 1) * CHUNK_NS / SECOND_NS
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            self.late_s.append(time.monotonic() - due_s)
            await self.chunk(dict.fromkeys(sounds, 1 + (self.seq + 2) * CHUNK_FRAMES))

    async def chunk(self, heard: dict[str, int], *, last: bool = False) -> None:
        self.seq += 1
        captioner = self._desk.captioner(now_s=time.monotonic())
        made = Chunk(
            "evening", 1, self.seq, time.time_ns(), "live", -20.0, {}, heard=heard, last=last, captioner=captioner
        )
        self.captions += self._desk.take()
        self.captioners.append(captioner)
        await self._connection.publish(chunk_subject("evening", self.seq), encode(made))

    async def until(self, condition: Callable[[], bool], *, within_s: float = 20.0) -> None:
        async with asyncio.timeout(within_s):
            while not condition():
                await self.chunk({})
                await asyncio.sleep(0.1)

    def of(self, seat: str, status: str) -> list[Caption]:
        return [each for each in self.captions if each.seat == seat and each.status == status]


@asynccontextmanager
async def captioned(
    bus: Bus,
    live: Hears,
    *,
    language: str = "en",
    names: tuple[str, ...] = ("one",),
    testimony: Silence | None = None,
) -> AsyncIterator[tuple[Stage, list[asyncio.Task[None]]]]:
    """A conversation that is live, a stage, and a captions process for each of `names`."""
    now_ns = time.time_ns()
    async with bus.connect(Role.OPERATOR) as operator, bus.connect(Role.STAGE) as connection:
        await state.provision(operator)
        schedule = Schedule("Evening", now_ns, now_ns, now_ns + 3600 * SECOND_NS, "UTC", language)
        await state.create_conversation(operator, Conversation("evening", schedule, Live(now_ns)))
        stage = Stage(connection, seats=operator)
        async with bus.connect(Role.CAPTIONS) as captions, asyncio.TaskGroup() as tasks:
            following = tasks.create_task(stage.listen(), name="desk")
            servers = [
                tasks.create_task(
                    CaptionsServer(captions, name, model(live), model(Hears()), testimony).run(), name=name
                )
                for name in names
            ]
            yield stage, servers
            for task in [following, *servers]:
                task.cancel()


async def first_heard(stage: Stage) -> None:
    await stage.until(lambda: bool(stage.captioners) and stage.captioners[-1] != "")


def test_each_seat_is_recognised_by_itself_in_another_thread(bus: Bus) -> None:
    async def evening() -> None:
        live, testimony = Hears(), Silence()
        async with captioned(bus, live, testimony=testimony) as (stage, _):
            await first_heard(stage)
            await stage.play({"anna": np.concatenate((quiet(0.5), voice(2.5), quiet(1.2))), "bob": quiet(4.2)})
            await stage.until(lambda: bool(stage.of("anna", "final")))
        assert testimony.figures() == {"did": {"captions_made": 1, "captions_skipped": 0}}
        assert [each.seat for each in stage.captions] == ["anna"] * len(stage.captions)
        (final,) = stage.of("anna", "final")
        assert final.name == "anna"
        assert final.text.endswith("s of speech")
        assert 2.5 < (final.end - final.start) / SAMPLE_RATE_HZ < 3.2
        assert {each.id for each in stage.of("anna", "partial")} == {final.id}
        assert threading.get_ident() not in live.threads

    run(evening)


def test_a_recogniser_that_cannot_keep_up_skips_and_says_so_and_chunks_stay_in_time(bus: Bus) -> None:
    async def evening() -> None:
        sentence = np.concatenate((voice(1.2), quiet(0.8)))
        sounds = {seat: np.concatenate((quiet(0.2), *[sentence] * 4)) for seat in ("anna", "bob", "carl")}
        async with captioned(bus, Hears(takes_s=2.0)) as (stage, _):
            await first_heard(stage)
            await stage.play(sounds)
            everybody = [each for seat in sounds for each in stage.of(seat, "final") + stage.of(seat, "skipped")]
            assert everybody, "some of it is recognised meanwhile"
            await stage.until(lambda: len({each.id for each in stage.captions if each.status != "partial"}) == 12)
        skipped = [each for each in stage.captions if each.status == "skipped"]
        finals = [each for each in stage.captions if each.status == "final"]
        assert skipped
        assert finals
        assert all(each.text == "" for each in skipped)
        assert len(stage.of("anna", "partial")) <= 3, "partial captions are given up first"
        assert sorted(stage.late_s)[len(stage.late_s) * 9 // 10] < 0.05, "the recogniser holds up nobody"

    run(evening)


def test_an_utterance_on_which_the_recogniser_chokes_is_a_gap_and_the_next_is_not(bus: Bus) -> None:
    async def evening() -> None:
        live = Hears(chokes=100)
        sentence = np.concatenate((voice(0.6), quiet(1.2)))
        async with captioned(bus, live) as (stage, _):
            await first_heard(stage)
            await stage.play({"anna": np.concatenate((quiet(0.3), sentence))})
            await stage.until(lambda: bool(stage.of("anna", "skipped")))
            live.chokes = 0  # it has learned
            await stage.play({"anna": np.concatenate((quiet(0.3), sentence))})
            await stage.until(lambda: bool(stage.of("anna", "final")))

    run(evening)


def test_of_two_captioners_one_is_heard_and_the_other_goes_on_when_it_is_gone(bus: Bus) -> None:
    async def evening() -> None:
        async with captioned(bus, Hears(), names=("one", "two")) as (stage, servers):
            await first_heard(stage)
            chosen = stage.captioners[-1]
            sentence = np.concatenate((quiet(0.3), voice(1), quiet(1)))
            await stage.play({"anna": sentence})
            await stage.until(lambda: bool(stage.of("anna", "final")))
            assert len(stage.of("anna", "final")) == 1
            servers[("one", "two").index(chosen)].cancel()
            await stage.until(lambda: stage.captioners[-1] not in {chosen, ""})
            await stage.play({"anna": sentence})
            await stage.until(lambda: len(stage.of("anna", "final")) == 2)

    run(evening)


def test_a_language_that_the_recogniser_does_not_know_gets_no_captions(bus: Bus) -> None:
    async def evening() -> None:
        async with captioned(bus, Hears(), language="nl") as (stage, _):
            await stage.play({"anna": np.concatenate((quiet(0.3), voice(1), quiet(1.2)))})
        assert stage.captions == []
        assert set(stage.captioners) == {""}

    run(evening)


def test_a_recorder_is_told_what_is_said_and_nobody_answers_for_an_unknown_language(bus: Bus) -> None:
    async def evening() -> None:
        pcm = frame_to_pcm16(voice(4)[: 4 * RECOGNISER_HZ])
        async with captioned(bus, Hears()), bus.connect(Role.RECORDER) as recorder:
            async with asyncio.timeout(20):
                while True:
                    try:
                        answer = await transcribed(recorder, "en", pcm)
                        break
                    except BusError:  # the captions process has not subscribed yet
                        await asyncio.sleep(0.05)
            assert answer.recogniser == "a test"
            assert [each.text for each in answer.phrases] == ["4.0 s of speech"]
            with pytest.raises(BusError):
                await transcribed(recorder, "nl", pcm)
            longest = frame_to_pcm16(np.zeros(round(UTTERANCE_LONG_MAX_S * RECOGNISER_HZ), np.float32))
            assert (await transcribed(recorder, "en", longest)).phrases, "the longest piece fits a message"

    run(evening)


def recorded(recordings: Path, conversation: str) -> Path:
    """A recording of six seconds: anna speaks in seconds 1 and 4, and is on the air in the first three."""
    folder = recordings / conversation
    writer = claim(folder, stems="flac", now_ns=BEGAN_NS)
    assert writer is not None
    writer.programme_header = ogg.init(pre_skip=312, application="rostra")
    sound = np.concatenate((quiet(1), voice(1), quiet(2), voice(1), quiet(1)))
    packets = [b"\xf8" + bytes(40)] * CHUNK_FRAMES
    pieces = []
    for seq in range(60):
        starts_ns = BEGAN_NS + seq * CHUNK_NS
        pcm = frame_to_pcm16(sound[seq * CHUNK_SAMPLES : (seq + 1) * CHUNK_SAMPLES])
        page = ogg.chunk(packets, pts=seq * CHUNK_SAMPLES)
        pieces.append((layout.PROGRAMME, Piece(seq, 1, starts_ns, page)))
        pieces.append((layout.stem("anna"), Piece(starts_ns // FRAME_NS, CHUNK_FRAMES, starts_ns, pcm)))
    entries: list[AnyEntry] = [
        Conversing(BEGAN_NS, conversation, "Evening", BEGAN_NS, BEGAN_NS, "UTC", "en", "ended"),
        Happened(BEGAN_NS, 0, StageEvent("state", 0, "live")),
        Seated(BEGAN_NS, 0, ["anna"]),
        Named(BEGAN_NS, {"anna": "Anna"}),
        Captioned(BEGAN_NS, 20, Caption("anna-1", "anna", "Anna", 48_000, 96_000, "Life", "final")),
        Seated(BEGAN_NS, 30, []),
    ]
    writer.write(Batch(pieces, entries), now_ns=BEGAN_NS)
    writer.finish(heard_end=True, now_ns=BEGAN_NS)
    writer.release()
    merge(folder, now_ns=BEGAN_NS)
    master_copy(folder)
    return folder


def bodies(folder: Path) -> list[tuple[str, str]]:
    manifest = read_manifest(folder)
    assert manifest is not None
    made = archive.best_transcript(folder, manifest)
    assert made is not None
    return [(each.speaker, each.body) for each in made.segments]


def test_p8_a_better_transcript_has_what_was_on_the_air_and_replaces_the_live_one(bus: Bus, tmp_path: Path) -> None:
    async def evening() -> None:
        recordings = tmp_path / "recordings"
        folder = recorded(recordings, "evening")
        async with bus.connect(Role.RECORDER) as recorder:
            await transcribe_all(recorder, recordings)  # nobody is there who could
            assert bodies(folder) == [("Anna", "Life")]
            async with captioned(bus, Hears()) as (stage, _):
                await first_heard(stage)
                await transcribe_all(recorder, recordings)
        ((speaker, body),) = bodies(folder)
        assert speaker == "Anna"
        assert body in {"1.4 s of speech", "1.5 s of speech", "1.6 s of speech"}
        assert check_recordings(recordings)[1] == []

    run(evening)


def test_a_recording_that_is_deleted_meanwhile_gets_no_transcript(tmp_path: Path) -> None:
    folder = recorded(tmp_path, "evening")
    manifest = read_manifest(folder)
    assert manifest is not None
    made = archive.best_transcript(folder, manifest)
    assert made is not None
    archive.delete(tmp_path, "evening", who="anna", why="asked by a guest", now_ns=BEGAN_NS)
    assert archive.keep_transcript(folder, made) is False
    assert list(said(folder, manifest, Journal(seats=[Seated(BEGAN_NS, 0, ["anna"])]))) == []
    assert not folder.exists()
