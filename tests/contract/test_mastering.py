"""A replay is there at once as a copy, and gives way to its master, whoever is killed or deletes it in between."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from xml.etree.ElementTree import fromstring

import httpx2
import numpy as np
import pytest

from hearing import speech
from rostra.audio.containers import ogg
from rostra.audio.loudness import TARGET_LUFS, integrated_lufs
from rostra.audio.opus import OpusEncoder
from rostra.audio.source import frames_from
from rostra.audio.true_peak import to_db, true_peak
from rostra.core.messages import StageEvent
from rostra.core.units import CHUNK_FRAMES, CHUNK_NS, CHUNK_SAMPLES, FRAME_SAMPLES, SAMPLE_RATE_HZ, SECOND_NS
from rostra.disk import blocks, try_lock, unfinished
from rostra.recorder import archive, layout
from rostra.recorder.check import check_recordings
from rostra.recorder.journal import Conversing, Happened
from rostra.recorder.manifest import Manifest, read_manifest
from rostra.recorder.mastering import Mastering, master_copy
from rostra.recorder.merge import merge
from rostra.recorder.tracks import Piece
from rostra.recorder.web import Web, WebSettings
from rostra.recorder.writer import Batch, claim

BEGAN_NS = 1_790_000_000 * SECOND_NS


@pytest.fixture(scope="module")
def packets() -> list[bytes]:
    """8 s of speech as it comes from a stage, at about -20 LUFS."""
    encoder = OpusEncoder(64_000)
    sound = speech()[: 8 * SAMPLE_RATE_HZ] * np.float32(10 ** (16 / 20))
    return [encoder.encode(frame) for frame in sound.reshape(-1, FRAME_SAMPLES)]


def ended(folder: Path, packets: list[bytes]) -> Manifest:
    """A recording right after its end."""
    writer = claim(folder, stems="flac", now_ns=BEGAN_NS)
    assert writer is not None
    writer.programme_header = ogg.init(pre_skip=312, application="rostra")
    name = folder.name
    begun = Conversing(BEGAN_NS, name, name.title(), BEGAN_NS, BEGAN_NS, "UTC", "en", "live")
    live = Happened(BEGAN_NS, 0, StageEvent("state", 0, "live"))
    pages = [
        ogg.chunk(packets[at : at + CHUNK_FRAMES], pts=at // CHUNK_FRAMES * CHUNK_SAMPLES)
        for at in range(0, len(packets), CHUNK_FRAMES)
    ]
    pieces = [(layout.PROGRAMME, Piece(seq, 1, BEGAN_NS + seq * CHUNK_NS, page)) for seq, page in enumerate(pages)]
    writer.write(Batch(pieces, [begun, live]), now_ns=BEGAN_NS)
    writer.finish(heard_end=True, now_ns=BEGAN_NS)
    writer.release()
    return merge(folder, now_ns=BEGAN_NS)


def is_mastered(folder: Path) -> bool:
    manifest = read_manifest(folder)
    return manifest is not None and layout.PODCAST in manifest.files


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 # files tell nobody when they appear
            await asyncio.sleep(0.01)


@asynccontextmanager
async def mastering(recordings: Path) -> AsyncIterator[Mastering]:
    """A recorder's mastering, until the end of the block."""
    async with asyncio.TaskGroup() as tasks:
        running = Mastering(recordings)
        task = tasks.create_task(running.run())
        yield running
        task.cancel()


def test_the_copy_has_the_packets_that_were_recorded_and_a_gain_that_leaves_the_peaks_room(
    tmp_path: Path, packets: list[bytes]
) -> None:
    manifest = ended(tmp_path / "evening", packets)
    copy = tmp_path / "evening" / layout.COPY
    copied = [
        packet for page in ogg.pages(blocks(copy)) if ogg.number(page) is not None for packet in ogg.packets(page)
    ]
    assert copied == packets
    heard = np.concatenate(list(frames_from(str(copy))))
    loudness = manifest.loudness
    assert loudness is not None
    assert integrated_lufs(heard) == pytest.approx(loudness.lufs, abs=0.2)
    assert to_db(true_peak(heard)) == pytest.approx(loudness.peak_dbtp, abs=0.2)
    assert loudness.lufs == pytest.approx(TARGET_LUFS) or loudness.peak_dbtp == pytest.approx(-1)
    assert max(loudness.lufs - TARGET_LUFS, loudness.peak_dbtp + 1) <= 0.01


