"""What the model of `rostra plan` predicts beside what is measured: `plan` or `plan:LISTENERS`.

A small surge tells how fast the doors of one worker let people in. From that alone the model predicts how a larger one
goes: when half, nine tenths and nearly all have sound, and what the line carries. Then that one comes, to the same
worker; ROUNDS times, since the machine is not equally fast at any two moments, and medians are compared. Both surges
are such that the kernel's accept queue (somaxconn, 4,096) holds who waits: whom it does not hold comes again after a
second, which the model does not know.
"""

import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import subjects
from benchmarks.record import keep
from benchmarks.subjects import Subject, readers, told
from rostra.rehearsal.arrivals import Surge, come_by
from rostra.rehearsal.plan import CONTAINER, Doors, let_in

STEP_S = 0.005
CALIBRATION = 4_000
LISTENERS = 9_000
SURGE_HZ = 16_000  # more than a worker lets in: they queue
SHARES = (50, 90, 99)  # percent
HOLD_S = 8  # the readers weigh what comes from five seconds after the last of them on
BITRATE_BPS = 32_000
ROUNDS = 7
ERROR_MAX = 0.15
SOUND = "sound of a listener (bit/s)"
FORETOLD = (*(f"{share} % have sound after (s)" for share in SHARES), SOUND)


def main(listeners: str = str(LISTENERS)) -> None:
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            with subjects.edge() as edge:
                runs.append(compared(edge, Path(folder), int(listeners)))
                print(runs[-1], flush=True)
    table: dict[str, Any] = {name: round(statistics.median(run[name] for run in runs), 3) for name in runs[0]}
    errors = {name: abs(table[f"{name}, predicted"] / table[f"{name}, measured"] - 1) for name in FORETOLD}
    worst = max(errors.values())
    keep("plan", table | {"largest error": f"{worst:.1%}", "within 15 %": worst <= ERROR_MAX})


def compared(edge: Subject, folder: Path, listeners: int) -> dict[str, float]:
    """One small surge, what follows from it for a large one, and that."""
    small = surge(edge, folder, CALIBRATION, hold_s=1)
    sound_s = small["sound_s"]
    # From the first to the last percent: the doors were busy all that time.
    doors = Doors(0.98 * CALIBRATION / (sound_s["99"] - sound_s["1"]), float("inf"))
    happened = surge(edge, folder, listeners, hold_s=HOLD_S)
    crowd = Surge(listeners=listeners, over_s=listeners / happened["asked_hz"])
    times = np.arange(0.0, 60.0, STEP_S)
    inside = let_in(come_by(crowd, times), doors, step_s=STEP_S)
    found: dict[str, float] = {
        "doors: joins a second (rehearsed)": doors.joins_hz,
        "asked a second": happened["asked_hz"],
    }
    for share in SHARES:
        name = f"{share} % have sound after (s)"
        found[f"{name}, predicted"] = float(times[np.searchsorted(inside, share / 100 * listeners)])
        found[f"{name}, measured"] = happened["sound_s"][str(share)]
    found[f"{SOUND}, predicted"] = BITRATE_BPS * CONTAINER
    found[f"{SOUND}, measured"] = 8 * happened["bytes_mean"] / happened["steady_s"]
    return found


def surge(edge: Subject, folder: Path, listeners: int, *, hold_s: float) -> dict[str, Any]:
    with readers(edge, folder, count=listeners, rate_hz=SURGE_HZ, seconds=hold_s) as crowd:
        return told(crowd)
