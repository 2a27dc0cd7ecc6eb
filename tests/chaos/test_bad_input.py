"""What people and machines do wrong: each has one outcome, told in one sentence, and nothing is lost."""

import os
import signal
import struct
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rostra.rehearsal.listener import Listener
from system import System, running, wait_until

RATE = 48_000


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One system for everything that does not hurt it."""
    with running(tmp_path_factory.mktemp("shared"), recorders="0") as started:
        yield started


def write_wav(path: Path, samples: np.ndarray, *, rate: int = RATE) -> Path:
    """32-bit float WAV, any number of channels (WAVE_FORMAT_IEEE_FLOAT)."""
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    data = samples.astype("<f4").tobytes()
    head = struct.pack("<HHIIHH", 3, channels, rate, rate * channels * 4, channels * 4, 32)
    path.write_bytes(
        b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + struct.pack("<I", 16) + head
        + b"data" + struct.pack("<I", len(data)) + data
    )  # fmt: skip
    return path


def tone(seconds: float, *, rate: int = RATE, level: float = 0.3) -> np.ndarray:
    return level * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)


def states(system: System, conversation: str, *, seconds: float) -> list[str]:
    """The states that the page would show, in order, over `seconds`."""
    seen: list[str] = []
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        state = str(system.state(conversation)["state"])
        if not seen or seen[-1] != state:
            seen.append(state)
        time.sleep(0.05)
    return seen


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("feed", "nobody", "RECORDING"), "no conversation 'nobody'"),
        (("feed", "Not An Id", "RECORDING"), "no conversation id"),
        (("feed", "evening", "/nonexistent.wav"), "no file"),
        (("feed", "evening", "/etc/passwd"), "no sound"),
        (("end", "nobody"), "no conversation 'nobody'"),
        (("schedule", "Evening", "--at", "+1h", "--id", "evening"), "already"),
        (("schedule", "", "--at", "+1h"), "title"),
        (("schedule", "Evening", "--at", "yesterday"), "is no time"),
        (("schedule", "Evening", "--at", "+1h", "--tz", "Mars/Olympus"), "is no time zone"),
        (("listen", "ftp://127.0.0.1/c/x"), "no conversation's address"),
        (("crowd", "http://192.0.2.1:8080/c/x"), "not this machine"),
    ],
)
def test_a_command_that_cannot_be_done_says_so_in_one_sentence(
    shared: System, arguments: tuple[str, ...], said: str
) -> None:
    shared.rostra("schedule", "Evening", "--at", "+1h", "--id", "evening", check=False)
    recording = str(Path(__file__).resolve().parents[2] / "src/rostra/data/two_cities.flac")
    done = shared.rostra(*(recording if part == "RECORDING" else part for part in arguments), check=False)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_any_kind_of_sound_is_put_on_the_air(shared: System, tmp_path: Path) -> None:
    stereo = np.stack([tone(1, rate=44_100), tone(1, rate=44_100)], axis=1)
    surround = np.stack([tone(1)] * 6, axis=1)
    broken = tone(1)
    broken[1000:2000] = np.nan
    broken[3000] = np.inf
    eight_bit = tmp_path / "eight.wav"
    samples = (tone(1, rate=8_000) * 100 + 128).astype(np.uint8).tobytes()
    eight_bit.write_bytes(
        b"RIFF" + struct.pack("<I", 36 + len(samples)) + b"WAVEfmt "
        + struct.pack("<IHHIIHH", 16, 1, 1, 8_000, 8_000, 1, 8)
        + b"data" + struct.pack("<I", len(samples)) + samples
    )  # fmt: skip
    files = [
        write_wav(tmp_path / "stereo.wav", stereo, rate=44_100),
        write_wav(tmp_path / "surround.wav", surround),
        write_wav(tmp_path / "broken.wav", broken),
        eight_bit,
    ]
    shared.schedule(at="+1s", id="kinds")
    for file in files:
        done = shared.rostra("feed", "kinds", str(file))
        assert "1.0 s sent" in done.stderr, file.name


def test_p2_a_live_source_that_stalls_is_covered_by_music_and_goes_on(shared: System) -> None:
    announced = shared.schedule(at="+1s", id="stalls")
    feed = shared.feed("stalls", "-", "--live", stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert feed.stdin is not None
    header = b"RIFF\xff\xff\xff\xffWAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, RATE, RATE * 2, 2, 16)
    feed.stdin.write(header + b"data\xff\xff\xff\xff")
    block = (tone(0.1) * 32767).astype("<i2").tobytes()

    def speak(seconds: float) -> None:
        began = time.monotonic()
        for index in range(int(seconds * 10)):
            feed.stdin.write(block)
            feed.stdin.flush()
            time.sleep(max(0.0, began + (index + 1) * 0.1 - time.monotonic()))

    speak(4)
    assert shared.state("stalls")["state"] == "live"
    heard = Listener(announced["url"]).listen(seconds=3)  # the source says nothing meanwhile
    assert heard.missing_chunks == 0, "whoever listens gets sound all the time"
    assert heard.longest_pause_ms < 1_000
    assert shared.state("stalls")["state"] == "held"
    speak(2)
    assert shared.state("stalls")["state"] == "live"
    feed.stdin.close()
    wait_until(lambda: shared.state("stalls")["state"] == "held", within_s=5, what="held after the end of the feed")


def test_a_file_that_grows_is_followed(shared: System, tmp_path: Path) -> None:
    file = tmp_path / "growing.wav"
    whole = write_wav(tmp_path / "whole.wav", tone(4)).read_bytes()
    file.write_bytes(whole[: len(whole) // 3])
    shared.schedule(at="+1s", id="grows")
    feed = shared.feed("grows", str(file), "--follow", stderr=subprocess.DEVNULL)
    wait_until(lambda: shared.state("grows")["state"] == "live", within_s=10, what="live")
    time.sleep(1)
    with file.open("ab") as more:
        more.write(whole[len(whole) // 3 :])
    assert "live" in states(shared, "grows", seconds=2)
    feed.kill()


def test_a_cancelled_conversation_lets_everybody_go_with_a_word(shared: System) -> None:
    announced = shared.schedule(at="+1h", doors="1h", id="cancelled")
    wait_until(lambda: shared.state("cancelled")["seq"] is not None, within_s=5, what="sound")
    shared.rostra("cancel", "cancelled")
    heard = Listener(announced["url"])
    report = heard.listen(seconds=15) if shared.state("cancelled")["state"] != "cancelled" else None
    assert report is None or report.state == "cancelled"
    done = shared.rostra("feed", "cancelled", "/nonexistent.wav", check=False)
    assert "is over" in done.stderr


def test_a_second_serve_in_the_same_folder_is_refused(shared: System) -> None:
    done = shared.rostra("serve", check=False)
    assert done.returncode == 1
    assert "Another `rostra serve`" in done.stderr


def test_a_port_in_use_and_a_folder_that_cannot_be_written_are_told_at_once(shared: System, tmp_path: Path) -> None:
    for settings, said in (
        ({"ROSTRA_DATA": str(tmp_path / "other")}, f"Port {shared.port}"),
        ({"ROSTRA_DATA": "/proc/rostra"}, "cannot be written"),
        ({"ROSTRA_EDGE_PORT": "eighty"}, "ROSTRA_EDGE_PORT"),
    ):
        done = subprocess.run(
            shared.command("serve"), env=shared.environment | settings, capture_output=True, text=True, check=False,
            timeout=30,
        )  # fmt: skip
        assert done.returncode == 1
        assert said in done.stderr


def test_a_supervisor_that_is_killed_takes_its_processes_along_and_the_next_one_stops_a_bus_that_is_left(
    tmp_path: Path,
) -> None:
    with running(tmp_path, recorders="0") as system:
        assert system.process is not None
        left_over = system.pid("bus")
        system.process.kill()
        system.process.wait()
        system.start()
        assert not Path(f"/proc/{left_over}").exists()
        assert system.rostra("fsck", check=False).returncode == 0

        system.schedule(at="+1h", doors="1h", id="evening")
        names = ("bus", "stage-1", "stage-2", "edge-1", "edge-2")
        pids = {name: system.pid(name) for name in names}
        system.process.kill()
        system.process.wait()

        def all_gone() -> bool:
            return not any(Path(f"/proc/{pid}").exists() for name, pid in pids.items() if name != "bus")

        os.kill(pids["bus"], signal.SIGKILL)  # so that nobody can say goodbye to it
        wait_until(all_gone, within_s=25, what="stages and edges stop by themselves")
        system.start()
        wait_until(lambda: system.state("evening")["seq"] is not None, within_s=10, what="sound again")
