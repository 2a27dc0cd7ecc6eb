"""Half an hour on the air with 2,000 listeners: memory, clock, gaps."""

import tempfile
import threading
import time
from pathlib import Path

from benchmarks.record import keep
from rostra.audio.recordings import two_cities
from rostra.rehearsal.crowd import CrowdPlan, CrowdReport, run_crowd
from system import System, running

LISTENERS = 2_000
SAMPLE_S = 10


def main(minutes: str = "30") -> None:
    seconds = float(minutes) * 60
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "rostra") as system:
        announced = system.schedule(at="+2s", id="soak", duration="2h")
        system.feed("soak", str(two_cities()), "--loop")
        time.sleep(5)
        reports: list[CrowdReport] = []
        plan = CrowdPlan(announced["url"], LISTENERS, 200, seconds, "webm-32", 1)
        crowd = threading.Thread(target=lambda: reports.append(run_crowd(plan)))
        crowd.start()
        began_s, memory, offsets, late = time.monotonic(), {}, [], 0
        while crowd.is_alive():
            crowd.join(SAMPLE_S)
            status = system.status()
            offsets += [abs(stage["clock_offset_ms"]) for stage in status["stages"] if stage["active"]]
            late = max([late, *[stage["frames_late"] for stage in status["stages"]]])
            if time.monotonic() - began_s > 60:  # everybody is there, caches are warm
                for name in ("bus", "stage-1", "stage-2", "edge-1", "edge-2"):
                    memory.setdefault(name, []).append(_rss_mb(system, name))
        (report,) = reports
        figures: dict[str, object] = {
            f"{name}: memory at six equal distances (MB)": [
                round(values[len(values) * point // 5 - (point > 0)], 1) for point in range(6)
            ]
            for name, values in memory.items()
        }
        figures |= {
            "programme clock against wall time, worst (ms)": round(max(offsets), 2),
            "frames later than 20 ms": late,
            "listeners, heard": f"{report.listeners}, {report.heard}",
            "missing chunks, moved": f"{report.missing_chunks}, {report.moved}",
            "listeners with a pause, longest (ms)": f"{report.paused_listeners}, {report.longest_pause_ms}",
            "cadence at the end (ms)": [edge["cadence_ms"] for edge in system.status()["edges"]],
            "minutes": minutes,
            "fsck": system.rostra("fsck", check=False).stdout.strip().splitlines()[-1],
        }
    keep("soak", figures)


def _rss_mb(system: System, name: str) -> float:
    pages = int(Path(f"/proc/{system.pid(name)}/statm").read_text().split()[1])
    return pages * 4096 / 1e6
