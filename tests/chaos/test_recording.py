"""P7: nothing said is lost, whoever is killed in mid-sentence, however full the disk; outsiders can play it."""

import json
import os
import shutil
import subprocess
import time
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.signal import correlate

from hearing import ffmpeg_hears, speech
from machine import on_a_disk_of_its_own, require
from rostra.audio.frame import Samples, frame_to_pcm16
from rostra.audio.loudness import integrated_lufs
from rostra.audio.recordings import two_cities
from rostra.audio.source import frames_from
from rostra.audio.true_peak import to_db, true_peak
from rostra.core.units import SAMPLE_RATE_HZ
from rostra.recorder.check import check_recordings
from rostra.rehearsal.listener import Listener
from states import wait_for_state
from system import System, running, wait_until

SAID_S = 30  # of the recording: four deaths, 6 s apart
DOWN_S = 12  # longer than what stages make up for
PIECE_S = 2
FADED_S = 0.6  # so long the hold music still fades under the first words
LOOKAHEAD_S = 0.005  # of the stage's limiter
FINISHED_S = 60.0
LIMITED_SHARE = (
    0.97  # how alike speech stays whose peaks the replay's limiter takes; what is missing lowers it more
)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One system for all that leave it as it was: whoever dies is back."""
    with running(tmp_path_factory.mktemp("recording")) as started:
        yield started


def folder_of(system: System, conversation: str) -> Path:
    return system.folder / "data" / "recordings" / conversation


def finished(system: System, conversation: str) -> dict[str, Any]:
    """recording.json, as soon as the replay is mastered."""
    path = folder_of(system, conversation) / "recording.json"
    wait_until(lambda: is_mastered(path), within_s=FINISHED_S, what="the replay is mastered")
    return dict(json.loads(path.read_text()))


def is_mastered(manifest: Path) -> bool:
    return manifest.exists() and "replay.m4a" in json.loads(manifest.read_text())["files"]


def likeness(piece: Samples, heard: Samples) -> float:
    """How alike `piece` and the likest place of `heard` are; 1: the same but for its level."""
    scores = correlate(heard, piece, "valid", "fft")
    at = int(np.argmax(scores))
    likest = heard[at : at + len(piece)]
    return float(scores[at] / (np.linalg.norm(piece) * np.linalg.norm(likest) + 1e-12))


def said() -> Samples:
    return speech()[: SAID_S * SAMPLE_RATE_HZ]


def loud_speech(file: Path) -> Path:
    """What is said 15 dB louder, at -21 LUFS, which no leveller needs to touch."""
    with wave.open(str(file), "wb") as written:
        written.setparams((1, 2, SAMPLE_RATE_HZ, 0, "NONE", ""))
        written.writeframes(frame_to_pcm16(said() * np.float32(10 ** (15 / 20))))
    return file


def missing_pieces(heard: Samples, begins_s: float, *, share_min: float) -> list[tuple[int, float]]:
    """Which pieces of 2 s of what was said are not in `heard` where they belong, within 50 ms; and how alike."""
    whole, length, reach = said(), PIECE_S * SAMPLE_RATE_HZ, SAMPLE_RATE_HZ // 20
    pieces = range(round(FADED_S * SAMPLE_RATE_HZ), len(whole) - length, length)
    begins = begins_s * SAMPLE_RATE_HZ
    alike = {
        start // length: likeness(
            whole[start : start + length],
            heard[max(0, round(begins + start) - reach) : round(begins + start) + length + reach],
        )
        for start in pieces
    }
    return [(n, share) for n, share in alike.items() if share < share_min]


@pytest.mark.timeout(240)
def test_p7_a_recorder_a_stage_and_the_bus_are_killed_in_mid_sentence_and_the_recording_lacks_nothing(
    system: System, tmp_path: Path
) -> None:
    system.schedule(
        "Two cities", at="+4s", doors="2s", id="evening"
    )  # a busy stage comes late to doors that open now
    feed = system.feed("evening", str(loud_speech(tmp_path / "loud.wav")), "--original", stderr=subprocess.DEVNULL)
    wait_for_state(system, "evening", "live")
    for victim in ("recorder-1", "stage", "bus", "recorder-1"):
        time.sleep(6)
        system.kill(system.active_stage("evening") if victim == "stage" else victim)
    assert feed.wait(timeout=60) == 0
    wait_for_state(system, "evening", "held")
    system.rostra("end", "evening")
    manifest = finished(system, "evening")
    assert manifest["gaps"] == []
    folder = folder_of(system, "evening")
    heard = ffmpeg_hears((folder / "replay.opus").read_bytes(), tmp_path / "copy.opus").samples
    begins_s = manifest["stems"][0]["at_s"]  # where the feed was on time; later where the machine was busy
    assert missing_pieces(heard, begins_s + LOOKAHEAD_S, share_min=LIMITED_SHARE) == []
    podcast = np.concatenate(list(frames_from(str(folder / "replay.m4a"))))
    assert missing_pieces(podcast, begins_s + LOOKAHEAD_S, share_min=LIMITED_SHARE) == []
    for sound in (heard, podcast):
        assert integrated_lufs(sound) == pytest.approx(-16, abs=0.5)
        assert to_db(true_peak(sound)) <= -1
    stems = np.zeros(len(heard) + 10 * SAMPLE_RATE_HZ, np.float32)
    for piece in manifest["stems"]:
        sound = ffmpeg_hears((folder / piece["file"]).read_bytes(), tmp_path / "copy.flac").samples
        at = round(piece["at_s"] * SAMPLE_RATE_HZ)
        stems[at : at + len(sound)] = sound
    assert missing_pieces(stems, begins_s, share_min=0.999) == []
    assert system.rostra("fsck", check=False).returncode == 0
    probe = [require("ffprobe"), "-v", "warning", "-show_entries", "format=duration", "-of", "json"]
    done = subprocess.run([*probe, str(folder / "replay.opus")], capture_output=True, check=True)
    assert done.stderr == b""
    assert float(json.loads(done.stdout)["format"]["duration"]) == pytest.approx(manifest["seconds"], abs=0.01)


@pytest.mark.alone
@pytest.mark.timeout(180)
def test_p7_when_everything_is_killed_at_once_all_but_the_last_second_is_kept_and_the_rest_is_named(
    tmp_path: Path,
) -> None:
    with running(tmp_path) as system:
        system.schedule(at="+1s", id="evening")
        system.feed("evening", str(two_cities()), "--loop", stderr=subprocess.DEVNULL)
        wait_for_state(system, "evening", "live")
        time.sleep(3)
        system.die()
        killed_ms = time.time() * 1000
        time.sleep(DOWN_S)
        system.start()
        system.feed("evening", str(two_cities()), "--loop", stderr=subprocess.DEVNULL)
        wait_for_state(system, "evening", "live", within_s=20)
        time.sleep(2)
        system.rostra("end", "evening")
        manifest = finished(system, "evening")
        (gap,) = manifest["gaps"]
        assert gap["from_ms"] >= killed_ms - 1_000, "the last second at most"
        assert abs(gap["seconds"] - DOWN_S) < 5
        assert gap["because"] in {"restart", "hole"}
        done = system.rostra("fsck", check=False)
        assert done.returncode == 3
        assert "s of the programme are missing" in done.stdout
        heard = ffmpeg_hears((folder_of(system, "evening") / "replay.opus").read_bytes(), tmp_path / "copy.opus")
        assert len(heard.samples) == pytest.approx(manifest["seconds"] * SAMPLE_RATE_HZ, abs=960)


def test_p7_a_disk_that_is_full_for_a_while_loses_nothing_and_slows_nobody(tmp_path: Path) -> None:
    recordings = tmp_path / "data" / "recordings"
    with running(tmp_path, *on_a_disk_of_its_own(recordings, "size=96m")) as system:
        announced = system.schedule(at="+1s", id="evening")
        system.feed("evening", str(two_cities()), "--loop", stderr=subprocess.DEVNULL)
        wait_for_state(system, "evening", "live")
        time.sleep(2)
        pid = system.pid("recorder-1")
        disk = Path(f"/proc/{pid}/root{recordings}")  # as the recorder sees it
        ballast = disk / "ballast"
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free)  # to the last page

        def report() -> dict[str, Any]:
            (told,) = system.status()["recorders"]
            return dict(told)

        wait_until(lambda: report()["failures"] >= 2, within_s=10, what="it has tried, and tries again")
        wait_until(lambda: report()["pending_chunks"] > 20, within_s=10, what="two seconds wait for the disk")
        assert report()["free_bytes"] == 0
        heard = Listener(announced["url"]).listen(seconds=3)
        assert (heard.missing_chunks, heard.pauses_ms) == (0, 0), heard
        ballast.unlink()
        time.sleep(2)
        system.rostra("end", "evening")
        manifest = disk / "evening" / "recording.json"
        wait_until(lambda: is_mastered(manifest), within_s=FINISHED_S, what="the replay is mastered")
        assert json.loads(manifest.read_text())["gaps"] == []
        assert check_recordings(disk)[1] == []
        assert system.pid("recorder-1") == pid, "it did not die of it"


def test_fsck_says_what_a_truncated_recording_lacks_and_it_can_be_deleted(system: System) -> None:
    system.schedule(at="+1s", id="truncated")
    system.feed("truncated", str(two_cities()), "--loop", stderr=subprocess.DEVNULL)
    wait_for_state(system, "truncated", "live")
    time.sleep(3)
    system.rostra("end", "truncated")
    finished(system, "truncated")
    (segment,) = folder_of(system, "truncated").glob("programme-*.ogg")
    with segment.open("r+b") as file:
        file.truncate(segment.stat().st_size * 3 // 4)
    done = system.rostra("fsck", check=False)
    assert done.returncode == 3
    assert "cannot be read" in done.stdout
    listed = json.loads(system.rostra("recording", "list", "--json").stdout)
    assert "truncated" in [each["id"] for each in listed]
    system.rostra("recording", "delete", "truncated", "--why", "damaged", "--who", "anna")
    assert not folder_of(system, "truncated").exists()
    assert system.rostra("fsck", check=False).returncode == 0
