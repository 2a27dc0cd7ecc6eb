"""DESIGN §4.4: what a listener-second costs the edge, beside the kernel's floor, Icecast and nginx."""

import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import subjects
from benchmarks.record import keep
from benchmarks.subjects import CLIENT_CORE, Subject, compiled, pinned

WINDOW_S = 20
ROUNDS = 3


@dataclass(frozen=True)
class Trial:
    """A subject under so many listeners. `settle_s` until its state is steady: the edge's ladder needs the longest."""

    make: Callable[[Path], AbstractContextManager[Subject]]
    listeners: int = 18_000
    join_rate: int = 3_000
    settle_s: int = 5


# Icecast loses listeners who join faster or are more; nginx and its pollers must both fit on one core each.
TRIALS = (
    Trial(lambda _: subjects.edge(), settle_s=35),
    Trial(subjects.floor),
    Trial(lambda _: subjects.icecast(6_000), listeners=6_000, join_rate=500),
    Trial(lambda _: subjects.nginx(), listeners=6_000, join_rate=1_000),
)


def measure(trial: Trial, subject: Subject, folder: Path) -> dict[str, Any]:
    """Server microseconds per listener-second in the steady window, and what the listeners say."""
    command = pinned(CLIENT_CORE, str(compiled("readers", folder)), str(subject.port), subject.request)
    command += [str(trial.listeners), str(trial.join_rate), str(trial.settle_s + WINDOW_S + 2), subject.mode]
    environment = os.environ | ({"REQUEST2": subject.request2} if subject.request2 else {})
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as readers:
        time.sleep(trial.listeners / trial.join_rate + trial.settle_s)
        cpu_s, began_s = subject.cpu_s(), time.monotonic()
        time.sleep(WINDOW_S)
        cpu_s, elapsed_s = subject.cpu_s() - cpu_s, time.monotonic() - began_s
        said = json.loads(readers.communicate()[0])
    alive = trial.listeners - said["lost"]
    served = said["polls_hz"] or alive  # who polls counts as often as it was asked in a second
    return said | {"us": 1e6 * cpu_s / (elapsed_s * max(1, served)), "alive": alive}


def main(rounds: str = str(ROUNDS)) -> None:
    runs: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for _ in range(int(rounds)):
            for trial in TRIALS:
                with trial.make(folder) as subject:
                    run = measure(trial, subject, folder)
                runs.setdefault(subject.name, []).append(run)
                print(subject.name, {key: round(value, 2) for key, value in run.items()}, flush=True)
                time.sleep(3)  # closed sockets are cleaned up
    cost = {name: statistics.median(run["us"] for run in each) for name, each in runs.items()}
    ours = cost["Rostra edge"]
    figures: dict[str, Any] = {}
    for name, us in cost.items():
        worst = runs[name]
        figures[f"{name}: us per listener-second"] = round(us, 2)
        figures[f"{name}: listeners a core"] = round(1e6 / us)
        figures[f"{name}: ours against it"] = f"{us / ours:.2f}×"
        figures[f"{name}: lost, gaps, longest silence (ms)"] = (
            f"{max(r['lost'] for r in worst)}, {max(r['gaps'] for r in worst)}, {max(r['longest_silence_ms'] for r in worst):.0f}"
        )
        figures[f"{name}: listeners"] = worst[0]["listeners"]
    keep("fanout", figures)
