"""P7: what the recorder has on the disk after crashes, full disks and damage, on a real bus and a real disk."""

import asyncio
import resource
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from fcntl import LOCK_EX, LOCK_UN, flock
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from bus_server import Bus, run
from rostra.audio.containers import ogg
from rostra.audio.encoder import ProgrammeEncoder
from rostra.audio.frame import frame_to_pcm16, pcm16_to_frame
from rostra.audio.source import frames_from
from rostra.bus import state
from rostra.bus.connection import Connection
from rostra.bus.programme import ProgrammePublisher
from rostra.bus.roster import RosterLog
from rostra.bus.seats import SeatPublisher, calls
from rostra.bus.subjects import Role, chunk_subject
from rostra.core.conversation import Cancelled, Conversation, Held, Schedule
from rostra.core.errors import BadInputError
from rostra.core.limits import PROGRAMME_RETENTION_S
from rostra.core.messages import Chunk, FeedFrames, Init, StageEvent, encode
from rostra.core.roster import Enter, StageRole
from rostra.core.units import CHUNK_NS, FRAME_NS, FRAME_SAMPLES, SECOND_NS
from rostra.recorder import archive, layout
from rostra.recorder.check import check_recordings
from rostra.recorder.journal import Closed, Conversing, Happened, Opened, read
from rostra.recorder.manifest import Manifest, Speaker, StemPiece, read_manifest
from rostra.recorder.mastering import master_copy
from rostra.recorder.merge import merge
from rostra.recorder.server import RecorderServer, RecorderSettings
from rostra.recorder.survey import read_journal
from rostra.recorder.tracks import Piece
from rostra.recorder.writer import Batch, StemFormat, Writer, claim

BEGAN_NS = 1_790_000_000 * SECOND_NS
STEM = layout.stem("anna")
HEADER = ogg.init(pre_skip=312, application="rostra")


def made(seq: int) -> Piece:
    """A chunk of five packets that decode to something."""
    packets = [bytes([0xF8, seq % 256]) + bytes(40)] * 5
    return Piece(seq, 1, BEGAN_NS + seq * CHUNK_NS, ogg.chunk(packets, pts=seq * 4_800))


def said(number: int) -> Piece:
    rng = np.random.default_rng(number)
    return Piece(number, 1, number * FRAME_NS, rng.integers(-9_000, 9_000, FRAME_SAMPLES, np.int16).tobytes())


