"""DESIGN §4.4: what a listener-second costs the edge, beside the kernel's floor, Icecast and nginx.

`fanout:ROUNDS` or `fanout:ROUNDS,LISTENERS`. A listener-second is 32 kbit/s for one second: one write of ten chunks for
the edge, for the floor and for Icecast; one playlist and one part asked for from nginx. Who delivers less is charged
accordingly. On loopback the writer's system call also does the receiver's TCP work: the same for all four.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import subjects
from benchmarks.record import keep
from benchmarks.subjects import Subject, readers, told

WINDOW_S = 20
SETTLE_S = 6
ROUNDS = 3
LISTENERS = 18_000


@dataclass(frozen=True)
class Trial:
    """A subject under so many listeners, who join at a rate that it bears."""

    make: Callable[[Path], AbstractContextManager[Subject]]
    listeners: int
    join_rate_hz: int


def trials(listeners: int) -> tuple[Trial, ...]:
    polled = (
        listeners // 3
    )  # more, and their poller needs more than its core; Icecast, fed as it should be, loses them
    return (
        Trial(lambda _: subjects.edge(), listeners, 3_000),
        Trial(subjects.floor, listeners, 3_000),
        Trial(lambda _: subjects.icecast(listeners, chunks=10), listeners, 500),
        Trial(lambda _: subjects.icecast(polled, chunks=1), polled, 500),
        Trial(lambda _: subjects.nginx(), polled, 1_000),
    )


def measure(trial: Trial, subject: Subject, folder: Path) -> dict[str, Any]:
    """Server microseconds per listener-second in the steady window, and what the listeners say."""
    count, rate_hz = trial.listeners, trial.join_rate_hz
    stay_s = SETTLE_S + WINDOW_S + 1
    with readers(subject, folder, count=count, rate_hz=rate_hz, seconds=stay_s) as listening:
        time.sleep(count / rate_hz + SETTLE_S)
        subject.reports.clear()
        cpu_s, others_s, began_s = subject.cpu_s(), subject.others_cpu_s(), time.monotonic()
        time.sleep(WINDOW_S)
        cpu_s, elapsed_s = subject.cpu_s() - cpu_s, time.monotonic() - began_s
        others_share = (subject.others_cpu_s() - others_s) / elapsed_s
        cadence_ms, reported = subject.cadence_ms, list(subject.reports)
        said = told(listening)
    if subject.mode == "frames":
        assert cadence_ms == 1_000, f"the edge was not at 1 s all the time: {reported}"
        said["write_share"] = statistics.median(share for _, _, share in reported)
    # Who polls counts as often as it was answered in a second.
    served = said["polls_hz"] or count - said["lost"]
    bps = 8 * said["bytes_mean"] / said["steady_s"]
    return said | {"us": 1e6 * cpu_s / (elapsed_s * max(1, served)), "bps": bps, "others_share": others_share}


def main(rounds_and_listeners: str = f"{ROUNDS},{LISTENERS}") -> None:
    rounds, _, crowd = rounds_and_listeners.partition(",")
    listeners = int(crowd or LISTENERS)
    runs: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for _ in range(int(rounds)):
            for trial in trials(listeners):
                with trial.make(folder) as subject:
                    run = measure(trial, subject, folder)
                runs.setdefault(subject.name, []).append(run)
                print(subject.name, {key: round(value, 2) for key, value in run.items()}, flush=True)
                time.sleep(3)  # closed sockets are cleaned up
    keep("fanout", figures(runs))


def figures(runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    ours, *others = runs
    whole_bps = statistics.median(run["bps"] for run in runs[ours])
    # A listener who gets half of the sound is half a listener.
    cost = {
        name: statistics.median(run["us"] / min(1.0, run["bps"] / whole_bps) for run in each)
        for name, each in runs.items()
    }
    table: dict[str, Any] = {}
    for name, each in runs.items():
        table[f"{name}: us per listener-second"] = round(cost[name], 2)
        table[f"{name}: us per connection and second, each run"] = [round(run["us"], 2) for run in each]
        table[f"{name}: listeners a core"] = round(1e6 / cost[name])
        table[f"{name}: listeners"] = each[0]["listeners"]
        table[f"{name}: kbit/s each"] = round(statistics.median(run["bps"] for run in each) / 1000, 1)
        table[f"{name}: others' share of its core, worst run"] = round(max(run["others_share"] for run in each), 2)
        for word in ("lost", "gaps", "late", "chunks_behind", "longest_silence_ms"):
            table[f"{name}: {word}, worst run"] = max(run[word] for run in each)
    for name in others:
        table[f"{name} / {ours}: cost of a listener-second"] = round(cost[name] / cost[ours], 2)
    table[f"{ours}: share of its time in writes, by its own report"] = runs[ours][-1]["write_share"]
    return table