@pytest.mark.parametrize("name", [layout.REPLAY, layout.PODCAST])
def test_a_kill_while_the_master_is_made_costs_the_copy_nothing(
    tmp_path: Path, packets: list[bytes], name: str
) -> None:
    folder = tmp_path / "evening"
    before = ended(folder, packets)
    command = [sys.executable, "-m", "rostra.recorder.mastering", str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        asyncio.run(until(lambda: unfinished(folder / name).exists()))
        child.kill()
    assert read_manifest(folder) == before
    with (tmp_path / layout.MASTERING).open("ab") as lock:  # a recorder is there
        assert try_lock(lock)
        assert check_recordings(tmp_path)[1] == []
    (finding,) = check_recordings(tmp_path)[1]
    assert "no recorder is there to master it" in finding.what
    master_copy(folder)
    assert is_mastered(folder)
    assert check_recordings(tmp_path)[1] == []


def test_a_kill_before_the_manifest_leaves_the_copy_in_force_also_when_both_files_are_there(
    tmp_path: Path, packets: list[bytes]
) -> None:
    folder = tmp_path / "evening"
    ended(folder, packets)
    manifest = (folder / layout.MANIFEST).read_bytes()
    master_copy(folder)
    mastered = read_manifest(folder)
    (folder / layout.MANIFEST).write_bytes(manifest)
    (finding,) = check_recordings(tmp_path)[1]
    assert "only a copy" in finding.what
    master_copy(folder)
    assert read_manifest(folder) == mastered, "the same sound makes the same files"


def test_the_next_recorder_goes_on_where_one_was_killed_and_the_copy_goes_a_turn_later(
    tmp_path: Path, packets: list[bytes]
) -> None:
    folder = tmp_path / "evening"
    ended(folder, packets)

    async def test() -> None:
        async with mastering(tmp_path) as one:
            await until(unfinished(folder / layout.REPLAY).exists)
            assert one.now == {"evening"}
        assert not is_mastered(folder)
        async with mastering(tmp_path):
            await until(lambda: is_mastered(folder))
            assert (folder / layout.COPY).exists(), "somebody may be about to open it"
            await until(lambda: not (folder / layout.COPY).exists())
        assert check_recordings(tmp_path)[1] == []

    asyncio.run(test())


def test_of_two_recorders_one_masters_one_recording_after_the_other(tmp_path: Path, packets: list[bytes]) -> None:
    for name in ("morning", "evening"):
        ended(tmp_path / name, packets)
    seen: list[frozenset[str]] = []

    async def test() -> None:
        async with mastering(tmp_path) as one, mastering(tmp_path) as two:

            def all_mastered() -> bool:
                seen.append(one.now | two.now)
                return is_mastered(tmp_path / "morning") and is_mastered(tmp_path / "evening")

            await until(all_mastered)
            assert one.failures + two.failures == 0

    asyncio.run(test())
    assert set(seen) >= {frozenset({"morning"}), frozenset({"evening"})}
    assert max(map(len, seen)) == 1


def test_nothing_is_left_of_what_is_deleted_while_it_is_mastered(tmp_path: Path, packets: list[bytes]) -> None:
    folder = tmp_path / "evening"
    copied = ended(folder, packets)

    async def test() -> None:
        async with mastering(tmp_path) as running:
            await until(unfinished(folder / layout.PODCAST).exists)
            stone = archive.delete(tmp_path, "evening", who="anna", why="asked by a guest", now_ns=BEGAN_NS)
            assert stone.sha256 == copied.files[layout.COPY].sha256
            assert {path.name for path in tmp_path.iterdir()} == {layout.TOMBSTONES, layout.MASTERING}
            await until(lambda: not running.now)
            assert running.failures == 0
        assert {path.name for path in tmp_path.iterdir()} == {layout.TOMBSTONES, layout.MASTERING}

    asyncio.run(test())


def test_a_copy_that_is_damaged_is_told_and_others_are_mastered(tmp_path: Path, packets: list[bytes]) -> None:
    for name in ("evening", "morning"):
        ended(tmp_path / name, packets)
    copy = tmp_path / "evening" / layout.COPY
    copy.write_bytes(copy.read_bytes()[:-1])

    async def test() -> None:
        async with mastering(tmp_path) as running:
            await until(lambda: is_mastered(tmp_path / "morning"))
            assert running.failures == 1

    asyncio.run(test())
    assert [each.where for each in check_recordings(tmp_path)[1]] == ["evening", "evening/copy.opus"]
    assert not [path.name for path in copy.parent.iterdir() if path.name.startswith(".")]


def test_page_feed_and_file_have_what_there_is_before_and_after(tmp_path: Path, packets: list[bytes]) -> None:
    folder = tmp_path / "evening"
    ended(folder, packets)
    settings = WebSettings("127.0.0.1", 0, "http://replay", "http://listen")

    async def test() -> None:
        web = httpx2.ASGITransport(Web(tmp_path, settings, list).application)
        async with httpx2.AsyncClient(transport=web, base_url=settings.url) as client:
            copy = await client.get("/r/evening/replay.opus")
            assert copy.content == (folder / layout.COPY).read_bytes()
            missing = await client.get("/r/evening/replay.m4a")
            assert (missing.status_code, missing.headers["retry-after"]) == (HTTPStatus.NOT_FOUND, "60")
            page = (await client.get("/r/evening")).text
            assert "replay.m4a" not in page
            assert 'href="/r/evening/replay.opus?download=1"' in page
            assert await enclosures(client) == [("audio/ogg; codecs=opus", len(copy.content))]
            master_copy(folder)
            replay = await client.get("/r/evening/replay.opus")
            assert replay.content == (folder / layout.REPLAY).read_bytes()
            assert replay.headers["etag"] != copy.headers["etag"]
            podcast = await client.get("/r/evening/replay.m4a")
            page = (await client.get("/r/evening")).text
            assert '<source src="/r/evening/replay.m4a" type="audio/mp4">' in page
            assert 'href="/r/evening/replay.m4a?download=1"' in page
        web = httpx2.ASGITransport(Web(tmp_path, settings, list).application)  # that has made no feed yet
        async with httpx2.AsyncClient(transport=web, base_url=settings.url) as client:
            assert await enclosures(client) == [
                ("audio/mp4", len(podcast.content)),
                ("audio/ogg; codecs=opus", len(replay.content)),
            ]

    asyncio.run(test())


async def enclosures(client: httpx2.AsyncClient) -> list[tuple[str, int]]:
    """Of the only item, the first one twice."""
    item = fromstring((await client.get("/feed.xml")).text).find("channel/item")  # noqa: S314 # our own
    assert item is not None
    plain = item.find("enclosure")
    found = item.findall("{https://podcastindex.org/namespace/1.0}alternateEnclosure")
    listed = [(each.attrib["type"], int(each.attrib["length"])) for each in found]
    assert plain is not None
    assert (plain.attrib["type"], int(plain.attrib["length"])) == listed[0]
    return listed