def second(first: int) -> Batch:
    """A second of programme and stem, from chunk `first` on."""
    pieces = [(layout.PROGRAMME, made(first + n)) for n in range(10)]
    return Batch(pieces + [(STEM, said(BEGAN_NS // FRAME_NS + 5 * first + n)) for n in range(50)])


def writer_of(folder: Path) -> Writer:
    writer = claim(folder, stems="flac", now_ns=BEGAN_NS)
    assert writer is not None
    writer.programme_header = HEADER
    return writer


def evening(*, live_at: int = 0) -> Batch:
    conversation = Conversing(BEGAN_NS, "evening", "Evening", BEGAN_NS, BEGAN_NS, "UTC", "en", "live")
    return Batch([], [conversation, Happened(BEGAN_NS, live_at, StageEvent("state", live_at * 4_800, "live"))])


def merged(folder: Path) -> Manifest:
    """The recording when its replay is mastered too."""
    merge(folder, now_ns=BEGAN_NS)
    master_copy(folder)
    manifest = read_manifest(folder)
    assert manifest is not None
    assert layout.PODCAST in manifest.files
    return manifest


@contextmanager
def full_disk(bytes_max: int) -> Iterator[None]:
    """No file of this process grows beyond `bytes_max`: writing fails as on a full disk (EFBIG)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_max, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


# --- the disk --------------------------------------------------------------------------------------


def test_a_recording_is_whole_and_its_stems_bit_for_bit(tmp_path: Path) -> None:
    folder = tmp_path / "evening"
    writer = writer_of(folder)
    for batch in (evening(), second(0), second(10), second(10), second(20)):  # what comes twice is kept once
        writer.write(batch, now_ns=BEGAN_NS)
    writer.finish(heard_end=True, now_ns=BEGAN_NS)
    writer.release()
    manifest = merged(folder)
    assert (manifest.seconds, manifest.complete, manifest.begun) == (3.0, True, True)
    (piece,) = manifest.stems
    assert (piece.seat, piece.seconds, piece.at_s) == ("anna", 3.0, 0.0)
    first = BEGAN_NS // FRAME_NS
    heard = b"".join(frame_to_pcm16(frame) for frame in frames_from(str(folder / piece.file)))
    assert heard == b"".join(said(first + n).payload for n in range(150))
    assert check_recordings(tmp_path) == (2, [])


def test_a_recording_has_one_writer_and_the_next_one_when_that_is_gone(tmp_path: Path) -> None:
    writer = writer_of(tmp_path / "evening")
    assert claim(tmp_path / "evening", stems="flac", now_ns=BEGAN_NS) is None
    writer.release()
    writer_of(tmp_path / "evening").release()


@pytest.mark.parametrize("torn_bytes", [0, 1, 30, 200])
def test_p7_who_comes_after_a_kill_goes_on_where_the_last_whole_page_ends(tmp_path: Path, torn_bytes: int) -> None:
    folder = tmp_path / "evening"
    killed = writer_of(folder)
    killed.write(evening(), now_ns=BEGAN_NS)
    killed.write(second(0), now_ns=BEGAN_NS)
    killed.release()
    with (folder / "programme-000000000000.ogg").open(
        "ab"
    ) as file:  # written, not in the journal, the last one torn
        file.write(made(10).payload + made(11).payload[:torn_bytes])
    with (folder / layout.JOURNAL).open("ab") as file:
        file.write(b'{"type":"syn')
    resumed = writer_of(folder)
    cursor = resumed.journal.cursor(layout.PROGRAMME)
    assert cursor is not None
    assert cursor.number == 11 if torn_bytes < 200 else 12
    for batch in (second(0), second(10), second(20)):  # what the bus still has is heard again
        resumed.write(batch, now_ns=BEGAN_NS)
    resumed.finish(heard_end=True, now_ns=BEGAN_NS)
    resumed.release()
    manifest = merged(folder)
    assert (manifest.seconds, manifest.gaps) == (3.0, [])
    assert check_recordings(tmp_path)[1] == []


def test_p7_what_nobody_heard_is_silence_in_the_replay_and_said(tmp_path: Path) -> None:
    folder = tmp_path / "evening"
    writer = writer_of(folder)
    for batch in (evening(), second(0), second(30)):
        writer.write(batch, now_ns=BEGAN_NS)
    writer.finish(heard_end=True, now_ns=BEGAN_NS)
    writer.release()
    manifest = merged(folder)
    (gap,) = manifest.gaps
    assert (manifest.seconds, manifest.complete) == (4.0, False)
    assert (gap.at_s, gap.seconds, gap.because) == (1.0, 2.0, "hole")
    assert len(list(ogg.pages([(folder / layout.REPLAY).read_bytes()]))) == 2 + 40
    (finding,) = check_recordings(tmp_path)[1]
    assert "2.0 s of the programme are missing from 2026-09-21T" in finding.what


def test_p7_a_full_disk_loses_nothing_that_memory_can_hold(tmp_path: Path) -> None:
    folder = tmp_path / "evening"
    writer = writer_of(folder)
    writer.write(evening(), now_ns=BEGAN_NS)
    writer.write(second(0), now_ns=BEGAN_NS)
    before = {path.name: path.stat().st_size for path in folder.iterdir()}
    with full_disk(512):
        for _ in range(3):
            with pytest.raises(OSError, match="File too large"):
                writer.write(second(10), now_ns=BEGAN_NS)
    assert {path.name: path.stat().st_size for path in folder.iterdir()} == before, "as if it had not been"
    writer.write(second(10), now_ns=BEGAN_NS)
    writer.write(second(20), now_ns=BEGAN_NS)
    writer.finish(heard_end=True, now_ns=BEGAN_NS)
    writer.release()
    manifest = merged(folder)
    assert (manifest.seconds, manifest.gaps) == (3.0, [])
    assert check_recordings(tmp_path)[1] == []
    assert said_in(folder, manifest.stems) == [said(BEGAN_NS // FRAME_NS + n).payload for n in range(150)]
    opened = [entry for entry in read((folder / layout.JOURNAL).read_bytes())[0] if isinstance(entry, Opened)]
    assert [entry.because for entry in opened] == ["begin", "begin", "disk", "disk"]


def said_in(folder: Path, stems: list[StemPiece]) -> list[bytes]:
    """The frames of all pieces, one after the other; each piece as long as the manifest says."""
    frames: list[bytes] = []
    for piece in stems:
        assert piece.at_s == pytest.approx(len(frames) * 0.02)
        count = round(piece.seconds / 0.02)
        frames += [frame_to_pcm16(frame) for frame in frames_from(str(folder / piece.file))][:count]
    return frames


@pytest.mark.parametrize("stems", ["flac", "opus"])
def test_p7_what_a_coder_holds_back_when_the_disk_fails_goes_into_the_next_segment(
    tmp_path: Path, stems: StemFormat
) -> None:
    """Also when the disk fails again, at the very end, and in the midst of a segment's end."""
    folder = tmp_path / "evening"
    writer = claim(folder, stems=stems, now_ns=BEGAN_NS)
    assert writer is not None
    writer.write(evening(), now_ns=BEGAN_NS)
    for first, count in ((0, 13), (13, 7), (20, 18)):
        batch = Batch([(STEM, said(BEGAN_NS // FRAME_NS + first + n)) for n in range(count)])
        for _ in range(2):
            with full_disk(300), pytest.raises(OSError, match="File too large"):
                writer.write(batch, now_ns=BEGAN_NS)
        writer.write(batch, now_ns=BEGAN_NS)
    with full_disk(300), pytest.raises(OSError, match="File too large"):
        writer.finish(heard_end=True, now_ns=BEGAN_NS)
    writer.write(Batch(), now_ns=BEGAN_NS)
    writer.finish(heard_end=True, now_ns=BEGAN_NS)
    writer.release()
    journal = read_journal(folder)
    assert [segment.first for segment in journal.of_track(STEM)][1:] == [
        segment.end for segment in journal.of_track(STEM)
    ][:-1], "no number is missing"
    assert sum(segment.end - segment.first for segment in journal.of_track(STEM)) == 38


def test_a_disk_that_fails_for_long_uses_up_no_segments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rostra.recorder.writer.RECORDING_SEGMENTS_MAX", 3)
    writer = writer_of(tmp_path / "evening")
    with full_disk(600):  # the journal has room for the names of segments, they have none
        for _ in range(5):
            with pytest.raises(OSError, match="File too large"):
                writer.write(second(0), now_ns=BEGAN_NS)
    writer.write(second(0), now_ns=BEGAN_NS)
    writer.release()
    assert writer.refused_pieces == 0


def finished(recordings: Path, conversation: str = "evening") -> Path:
    folder = recordings / conversation
    writer = writer_of(folder)
    for batch in (evening(), second(0), second(10), second(20)):
        writer.write(batch, now_ns=BEGAN_NS)
    writer.finish(heard_end=True, now_ns=BEGAN_NS)
    writer.release()
    merged(folder)
    return folder


def cut(path: Path, share: float) -> None:
    with path.open("r+b") as file:
        file.truncate(round(path.stat().st_size * share))


def test_a_replay_for_which_there_is_no_room_leaves_nothing_and_is_made_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "evening"
    writer = writer_of(folder)
    for batch in (evening(), second(0), second(10)):
        writer.write(batch, now_ns=BEGAN_NS)
    writer.finish(heard_end=True, now_ns=BEGAN_NS)
    writer.release()
    before = sorted(folder.iterdir())
    with full_disk(2_048), pytest.raises(OSError, match="File too large"):
        merge(folder, now_ns=BEGAN_NS)
    assert sorted(folder.iterdir()) == before, "half a replay would take the room of others"
    with monkeypatch.context() as short:
        short.setattr("rostra.disk.RECORDING_DISK_FREE_MIN_BYTES", 1 << 60)
        with pytest.raises(OSError, match="MB of room"):
            merge(folder, now_ns=BEGAN_NS)
    assert merge(folder, now_ns=BEGAN_NS).complete


def test_fsck_names_what_a_truncated_segment_lacks_and_the_rest_is_read(tmp_path: Path) -> None:
    folder = finished(tmp_path)
    for path in folder.iterdir():
        if layout.parse_segment(path.name):
            cut(path, 0.5)
    findings = {finding.where: finding.what for finding in check_recordings(tmp_path)[1]}
    programme = findings["evening/programme-000000000000.ogg"]
    assert "its last 1.6 s" in programme or "is not what it was" in programme
    assert any(
        "damaged" in what and "to 2026-09-21T" in what for what in (f.what for f in check_recordings(tmp_path)[1])
    )
    (folder / layout.MANIFEST).unlink()
    manifest = merge(folder, now_ns=BEGAN_NS)  # the whole part is a replay by itself
    assert 1.3 <= manifest.seconds <= 1.6


def test_fsck_sees_a_changed_byte_a_lost_file_and_a_stranger(tmp_path: Path) -> None:
    folder = finished(tmp_path)
    replay = bytearray((folder / layout.REPLAY).read_bytes())
    replay[-1] ^= 1
    (folder / layout.REPLAY).write_bytes(replay)
    (folder / layout.CHAPTERS).unlink()
    (folder / "programme-000000000099.ogg").write_bytes(b"")
    assert [finding.where for finding in check_recordings(tmp_path)[1]] == [
        "evening/programme-000000000099.ogg",
        "evening/chapters.json",
        "evening/replay.opus",
    ]


def test_a_journal_that_cannot_be_read_is_a_finding_and_no_crash(tmp_path: Path) -> None:
    folder = finished(tmp_path)
    (folder / layout.JOURNAL).write_bytes(b"\x00\xff\n")
    (finding,) = check_recordings(tmp_path)[1]
    assert "no journal" in finding.what


# --- deletion --------------------------------------------------------------------------------------


def test_deletion_is_real_and_recorded(tmp_path: Path) -> None:
    folder = finished(tmp_path)
    before = read_manifest(folder)
    assert before is not None
    archive.delete(tmp_path, "evening", who="anna", why="asked by a guest", now_ns=BEGAN_NS)
    assert not folder.exists()
    (stone,) = archive.tombstones(tmp_path)
    assert (stone.conversation, stone.who, stone.why) == ("evening", "anna", "asked by a guest")
    assert stone.sha256 == before.files[layout.REPLAY].sha256
    with pytest.raises(BadInputError, match="no recording"):
        archive.delete(tmp_path, "evening", who="anna", why="again", now_ns=BEGAN_NS)
    assert check_recordings(tmp_path) == (0, [])


@pytest.mark.parametrize("left", [layout.JOURNAL, layout.REPLAY])
def test_whatever_a_deletion_that_was_interrupted_has_left_is_found_and_removed(tmp_path: Path, left: str) -> None:
    folder = finished(tmp_path)
    kept = (folder / left).read_bytes()
    archive.delete(tmp_path, "evening", who="anna", why="asked by a guest", now_ns=BEGAN_NS)
    folder.mkdir()
    (folder / left).write_bytes(kept)
    (finding,) = check_recordings(tmp_path)[1]
    assert (finding.where, finding.what) == ("evening", "deleted, but files of it are still there")
    assert archive.sweep(tmp_path, days=None, now_ns=BEGAN_NS) == ["evening"]
    assert not folder.exists()


def test_a_deletion_waits_until_another_one_is_recorded(tmp_path: Path) -> None:
    """Deleting are the command and every recorder's retention: neither may overwrite what the other writes."""
    finished(tmp_path, "morning")
    archive.delete(tmp_path, "morning", who="anna", why="asked by a guest", now_ns=BEGAN_NS)
    finished(tmp_path)
    with (tmp_path / layout.TOMBSTONES).open("r+b") as stones, ThreadPoolExecutor(1) as other:
        flock(stones, LOCK_EX)
        deleting = other.submit(archive.delete, tmp_path, "evening", who="bas", why="old", now_ns=BEGAN_NS)
        with pytest.raises(TimeoutError):
            deleting.result(timeout=0.3)
        line = stones.read()
        stones.write(line.replace(b"morning", b"noon"))
        stones.flush()
        flock(stones, LOCK_UN)
        deleting.result(timeout=5)
    assert [stone.conversation for stone in archive.tombstones(tmp_path)] == ["morning", "noon", "evening"]


def test_one_damaged_recording_does_not_hide_the_others(tmp_path: Path) -> None:
    folder = finished(tmp_path)
    (folder / layout.MANIFEST).write_text("{")
    assert archive.listed(folder).damaged


def test_what_is_being_recorded_is_not_deleted(tmp_path: Path) -> None:
    writer = writer_of(tmp_path / "evening")
    writer.write(evening(), now_ns=BEGAN_NS)
    with pytest.raises(BadInputError, match="being recorded"):
        archive.delete(tmp_path, "evening", who="anna", why="now", now_ns=BEGAN_NS)
    writer.release()


def test_retention_deletes_what_is_old_and_finishes_an_interrupted_deletion(tmp_path: Path) -> None:
    day_ns = 24 * 3600 * SECOND_NS
    finished(tmp_path)
    assert archive.sweep(tmp_path, days=None, now_ns=BEGAN_NS + 1_000 * day_ns) == []
    assert archive.sweep(tmp_path, days=7, now_ns=BEGAN_NS + 6 * day_ns) == []
    assert archive.sweep(tmp_path, days=7, now_ns=BEGAN_NS + 7 * day_ns) == ["evening"]
    assert archive.tombstones(tmp_path)[0].who == "retention"
    finished(tmp_path)  # as if the process had been killed between the two steps
    assert "still there" in check_recordings(tmp_path)[1][0].what
    assert archive.sweep(tmp_path, days=None, now_ns=BEGAN_NS) == ["evening"]
    with (tmp_path / layout.TOMBSTONES).open("ab") as file:
        file.write(b'{"torn')
    finished(tmp_path, "morning")
    archive.delete(tmp_path, "morning", who="anna", why="too", now_ns=BEGAN_NS)
    assert [stone.conversation for stone in archive.tombstones(tmp_path)] == ["evening", "morning"]


def test_tombstones_that_cannot_be_read_are_told_and_stop_nothing(tmp_path: Path) -> None:
    finished(tmp_path)
    (tmp_path / layout.TOMBSTONES).write_bytes(b"no tombstone\n")
    assert not archive.is_deleted(tmp_path, "evening")
    (finding,) = check_recordings(tmp_path)[1]
    assert finding.where == layout.TOMBSTONES


# --- the bus ---------------------------------------------------------------------------------------


class Evening:
    """A stage and a seat, as far as a recorder hears them."""

    def __init__(self, stage: Connection, feed: Connection) -> None:
        self._encoder = ProgrammeEncoder(0)
        self._stage = stage
        self._feed = feed
        self.publisher = ProgrammePublisher(stage, may_publish=self._may, clock_ns=lambda: 0)
        self.seat = SeatPublisher(feed, "evening")
        self.chunks = 0
        self.first = time.time_ns() // FRAME_NS

    async def _may(self) -> bool:
        return True

    async def begin(self) -> None:
        await state.put_init(self._stage, Init("evening", self._encoder.init))

    async def goodbye(self) -> None:
        number = self.first + 5 * self.chunks
        goodbye = FeedFrames("anna", number, number * FRAME_NS, 2, b"", last=True)
        assert await self.seat.finish(goodbye, patience_s=10)

    async def speak(self, seconds: float, *, last: bool = False) -> None:
        """Chunks and frames, faster than they would be heard."""
        for turn in range(round(10 * seconds)):
            media = None
            for n in range(5):
                number = 5 * self.chunks + n
                frame = pcm16_to_frame(said(number).payload)
                media = self._encoder.encode(frame) or media
                await self.seat.send(
                    FeedFrames(
                        "anna",
                        self.first + number,
                        (self.first + number) * FRAME_NS,
                        2,
                        said(number).payload,
                    )
                )
            assert media is not None
            ends_ns = self.first * FRAME_NS + (self.chunks + 1) * CHUNK_NS
            events = [StageEvent("state", 0, "live")] if self.chunks == 0 else []
            is_last = last and turn == round(10 * seconds) - 1
            self.publisher.offer(
                Chunk("evening", 1, self.chunks, ends_ns, "live", -16.0, media, events, {"anna": 1}, last=is_last)
            )
            self.chunks += 1
            await asyncio.sleep(0.01)


def chunk_of(seq: int, *, last: bool = False) -> Chunk:
    """A chunk as a stage sends it, without the cost of an encoder."""
    page = made(seq)
    media = {"ogg-64": page.payload}
    return Chunk("evening", 1, seq, page.starts_ns + CHUNK_NS, "live", -16.0, media, last=last)


@asynccontextmanager
async def recorder(bus: Bus, folder: Path) -> AsyncIterator[RecorderServer]:
    """A recorder that is killed (cancelled without a word to the disk is what a test of the writer is for)."""
    async with bus.connect(Role.RECORDER) as connection, asyncio.TaskGroup() as tasks:
        server = RecorderServer(connection, "recorder-1", RecorderSettings(folder, "flac", None))
        running = tasks.create_task(server.run())
        yield server
        running.cancel()


@asynccontextmanager
async def speaking(bus: Bus) -> AsyncIterator[Evening]:
    now_ns = time.time_ns()
    conversation = Conversation(
        "evening", Schedule("Evening", now_ns, now_ns, now_ns + 3600 * SECOND_NS, "UTC"), Held(now_ns, begun=False)
    )
    async with (
        bus.connect(Role.OPERATOR) as operator,
        bus.connect(Role.STAGE) as stage,
        bus.connect(Role.FEED) as feed,
    ):
        await state.provision(operator)
        evening = Evening(stage, feed)
        async with asyncio.TaskGroup() as tasks, calls(feed, "evening") as evening.seat.called:
            publishing = tasks.create_task(evening.publisher.run())
            await state.create_conversation(operator, replace(conversation))
            await evening.begin()
            yield evening
            await evening.publisher.drained()
            publishing.cancel()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 # files tell nobody when they appear
            await asyncio.sleep(0.02)


def test_p7_everything_is_recorded_through_a_recorders_restart_and_a_killed_bus(bus: Bus, tmp_path: Path) -> None:
    async def test() -> None:
        async with speaking(bus) as evening:
            async with recorder(bus, tmp_path):
                await until((tmp_path / "evening" / layout.JOURNAL).exists)
                await evening.speak(3)
                await until((tmp_path / "evening" / "programme-000000000000.ogg").exists)
            await evening.speak(2)  # nobody records
            async with recorder(bus, tmp_path):
                await evening.speak(2)
                bus.kill()
                await evening.speak(1)
                bus.start()
                await evening.speak(1)
                await evening.goodbye()
                await evening.speak(1, last=True)
                await until((tmp_path / "evening" / layout.MANIFEST).exists)
        manifest = read_manifest(tmp_path / "evening")
        assert manifest is not None
        assert (manifest.seconds, manifest.gaps) == (10.0, [])
        assert sum(piece.seconds for piece in manifest.stems) >= 10.0 - 0.1, "a held-back block of a stem at most"
        master_copy(tmp_path / "evening")  # what is behind all others need not be waited for
        assert check_recordings(tmp_path)[1] == []

    run(test)


def test_p7_a_recorder_whose_disk_is_full_goes_on_when_there_is_room(bus: Bus, tmp_path: Path) -> None:
    async def test() -> None:
        async with speaking(bus) as evening, recorder(bus, tmp_path) as server:
            await until((tmp_path / "evening" / layout.JOURNAL).exists)
            await evening.speak(2)
            await until((tmp_path / "evening" / "programme-000000000000.ogg").exists)
            with full_disk(512):
                await evening.speak(3)
                await asyncio.sleep(1.5)  # the recorder tries again once a second
            await evening.speak(1, last=True)
            await until((tmp_path / "evening" / layout.MANIFEST).exists)
            did = cast("dict[str, int]", server.account()["did"])
        manifest = read_manifest(tmp_path / "evening")
        assert manifest is not None
        assert (manifest.seconds, manifest.gaps) == (6.0, [])
        assert did["pieces_written"] >= 60, "its ledger says so too: chunks of 100 ms, and a seat's sound"
        assert did["pieces_lost"] == 0
        assert did["write_failures"] > 0
        master_copy(tmp_path / "evening")  # what is behind all others need not be waited for
        assert check_recordings(tmp_path)[1] == []

    run(test)


def test_p7_a_recorder_that_comes_late_takes_all_that_the_bus_still_has(bus: Bus, tmp_path: Path) -> None:
    async def test() -> None:
        async with speaking(bus), bus.connect(Role.STAGE) as stage:
            chunks = range(PROGRAMME_RETENTION_S * 10 - 50)
            for first in chunks[::50]:  # a busy server acknowledges no more at once in time
                async with asyncio.TaskGroup() as storing:
                    for seq in chunks[first : first + 50]:
                        storing.create_task(stage.store(chunk_subject("evening", seq), encode(chunk_of(seq))))
            async with recorder(bus, tmp_path):
                await until((tmp_path / "evening" / "programme-000000000000.ogg").exists)
                await stage.store(chunk_subject("evening", len(chunks)), encode(chunk_of(len(chunks), last=True)))
                await until((tmp_path / "evening" / layout.MANIFEST).exists)
        manifest = read_manifest(tmp_path / "evening")
        assert manifest is not None
        assert (manifest.seconds, manifest.gaps) == ((len(chunks) + 1) / 10, [])

    run(test)


def deleted(recordings: Path) -> bool:
    """Refused as long as its recorder holds it, which is a moment longer than until it is finished."""
    try:
        archive.delete(recordings, "evening", who="anna", why="asked by a guest", now_ns=BEGAN_NS)
    except BadInputError:
        return False
    return True


def test_a_recording_that_is_deleted_is_not_made_again_by_a_recorder_that_stood_by(
    bus: Bus, tmp_path: Path
) -> None:
    async def test() -> None:
        async with speaking(bus) as evening, recorder(bus, tmp_path), recorder(bus, tmp_path):
            await until((tmp_path / "evening" / layout.JOURNAL).exists)
            await evening.speak(2, last=True)
            await until((tmp_path / "evening" / layout.MANIFEST).exists)
            await until(lambda: deleted(tmp_path))
            await asyncio.sleep(1.5)  # who stands by looks once a second
            assert archive.leftovers(tmp_path) == []

    run(test)


def test_two_recorders_share_a_folder_and_one_records(bus: Bus, tmp_path: Path) -> None:
    async def test() -> None:
        async with speaking(bus) as evening, recorder(bus, tmp_path), recorder(bus, tmp_path):
            await until((tmp_path / "evening" / layout.JOURNAL).exists)
            await evening.speak(2, last=True)
            await until((tmp_path / "evening" / layout.MANIFEST).exists)
        entries, _ = read((tmp_path / "evening" / layout.JOURNAL).read_bytes())
        assert [type(entry) for entry in entries].count(Closed) == 1
        master_copy(tmp_path / "evening")  # what is behind all others need not be waited for
        assert check_recordings(tmp_path)[1] == []

    run(test)


def test_people_are_called_by_their_names_and_what_was_never_heard_leaves_no_recording(
    bus: Bus, tmp_path: Path
) -> None:
    async def test() -> None:
        async with speaking(bus) as evening, bus.connect(Role.GATE) as gate, bus.connect(Role.OPERATOR) as operator:
            now_ns = time.time_ns()
            never = Conversation(
                "never", Schedule("Never", now_ns, now_ns, now_ns + SECOND_NS, "UTC"), Cancelled(now_ns)
            )
            await state.create_conversation(operator, never)
            log = RosterLog(gate, "evening")
            assert await log.do("anna", Enter("Anna B.", StageRole.HOST), now_ns=now_ns) is None
            async with recorder(bus, tmp_path):
                await until((tmp_path / "evening" / layout.JOURNAL).exists)
                await evening.speak(12)
                await until(lambda: b'"named"' in (tmp_path / "evening" / layout.JOURNAL).read_bytes())
                await evening.speak(1, last=True)
                await until((tmp_path / "evening" / layout.MANIFEST).exists)
        manifest = read_manifest(tmp_path / "evening")
        assert manifest is not None
        assert manifest.speakers == [Speaker("anna", "Anna B.", 13.0)]
        assert [folder.name for folder in tmp_path.iterdir() if folder.name == "never"] == []

    run(test)


def test_a_chunk_that_comes_after_the_next_one_is_no_hole(bus: Bus, tmp_path: Path) -> None:
    async def test() -> None:
        async with speaking(bus), bus.connect(Role.STAGE) as stage, recorder(bus, tmp_path):
            await until((tmp_path / "evening" / layout.JOURNAL).exists)
            for seq in (1, 0, 2):
                await stage.store(chunk_subject("evening", seq), encode(chunk_of(seq, last=seq == 2)))
                await asyncio.sleep(0.3)
            await until((tmp_path / "evening" / layout.MANIFEST).exists)
        manifest = read_manifest(tmp_path / "evening")
        assert manifest is not None
        assert (manifest.seconds, manifest.gaps) == (pytest.approx(0.3), [])

    run(test)
