"""A living system against the world's own players, and the sound that comes out against the sound that went in."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from hearing import Heard, ffmpeg_hears, wideband_pesq
from machine import require
from rostra.audio.loudness import integrated_lufs
from rostra.audio.recordings import two_cities
from rostra.audio.true_peak import to_db, true_peak
from rostra.core.units import SAMPLE_RATE_HZ
from rostra.recorder.survey import read_journal
from rostra.rehearsal.listener import Listener, ListenReport
from system import System, running, wait_until

HEARD_S = 42


@pytest.fixture(scope="module")
def on_air(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The recording is on the air, again and again, as it is."""
    with running(tmp_path_factory.mktemp("outsiders")) as system:
        system.schedule(at="+1s", id="evening")
        system.feed("evening", str(two_cities()), "--original", "--loop", stderr=subprocess.DEVNULL)
        wait_until(lambda: system.state("evening")["state"] == "live", within_s=10, what="live")
        yield system


@dataclass
class Recorded:
    """What was heard, as files, and when the speech in it began, in seconds from the doors on."""

    files: dict[str, Path]
    reports: list[ListenReport]
    begins_s: float


@pytest.fixture(scope="module", autouse=True)
def recording(on_air: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Future[Recorded]]:
    """From the first test on, while the players play, somebody listens to other conversations."""
    with ThreadPoolExecutor(1) as another:
        yield another.submit(_record, on_air, tmp_path_factory.mktemp("recorded"))


def _record(on_air: System, folder: Path) -> Recorded:
    """Two conversations at the same time: the recording as it is, at two qualities, and levelled."""
    quality = on_air.schedule(at="+4s", id="quality")
    loudness = on_air.schedule(at="+3s", id="loudness")
    on_air.feed("quality", str(two_cities()), "--original", stderr=subprocess.DEVNULL)
    on_air.feed("loudness", str(two_cities()), "--loop", stderr=subprocess.DEVNULL)
    renditions = {
        "webm-64": (quality["url"], "webm-64"),
        "webm-32": (quality["url"], "webm-32"),
        "levelled": (loudness["url"], "webm-64"),
    }
    files = {name: folder / f"{name}.webm" for name in renditions}
    with ExitStack() as stack, ThreadPoolExecutor(len(files)) as threads:
        listeners = [
            Listener(url, rendition=rendition, sink=stack.enter_context(files[name].open("wb")).write)
            for name, (url, rendition) in renditions.items()
        ]
        reports = list(threads.map(lambda listener: listener.listen(seconds=HEARD_S), listeners))
    events = read_journal(on_air.folder / "data" / "recordings" / "quality").events
    live = next(each.event.at for each in events if each.event.value == "live")  # late where the machine is busy
    lookahead_s = 0.005  # of the limiter
    return Recorded(files, reports, live / SAMPLE_RATE_HZ + lookahead_s)


@pytest.mark.parametrize("surface", ["live.webm", "live.ogg", "live.mp4", "live.webm?rendition=webm-16"])
def test_ffmpeg_plays_the_plain_stream_from_any_moment(on_air: System, surface: str) -> None:
    address = f"{on_air.url}/c/evening/{surface}"
    command = [require("ffmpeg"), "-v", "error", "-xerror", "-t", "4", "-i", address]
    command += ["-f", "f32le", "-ac", "1", "-ar", "48000", "-"]
    done = subprocess.run(command, capture_output=True, timeout=30, check=True)
    assert done.stderr == b""
    sound = np.frombuffer(done.stdout, np.float32)
    assert len(sound) >= 3.8 * SAMPLE_RATE_HZ
    assert np.sqrt(np.mean(sound**2)) > 0.01


@pytest.mark.parametrize("surface", ["live.webm", "live.ogg"])
def test_mpv_plays_the_plain_stream(on_air: System, surface: str, tmp_path: Path) -> None:
    out = tmp_path / "heard.wav"
    command = [require("mpv"), "--no-config", "--no-video", "--ao=pcm", f"--ao-pcm-file={out}", "--length=3"]
    subprocess.run([*command, "--really-quiet", f"{on_air.url}/c/evening/{surface}"], timeout=30, check=True)
    assert out.stat().st_size > 2.5 * SAMPLE_RATE_HZ * 2


@pytest.fixture(scope="module")
def recorded(recording: Future[Recorded]) -> Recorded:
    return recording.result()


@pytest.mark.timeout(150)
def test_speech_is_heard_through_the_whole_system_as_well_as_it_was_said(
    recorded: Recorded, tmp_path: Path
) -> None:
    assert [report.missing_chunks for report in recorded.reports] == [0, 0, 0]
    scores = {}
    for name in ("webm-64", "webm-32"):
        heard = ffmpeg_hears(recorded.files[name].read_bytes(), tmp_path / "copy.webm")
        skip = max(0, round((recorded.begins_s - heard.start_s) * SAMPLE_RATE_HZ))
        speech = np.concatenate((heard.samples[skip:], np.zeros(12 * SAMPLE_RATE_HZ, np.float32)))
        scores[name] = float(np.mean(wideband_pesq(Heard(0.0, speech), 0, reach_s=1.0)[:6]))
    assert scores["webm-64"] >= 4.2
    assert scores["webm-32"] >= 3.9


@pytest.mark.timeout(150)
def test_a_recording_of_minus_36_lufs_is_evened_to_minus_16_lufs_and_never_over_minus_1_dbtp(
    recorded: Recorded, tmp_path: Path
) -> None:
    heard = ffmpeg_hears(recorded.files["levelled"].read_bytes(), tmp_path / "copy.webm")
    settled = heard.samples[18 * SAMPLE_RATE_HZ :]
    loudness, peak = integrated_lufs(settled), to_db(true_peak(heard.samples))
    assert abs(loudness + 16) <= 1
    assert peak <= -1 + 0.5, "half a decibel is what an Opus decoder may add to a peak"
