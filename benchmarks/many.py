"""As many real listeners as one machine holds, over several workers: `many`, `many:LISTENERS`, `many:LISTENERS,up`.

Everything is on this machine: stage, bus, edges, and a crowd that checks every chunk, in several processes of as many
descriptors as they may open. With `up`, a quarter more come each time, until somebody misses something.
"""

import json
import os
import resource
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from benchmarks.memory import taken
from benchmarks.record import keep
from rostra.config import Settings
from rostra.core.errors import RostraError
from rostra.core.limits import DESCRIPTORS_RESERVED
from rostra.edge.admission import RETURNING_SHARE
from rostra.rehearsal.crowd import CrowdPlan, CrowdReport, run_crowd
from rostra.rehearsal.own_system import OwnSystem, free_ports, own_system

LISTENERS = 60_000
JOIN_RATE_HZ = 1_000.0
HOLD_S = 30.0
SETTLE_S = 15.0  # the ladder warns before each longer cadence: eight seconds from 0.1 to 0.5 s, thirty to 2 s
CADENCE_MAX_MS = 2_000
ROOM = resource.getrlimit(resource.RLIMIT_NOFILE)[1] - DESCRIPTORS_RESERVED
UNEVEN = 1.1  # the kernel spreads connections over the workers of a port by hash


def main(argument: str = str(LISTENERS)) -> None:
    count, _, up = argument.partition(",")
    listeners, table, held = int(count), dict[str, Any](), 0
    while True:
        run = measure(listeners)
        print(listeners, run, flush=True)
        table |= {f"{listeners}: {name}": value for name, value in run.items()}
        held = listeners if run["held"] else held
        if not (up and run["held"]):
            break
        listeners = listeners * 5 // 4
    keep("many", table | {"the most that held": held})


@contextmanager
def system(workers: int) -> Iterator[OwnSystem]:
    settings = Settings(
        edge_workers=workers, stages=1, gates=0, recorders=0, recorder_port=0, sites=0, captions="off"
    )
    cache = Path(os.environ.get("ROSTRA_TEST_CACHE", "data/cache")).resolve()
    with tempfile.TemporaryDirectory(prefix="rostra-many-") as folder:
        environment = settings.elsewhere(free_ports(4)).environment() | {"ROSTRA_SHIELD_SPARED": "127.0.0.0/8"}
        with own_system(environment, Path(folder), cache=cache) as running:
            yield running


def measure(listeners: int) -> dict[str, Any]:
    workers = max(2, -(-round(listeners * UNEVEN) // int(ROOM * (1 - RETURNING_SHARE))))
    processes = max(2, -(-listeners // (ROOM - 500)))
    seconds = listeners / JOIN_RATE_HZ + SETTLE_S + HOLD_S
    with system(workers) as running:
        time.sleep(35)  # the rings of the edges are full: they take nothing more, whoever comes
        edges = [running.pid(f"edge-{n}") for n in range(1, workers + 1)]
        before = taken(*edges)
        crowds: list[CrowdReport | RostraError] = []

        def crowd() -> None:
            try:
                plan = CrowdPlan(running.url, listeners, JOIN_RATE_HZ, seconds, "webm-32", processes)
                crowds.append(run_crowd(plan))
            except RostraError as error:
                crowds.append(error)

        visiting = threading.Thread(target=crowd)
        visiting.start()
        time.sleep(listeners / JOIN_RATE_HZ + SETTLE_S)
        members = [child.pid for child in psutil.Process().children() if child.pid != running.process.pid]
        cpu_s, members_s, began_s = _cpu_s(edges), _cpu_s(members), time.monotonic()
        time.sleep(HOLD_S - 10)
        after, ends = taken(*edges), taken(*members)
        elapsed_s = time.monotonic() - began_s
        cpu_s, members_s = _cpu_s(edges) - cpu_s, _cpu_s(members) - members_s
        reports = json.loads(running.rostra("status", "--json"))["edges"]
        visiting.join()
    report = crowds[0]
    if isinstance(report, RostraError):
        raise report
    each = {name: (after[name] - before[name]) / listeners for name in before}
    cadence_ms = max(edge["cadence_ms"] for edge in reports)
    return {
        "held": report.ok and report.listening == listeners and cadence_ms <= CADENCE_MAX_MS,
        "workers": workers,
        "processes of the crowd": processes,
        "cadence (ms)": cadence_ms,
        "listening at the end": report.listening,
        "with gaps": report.listeners_with_gaps,
        "with pauses": report.paused_listeners,
        "longest pause (ms)": report.longest_pause_ms,
        "chunks heard and checked": report.chunks,
        "first sound, p99 (ms)": report.first_sound_p99_ms,
        "edges: CPU us per listener-second": round(1e6 * cpu_s / elapsed_s / listeners, 2),
        "crowd: CPU us per listener-second": round(1e6 * members_s / elapsed_s / listeners, 2),
        "edges: bytes a listener": round(each["rss"]),
        "kernel, both ends: bytes a listener": round(each["slab"] + each["tcp"]),
        "crowd: bytes a listener, all it has": round(ends["rss"] / listeners),
        "both ends: bytes a listener": round(each["rss"] + each["slab"] + each["tcp"] + ends["rss"] / listeners),
    }


def _cpu_s(pids: list[int]) -> float:
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return sum(each.user + each.system for each in times)
