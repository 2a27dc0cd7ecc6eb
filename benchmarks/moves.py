"""Planned moves from stage to stage during continuous speech: what the listener and the recording lack of it."""

import statistics
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
from scipy.signal import correlate

from benchmarks.conversation import RATE, write_wav
from benchmarks.record import keep
from hearing import ffmpeg_hears, speech
from rostra.audio.frame import Samples
from rostra.rehearsal.listener import Listener
from states import wait_for_state
from system import running, wait_until
from voices import sliding_energies

MOVES = 20
EACH_S = 4


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "rostra") as system:
        said = np.tile(speech()[4 * RATE :], 3)
        source = write_wav(Path(folder) / "speech.wav", said)
        announced = system.schedule(at="+3s", doors="3s", id="moves")
        system.feed("moves", str(source), "--original", stderr=subprocess.DEVNULL)
        wait_for_state(system, "moves", "live")
        media = bytearray()
        took_s: list[float] = []

        def move() -> None:
            for _ in range(MOVES):
                time.sleep(EACH_S - 2)  # asking who makes it takes the rest
                other = "stage-2" if system.active_stage("moves") == "stage-1" else "stage-1"
                asked_s = time.monotonic()
                system.rostra("move", "moves", "--to", other)
                took_s.append(time.monotonic() - asked_s)

        moving = threading.Thread(target=move)
        moving.start()
        report = Listener(announced["url"], sink=media.extend).listen(seconds=EACH_S * (MOVES + 3))
        moving.join()
        heard = ffmpeg_hears(bytes(media), Path(folder) / "heard.webm").samples
        system.rostra("end", "moves")
        replay = Path(folder) / "rostra" / "data" / "recordings" / "moves" / "replay.opus"
        wait_until(replay.with_name("replay.m4a").exists, within_s=120, what="the mastered replay")
        recorded = ffmpeg_hears(replay.read_bytes(), Path(folder) / "replay.opus").samples
        fsck = system.rostra("fsck", check=False).returncode
    figures: dict[str, object] = {
        "moves": len(took_s),
        "the command took, median and worst (s)": f"{statistics.median(took_s):.2f}, {max(took_s):.2f}",
        "listener: missing, missed, moved, longest pause (ms)": (
            f"{report.missing_chunks}, {report.missed_chunks}, {report.moved}, {report.longest_pause_ms:.0f}"
        ),
        "fsck's exit code": fsck,
    }
    for name, sound in (("listener", heard[RATE:]), ("recording", recorded[5 * RATE : EACH_S * MOVES * RATE])):
        lags, worst = _lags(said, sound)
        figures[f"{name}: seconds compared, worst likeness, spread of their places (ms)"] = (
            f"{len(lags)}, {worst:.3f}, {1000 * (max(lags) - min(lags)):.2f}"
        )
    keep("moves", figures)


def _lags(said: Samples, heard: Samples) -> tuple[list[float], float]:
    """How far behind the source each second of what was heard is, and the worst likeness to it."""
    lags: list[float] = []
    worst, low = 1.0, said[::3]
    for start in range(0, len(heard) - RATE, RATE):
        piece = heard[start : start + RATE][::3]
        if float(np.mean(piece**2)) < 2e-5:
            continue  # a pause of the reader's, in which nothing can be found again
        # The source says everything three times: the first place is sought in the first, the next ones near it.
        near_s = max(0.0, start / RATE + lags[0] - 2) if lags else 0.0
        window = low[int(near_s * RATE / 3) :][: (5 if lags else 30) * RATE // 3]
        products = correlate(window, piece, mode="valid")
        likeness = products / np.sqrt(sliding_energies(window, len(piece)) * float(np.sum(piece**2)))
        at = int(np.argmax(likeness))
        lags.append((int(near_s * RATE / 3) + at) * 3 / RATE - start / RATE)
        worst = min(worst, float(likeness[at]))
    return lags, worst
