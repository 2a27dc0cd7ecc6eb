"""P7: nothing said is lost, whoever is killed in mid-sentence and however full the disk; and outsiders can play it."""

import json
import resource
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.signal import correlate

from hearing import ffmpeg_hears, speech
from machine import require
from rostra.audio.frame import Samples
from rostra.audio.loudness import integrated_lufs
from rostra.audio.recordings import two_cities
from rostra.audio.true_peak import to_db, true_peak
from rostra.core.units import SAMPLE_RATE_HZ
from states import wait_for_state
from system import System, running, wait_until

PIECE_S = 2
FINISHED_S = 60.0


def folder_of(system: System, conversation: str) -> Path:
    return system.folder / "data" / "recordings" / conversation


def finished(system: System, conversation: str) -> dict[str, Any]:
    """recording.json, as soon as it is there."""
    path = folder_of(system, conversation) / "recording.json"
    wait_until(path.exists, within_s=FINISHED_S, what="the recording is finished")
    return dict(json.loads(path.read_text()))


def found(piece: Samples, heard: Samples) -> tuple[float, int]:
    """How alike (1: the same) `piece` and the likest place of `heard` are, and where that is."""
    scores = correlate(heard, piece, "valid", "fft")
    at = int(np.argmax(scores))
    likest = heard[at : at + len(piece)]
    return float(scores[at] / (np.linalg.norm(piece) * np.linalg.norm(likest))), at


def missing_pieces(heard: Samples, *, share_min: float = 0.9) -> list[int]:
    """Which pieces of 2 s of the recording are not in `heard`, or not where they belong."""
    said = speech()
    length = PIECE_S * SAMPLE_RATE_HZ
    places = []
    for start in range(0, len(said) - length, length):
        alike, at = found(said[start : start + length], heard)
        places.append((start // length, at - start if alike >= share_min else None))
    offset = np.median([place for _, place in places if place is not None])
    return [n for n, place in places if place is None or abs(place - offset) > SAMPLE_RATE_HZ // 100]


@pytest.mark.timeout(240)
def test_p7_a_recorder_a_stage_and_the_bus_are_killed_in_mid_sentence_and_the_recording_lacks_nothing(
    tmp_path: Path,
) -> None:
    with running(tmp_path) as system:
        system.schedule("Two cities", at="+2s", id="evening")
        feed = system.feed("evening", str(two_cities()), "--original", stderr=subprocess.DEVNULL)
        wait_for_state(system, "evening", "live")
        for victim in ("recorder-1", "stage", "bus", "recorder-1"):
            time.sleep(7)
            system.kill(system.active_stage("evening") if victim == "stage" else victim)
        assert feed.wait(timeout=60) == 0
        wait_for_state(system, "evening", "held")
        began_s = time.monotonic()
        system.rostra("end", "evening")
        manifest = finished(system, "evening")
        print(f"ready {time.monotonic() - began_s:.1f} s after the end was asked for")
        assert manifest["gaps"] == []
        folder = folder_of(system, "evening")
        heard = ffmpeg_hears((folder / "replay.opus").read_bytes(), tmp_path / "copy.opus").samples
        assert missing_pieces(heard) == []
        loudness, peak = integrated_lufs(heard), to_db(true_peak(heard))
        print(f"{loudness:.2f} LUFS, {peak:.2f} dBTP, {manifest['loudness']}")
        assert peak <= -1 + 0.1
        assert abs(loudness + 16) <= 0.5 or peak >= -1 - 0.2, "at its target, or as near as its peaks allow"
        stems = np.zeros(len(heard) + 10 * SAMPLE_RATE_HZ, np.float32)
        for piece in manifest["stems"]:
            sound = ffmpeg_hears((folder / piece["file"]).read_bytes(), tmp_path / "copy.flac").samples
            at = round(piece["at_s"] * SAMPLE_RATE_HZ)
            stems[at : at + len(sound)] = sound
        assert missing_pieces(stems, share_min=0.999) == []
        assert system.rostra("fsck", check=False).returncode == 0
        probe = [require("ffprobe"), "-v", "warning", "-show_entries", "format=duration", "-of", "json"]
        done = subprocess.run([*probe, str(folder / "replay.opus")], capture_output=True, check=True)
        assert done.stderr == b""
        assert float(json.loads(done.stdout)["format"]["duration"]) == pytest.approx(manifest["seconds"], abs=0.01)


def test_p7_a_disk_that_is_full_for_a_while_loses_nothing_and_slows_nobody(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        system.schedule(at="+1s", id="evening")
        system.feed("evening", str(two_cities()), "--loop", stderr=subprocess.DEVNULL)
        wait_for_state(system, "evening", "live")
        time.sleep(3)
        pid = system.pid("recorder-1")
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1024, before[1]))  # every write fails
        time.sleep(5)
        (report,) = system.status()["recorders"]
        assert report["failures"] >= 3
        assert report["pending_chunks"] > 20
        assert all(stage["frames_late"] < 5 for stage in system.status()["stages"])
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
        time.sleep(3)
        system.rostra("end", "evening")
        assert finished(system, "evening")["gaps"] == []
        assert system.rostra("fsck", check=False).returncode == 0
        assert system.pid("recorder-1") == pid, "it did not die of it"
        assert "recording.failed" in system.log


def test_p7_a_recorder_that_was_away_for_longer_than_the_bus_keeps_says_what_is_missing(tmp_path: Path) -> None:
    """Its segment is cut short behind its back, as a file system does that lost its power."""
    with running(tmp_path) as system:
        system.schedule(at="+1s", id="evening")
        system.feed("evening", str(two_cities()), "--loop", stderr=subprocess.DEVNULL)
        wait_for_state(system, "evening", "live")
        time.sleep(4)
        system.rostra("end", "evening")
        finished(system, "evening")
        (segment,) = folder_of(system, "evening").glob("programme-*.ogg")
        with segment.open("r+b") as file:
            file.truncate(segment.stat().st_size * 3 // 4)
        done = system.rostra("fsck", check=False)
        assert done.returncode == 3
        assert "cannot be read" in done.stdout
        listed = json.loads(system.rostra("recording", "list", "--json").stdout)
        assert [each["id"] for each in listed] == ["evening"]
        system.rostra("recording", "delete", "evening", "--why", "damaged", "--who", "anna")
        assert not folder_of(system, "evening").exists()
        assert system.rostra("fsck", check=False).returncode == 0
