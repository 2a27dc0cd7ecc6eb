"""P2: whatever becomes of a feed, those who listen hear music or speech and never silence."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hearing import ffmpeg_hears
from machine import require
from rostra.audio.recordings import two_cities
from rostra.core.units import SAMPLE_RATE_HZ
from rostra.rehearsal.listener import Listener
from states import wait_for_state
from system import System, running

SECOND_RMS_MIN = 0.003  # -50 dBFS over half a second: a pause between two sentences is louder than that in music


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("feeds"), recorders="0") as started:
        yield started


def loudness_by_halves(path: Path, folder: Path) -> np.ndarray:
    """RMS of each half second that is heard."""
    samples = ffmpeg_hears(path.read_bytes(), folder / "copy.webm").samples
    half = SAMPLE_RATE_HZ // 2
    return np.sqrt(np.mean(samples[: len(samples) // half * half].reshape(-1, half) ** 2, axis=1))


def test_a_conversation_that_ends_lets_its_feed_go(shared: System) -> None:
    shared.schedule(at="+1s", id="over")
    feed = shared.feed("over", str(two_cities()), "--loop", stderr=subprocess.DEVNULL)
    wait_for_state(shared, "over", "live")
    shared.rostra("end", "over")
    assert feed.wait(timeout=20) == 0
    again = shared.rostra("feed", "over", str(two_cities()), check=False)
    assert again.returncode == 1
    assert "is over" in again.stderr


def test_a_file_with_pictures_only_is_refused_in_one_sentence(shared: System, tmp_path: Path) -> None:
    film = tmp_path / "film.mkv"
    command = [require("ffmpeg"), "-v", "error", "-f", "lavfi", "-i", "testsrc=size=64x64:duration=1", str(film)]
    subprocess.run(command, check=True)
    shared.schedule(at="+1h", id="pictures")
    done = shared.rostra("feed", "pictures", str(film), check=False)
    assert done.returncode == 1
    assert "no audio stream" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_feed_that_is_killed_is_followed_by_music_and_never_by_silence(shared: System, tmp_path: Path) -> None:
    announced = shared.schedule(at="+1s", id="killed")
    feed = shared.feed("killed", str(two_cities()), stderr=subprocess.DEVNULL)
    wait_for_state(shared, "killed", "live")
    heard = tmp_path / "heard.webm"
    with heard.open("wb") as file:
        feed.kill()
        report = Listener(announced["url"], sink=file.write).listen(seconds=7)
    assert report.ok, report
    assert report.state == "held"
    assert loudness_by_halves(heard, tmp_path).min() > SECOND_RMS_MIN


def test_the_speaker_who_comes_back_is_heard_again(shared: System) -> None:
    shared.schedule(at="+1s", id="returns")
    for _ in range(2):
        feed = shared.feed("returns", str(two_cities()), stderr=subprocess.DEVNULL)
        wait_for_state(shared, "returns", "live", within_s=5)
        time.sleep(6)  # longer than the next one is waited for: its numbers must not begin at nought again
        feed.kill()
        wait_for_state(shared, "returns", "held")


@pytest.mark.alone
def test_two_feeds_at_one_seat_are_one_voice_and_break_nothing(shared: System) -> None:
    announced = shared.schedule(at="+1s", id="crowded")
    feeds = [shared.feed("crowded", str(two_cities()), stderr=subprocess.DEVNULL) for _ in range(2)]
    wait_for_state(shared, "crowded", "live")
    report = Listener(announced["url"]).listen(seconds=4)
    assert report.ok, report
    for feed in feeds:
        feed.kill()
