"""P1: how far from the announced instant the first sample of the stage is on the air."""

import contextlib
import io
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from benchmarks.record import keep
from rostra.rehearsal.continuity import Continuity
from rostra.rehearsal.listener import Listener
from system import System, running

RUNS = 20
TONE_HZ = 3_000
RATE = 48_000


def main() -> None:
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        tone = Path(folder) / "tone.wav"
        _write_tone(tone)
        with running(Path(folder) / "rostra") as system:
            for name, load in (("idle", contextlib.nullcontext), ("both cores loaded", _loaded)):
                with load():
                    runs = [_lateness(system, tone, f"{name[:4]}-{run}") for run in range(RUNS)]
                onset_ms, arrival_ms = ([run[index] for run in runs] for index in (0, 1))
                figures[f"{name}: tone on the programme clock, worst of {RUNS} (ms)"] = round(
                    max(map(abs, onset_ms)), 1
                )
                figures[f"{name}: chunk with it at the listener, median (ms)"] = round(
                    statistics.median(arrival_ms), 1
                )
                figures[f"{name}: chunk with it at the listener, worst (ms)"] = round(max(arrival_ms), 1)
                figures[f"{name}: within 100 ms"] = f"{sum(ms <= 100 for ms in arrival_ms)} of {RUNS}"
    keep("start", figures)


def _write_tone(path: Path) -> None:
    samples = 0.5 * np.sin(2 * np.pi * TONE_HZ * np.arange(3 * RATE) / RATE)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples * 32767).astype("<i2").tobytes())


@contextlib.contextmanager
def _loaded() -> Iterator[None]:
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()


def _lateness(system: System, tone: Path, name: str) -> tuple[float, float]:
    """(offset of the tone's first sample from the announced one, arrival of its chunk after the instant), in ms."""
    announced = system.schedule(at="+5s", doors="3s", id=name.replace(" ", "-"))
    feed = system.feed(announced["id"], str(tone), "--original", stderr=subprocess.DEVNULL)
    sound, arrivals = io.BytesIO(), {}
    listener = Listener(announced["url"], sink=sound.write)

    def note(heard: Continuity) -> None:
        arrivals.setdefault(heard.last_seq, time.time() * 1000)

    listener.listen(seconds=max(1.0, announced["starts_ms"] / 1000 - time.time() + 1.0), on_read=note)
    feed.kill()
    feed.wait()
    state = system.state(announced["id"])
    onset_s = _onset_s(sound.getvalue())
    onset_ms = state["doors_ms"] + onset_s * 1000 - announced["starts_ms"]
    carried_by = int((announced["starts_ms"] - state["doors_ms"]) // 100)
    arrival_ms = min(at for seq, at in arrivals.items() if seq is not None and seq >= carried_by)
    system.rostra("end", announced["id"])
    return onset_ms, arrival_ms - announced["starts_ms"]


def _onset_s(webm: bytes) -> float:
    """The programme second at which the tone begins."""
    with av.open(io.BytesIO(webm)) as container:
        frames = list(container.decode(audio=0))
    begins_s = float(frames[0].pts * frames[0].time_base)
    sound = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    size = RATE // 500  # windows of 2 ms
    windows = sound[: len(sound) // size * size].reshape(-1, size)
    tone = np.abs(windows @ np.exp(-2j * np.pi * TONE_HZ * np.arange(size) / RATE)) * 2 / size
    return begins_s + int(np.argmax(tone > 0.2)) * size / RATE
