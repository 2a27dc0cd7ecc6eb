"""What the model of `rostra plan` predicts beside what is measured: `plan` or `plan:LISTENERS`.

A small surge at a system of its own tells how fast its doors let in those who wait. From that alone the model predicts
how a larger one goes: when half, nine tenths and nearly all have sound, and what the line carries. Then that one comes.
"""

import asyncio
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.many import system
from benchmarks.record import keep
from rostra.rehearsal.arrivals import Surge, come_by
from rostra.rehearsal.conductor import Course, conduct
from rostra.rehearsal.muster import Muster
from rostra.rehearsal.own_system import OwnSystem
from rostra.rehearsal.plan import CONTAINER, Doors, let_in
from rostra.rehearsal.script import Script

WORKERS = 2
PROCESSES = 2
STEP_S = 0.02
CALIBRATION = Surge(listeners=1_500, over_s=0.2)
LISTENERS = 6_000
SURGE_S = 1.0
SHARES = (0.5, 0.9, 0.99)
BITRATE_BPS = 32_000


def main(listeners: str = str(LISTENERS)) -> None:
    with system(WORKERS) as running:
        heard = first_sounds_s(play(running, CALIBRATION))
    # From the first to the last percent: the doors were busy all that time.
    first, last = (int(share * len(heard)) for share in (0.01, 0.99))
    doors = Doors((last - first) / float(heard[last] - heard[first]), float("inf"))
    surge = Surge(listeners=int(listeners), over_s=SURGE_S)
    with system(WORKERS) as running:
        happened = play(running, surge)
    keep("plan", figures(surge, doors, float(heard[0]), happened))


def play(running: OwnSystem, crowd: Surge) -> Course:
    script = Script(title="Plan", seconds=40, processes=PROCESSES, crowd=(crowd,))
    return asyncio.run(
        conduct(Muster(script=script, url=running.url, companies=PROCESSES), running, lambda _: None)
    )


def first_sounds_s(course: Course) -> NDArray[np.float64]:
    """When each listener had sound, from the beginning of the crowd, in order."""
    return np.sort(
        [
            came_s + after_ms / 1_000
            for tally in course.tallies
            for came_s, after_ms in zip(tally.came_s, tally.sound_after_ms, strict=True)
            if after_ms is not None
        ]
    )


def figures(surge: Surge, doors: Doors, unhurried_s: float, happened: Course) -> dict[str, Any]:
    times = np.arange(0.0, 60.0, STEP_S)
    inside = let_in(come_by(surge, times), doors, step_s=STEP_S)
    heard = first_sounds_s(happened)
    table: dict[str, Any] = {
        "doors: joins a second (rehearsed)": round(doors.joins_hz),
        "surge: listeners within a second": surge.listeners,
        "surge: who heard": len(heard),
    }
    worst = 0.0
    for share in SHARES:
        predicted_s = float(times[np.searchsorted(inside, share * surge.listeners)]) + unhurried_s
        measured_s = float(heard[int(share * len(heard)) - 1])
        worst = max(worst, abs(predicted_s / measured_s - 1))
        table[f"{share:.0%} have sound after, predicted (s)"] = round(predicted_s, 2)
        table[f"{share:.0%} have sound after, measured (s)"] = round(measured_s, 2)
    chunks = sum(tally.chunks for tally in happened.tallies)
    measured_bps = 80 * sum(tally.bytes for tally in happened.tallies) / chunks
    table["sound of a listener, predicted (bit/s)"] = round(BITRATE_BPS * CONTAINER)
    table["sound of a listener, measured (bit/s)"] = round(measured_bps)
    worst = max(worst, abs(BITRATE_BPS * CONTAINER / measured_bps - 1))
    return table | {"largest error": f"{worst:.1%}", "within 15 %": worst <= 0.15}
