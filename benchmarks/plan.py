"""What `rostra plan` predicts beside what is measured: `plan` or `plan:SURGE_SHARE`.

A small rehearsal on a system of its own tells what its doors let in. From that alone the model predicts how a surge goes
that is larger than them: when half, nine tenths and nearly all have sound, and what the line carries. Then the surge comes.
"""

import asyncio
import statistics
from typing import Any

import numpy as np

from benchmarks.many import system
from benchmarks.record import keep
from rostra.rehearsal import findings
from rostra.rehearsal.arrivals import Crowd, Joins, Surge, come_by
from rostra.rehearsal.certificate import JOINS
from rostra.rehearsal.conductor import Course, conduct
from rostra.rehearsal.muster import Muster
from rostra.rehearsal.own_system import OwnSystem
from rostra.rehearsal.plan import CONTAINER, Doors, let_in
from rostra.rehearsal.script import Script

WORKERS = 2
PROCESSES = 2
STEP_S = 0.05
RATES_HZ = (200.0, 500.0, 1_000.0, 1_500.0, 2_000.0, 3_000.0)
SURGE_S = 1.0
SURGE_SHARE = 3.0  # of what the doors let in during the surge: two thirds have to wait
SHARES = (0.5, 0.9, 0.99)
BITRATE_BPS = 32_000


def main(surge_share: str = str(SURGE_SHARE)) -> None:
    stairs = Joins(rates_hz=RATES_HZ, step_s=4.0, stay_s=3.0)
    with system(WORKERS) as running:
        rehearsed = play(running, stairs, seconds=len(RATES_HZ) * 4.0 + 8)
    (joins, *_) = findings.stages(script(stairs, 60), rehearsed.tallies, [], workers=WORKERS)
    assert joins.name == JOINS
    doors = Doors(max(point.served for point in joins.points), float("inf"))
    unhurried_s = statistics.median(first_sounds_s(rehearsed, until_s=4.0))
    surge = Surge(listeners=round(doors.joins_hz * SURGE_S * float(surge_share)), over_s=SURGE_S)
    with system(WORKERS) as running:
        happened = play(running, surge, seconds=surge.listeners / doors.joins_hz + 20)
    keep("plan", figures(surge, doors, unhurried_s, happened))


def script(crowd: Crowd, seconds: float) -> Script:
    return Script(title="Plan", seconds=seconds, processes=PROCESSES, crowd=(crowd,))


def play(running: OwnSystem, crowd: Crowd, *, seconds: float) -> Course:
    muster = Muster(script=script(crowd, seconds), url=running.url, companies=PROCESSES)
    return asyncio.run(conduct(muster, running, lambda _: None))


def first_sounds_s(course: Course, *, until_s: float) -> list[float]:
    return [
        after_ms / 1_000
        for tally in course.tallies
        for came_s, after_ms in zip(tally.came_s, tally.sound_after_ms, strict=True)
        if after_ms is not None and came_s < until_s
    ]


def figures(surge: Surge, doors: Doors, unhurried_s: float, happened: Course) -> dict[str, Any]:
    times = np.arange(0.0, 60.0, STEP_S)
    inside = let_in(come_by(surge, times), doors, step_s=STEP_S)
    heard = np.sort(
        [
            came_s + after_ms / 1_000
            for tally in happened.tallies
            for came_s, after_ms in zip(tally.came_s, tally.sound_after_ms, strict=True)
            if after_ms is not None
        ]
    )
    table: dict[str, Any] = {
        "doors: joins a second (rehearsed)": round(doors.joins_hz),
        "surge: listeners within 1 s": surge.listeners,
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
