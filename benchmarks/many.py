"""As many real listeners as one machine holds, over several workers: `many`, `many:LISTENERS`, `many:LISTENERS,up`.

Everything is on this machine: stage, bus, edges, and the listeners of readers.c, who join as a player does and look at the
number of every chunk, in several processes of as many descriptors as they may open. With `up`, a quarter more come each
time, until somebody misses something.
"""

import json
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import psutil

from benchmarks.memory import taken
from benchmarks.record import keep
from benchmarks.subjects import Subject, readers, told
from rostra.config import Settings
from rostra.core.limits import DESCRIPTORS_RESERVED
from rostra.edge.admission import RETURNING_SHARE
from rostra.rehearsal.own_system import OwnSystem, free_ports, own_system

if TYPE_CHECKING:
    import subprocess

LISTENERS = 60_000
JOIN_RATE_HZ = 500.0
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
    with system(workers) as running, ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        time.sleep(35)  # the rings of the edges are full: they take nothing more, whoever comes
        edges = [running.pid(f"edge-{n}") for n in range(1, workers + 1)]
        before = taken(*edges)
        crowds = [
            stack.enter_context(_crowd(running.url, Path(folder), part, JOIN_RATE_HZ / processes))
            for part in _parts(listeners, processes)
        ]
        members = [crowd.pid for crowd in crowds]
        time.sleep(listeners / JOIN_RATE_HZ + SETTLE_S)
        cpu_s, members_s, began_s = _cpu_s(edges), _cpu_s(members), time.monotonic()
        time.sleep(HOLD_S - 10)
        after, ends = taken(*edges), taken(*members)
        elapsed_s = time.monotonic() - began_s
        cpu_s, members_s = _cpu_s(edges) - cpu_s, _cpu_s(members) - members_s
        reports = json.loads(running.rostra("status", "--json"))["edges"]
        heard = [told(crowd) for crowd in crowds]
    each = {name: (after[name] - before[name]) / listeners for name in before}
    cadence_ms = max(edge["cadence_ms"] for edge in reports)
    wrong = {name: sum(part[name] for part in heard) for name in ("lost", "refused", "failed", "gaps")}
    return {
        "held": not any(wrong.values()) and cadence_ms <= CADENCE_MAX_MS,
        "workers": workers,
        "processes of the crowd": processes,
        "cadence (ms)": cadence_ms,
        "heard": sum(part["heard"] for part in heard),
        **wrong,
        "longest silence (ms)": max(part["longest_silence_ms"] for part in heard),
        "chunks behind the first, at the end": max(part["chunks_behind"] for part in heard),
        "first sound, p99 (ms), of each process": [part["first_p99_ms"] for part in heard],
        "edges: CPU us per listener-second": round(1e6 * cpu_s / elapsed_s / listeners, 2),
        "crowd: CPU us per listener-second": round(1e6 * members_s / elapsed_s / listeners, 2),
        "edges: bytes a listener": round(each["rss"]),
        "kernel, both ends: bytes a listener": round(each["slab"] + each["tcp"]),
        "crowd: bytes a listener, all it has": round(ends["rss"] / listeners),
        "both ends: bytes a listener": round(each["rss"] + each["slab"] + each["tcp"] + ends["rss"] / listeners),
    }


def _parts(listeners: int, processes: int) -> list[int]:
    return [listeners * (n + 1) // processes - listeners * n // processes for n in range(processes)]


def _crowd(url: str, folder: Path, count: int, rate_hz: float) -> AbstractContextManager["subprocess.Popen[bytes]"]:
    at = urlsplit(url)
    head = f" HTTP/1.1\r\nHost: {at.netloc}\r\n"
    join = f"POST {at.path}/join{head}Content-Length: 0\r\n\r\n"
    stream = f"GET {at.path}/stream?ticket=TICKET&rendition=webm-32{head}\r\n"
    edge = Subject("many", 0, at.port or 80, stream, "frames", join)
    return readers(edge, folder, count=count, rate_hz=rate_hz, seconds=SETTLE_S + HOLD_S, core="0-1")


def _cpu_s(pids: list[int]) -> float:
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return sum(each.user + each.system for each in times)
