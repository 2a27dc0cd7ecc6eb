"""DESIGN §4.4: what a listener-second costs the edge, beside the kernel's floor, Icecast and nginx."""

import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import subjects
from benchmarks.record import keep
from benchmarks.subjects import CLIENT_CORE, Subject, compiled, pinned

LISTENERS = 18_000
JOIN_RATE = 3_000
SETTLE_S = 25  # the cadence ladder climbs to 1 s and everybody has been moved
WINDOW_S = 20
ROUNDS = 3


def measure(subject: Subject, folder: Path, *, listeners: int) -> dict[str, Any]:
    """Server microseconds per listener-second in the steady window, and what the listeners say."""
    seconds = SETTLE_S + WINDOW_S + 2
    command = pinned(CLIENT_CORE, str(compiled("readers", folder)), str(subject.port), subject.request)
    command += [str(listeners), str(JOIN_RATE), str(seconds), subject.mode]
    environment = os.environ | ({"REQUEST2": subject.request2} if subject.request2 else {})
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as readers:
        time.sleep(listeners / JOIN_RATE + SETTLE_S)
        cpu_s, began_s = subject.cpu_s(), time.monotonic()
        time.sleep(WINDOW_S)
        cpu_s, elapsed_s = subject.cpu_s() - cpu_s, time.monotonic() - began_s
        said = json.loads(readers.communicate()[0])
    alive = listeners - said["lost"]
    return said | {"us": 1e6 * cpu_s / (elapsed_s * max(1, alive)), "alive": alive}


def main(rounds: str = str(ROUNDS)) -> None:
    runs: dict[str, list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        makers = (
            subjects.edge,
            lambda: subjects.floor(folder),
            lambda: subjects.icecast(LISTENERS),
            subjects.nginx,
        )
        for _ in range(int(rounds)):
            for make in makers:
                with make() as subject:
                    run = measure(subject, folder, listeners=LISTENERS)
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
    figures["listeners"] = LISTENERS
    keep("fanout", figures)
