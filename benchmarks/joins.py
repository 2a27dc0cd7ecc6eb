"""Joins a second on one core, and whether those who are in notice."""

import json
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import subjects
from benchmarks.record import keep
from benchmarks.subjects import CLIENT_CORE, Subject, compiled, pinned

ADMITTED = 5_000
STAMPEDE = 12_000
RATES_HZ = (5_000, 10_000, 15_000, 20_000, 30_000)


def main() -> None:
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for rate_hz in RATES_HZ:
            with subjects.edge() as edge:
                admitted = _readers(edge, Path(folder), ADMITTED, 2_000, 45)
                time.sleep(30)  # the cadence has settled
                quiet_s = edge.cpu_s()
                time.sleep(5)
                quiet_s = edge.cpu_s() - quiet_s
                before_s, began_s = edge.cpu_s(), time.monotonic()
                stampede = _readers(edge, Path(folder), STAMPEDE, rate_hz, 3)
                time.sleep(STAMPEDE / rate_hz + 0.5)
                elapsed_s = time.monotonic() - began_s
                cost_s = edge.cpu_s() - before_s - quiet_s * elapsed_s / 5
                came, were = (json.loads(process.communicate()[0]) for process in (stampede, admitted))
            figures[f"asked {rate_hz}/s: server us per join"] = round(1e6 * cost_s / STAMPEDE, 1)
            figures[f"asked {rate_hz}/s: first sound p50, p99 (ms)"] = (
                f"{came['first_p50_ms']}, {came['first_p99_ms']}"
            )
            figures[f"asked {rate_hz}/s: lost, of {STAMPEDE}"] = came["lost"]
            figures[f"asked {rate_hz}/s: admitted: gaps, lost, longest silence (ms)"] = (
                f"{were['gaps']}, {were['lost']}, {were['longest_silence_ms']:.0f}"
            )
            print(rate_hz, came, were, flush=True)
    keep("joins", figures)


def _readers(edge: Subject, folder: Path, count: int, rate_hz: int, seconds: int) -> subprocess.Popen[bytes]:
    command = [
        str(compiled("readers", folder)),
        str(edge.port),
        edge.request,
        str(count),
        str(rate_hz),
        str(seconds),
    ]
    return subprocess.Popen(pinned(CLIENT_CORE, *command, edge.mode), stdout=subprocess.PIPE)
