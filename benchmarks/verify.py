"""Verification of an evening: two hours of eight edges, offline, from one file; what of it is judging is told apart."""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ledger_kit import LOG_KEY, Evening, written
from rostra.evidence.vitals import vitals
from rostra.verdict.code import code_digest
from rostra.witness.bundle import export

EDGES = 8
CLASSES = ("speaker", "registered", "signed_in", "anonymous")
WITHIN_MS = (100, 300, 1_000, 3_000, 10_000)


class Crowded(Evening):
    """An evening whose edges say all that an edge says: 1.9 kB a record."""

    def record(self, edge: str) -> dict[str, Any]:
        self.counted[edge] += 3
        count = self.counted[edge]
        did = {f"asked_first_{each}": count // 4 for each in CLASSES}
        did |= {f"sound_within_{limit}_ms": count // 5 for limit in WITHIN_MS}
        did |= dict.fromkeys(("refused_full", "sound_later", "cut_streams", "skipped_chunks", "timeouts"), 0)
        did |= {f"tickets_{each}": count for each in ("valid", "expired", "forged", "withdrawn", "none")}
        did |= dict.fromkeys(("admitted", "streams", "answers_2xx", "accepts", "followed_10s"), count // 4 * 4)
        did |= {"asked_again": count, "bytes_in": 400 * count, "bytes_out": 5_000 * count, "answers_4xx": 0}
        top = [[f"{number:016x}", count] for number in range(16)]
        now = {
            "playing": count,
            "waiting": 0,
            "connections": 30,
            "idle_connections": 4,
            "lag_us": 900,
            "strain_u": 0,
        }
        now["sources"] = {
            "networks_v4": 900,
            "networks_v6": 80,
            "familiar_u": 400_000,
            "entropy_u": 900_000,
            "top": top,
        }
        seconds = self.steady_ms // 1_000
        has = self._sample | {"cpu_user_us": 200_000 * seconds, "cpu_system_us": 100_000 * seconds}
        has |= {"passive_opens": count, "descriptors": 10**6}
        has |= {f"{ip}_bytes_{way}": 10_000 * count for ip in ("ip", "ip6") for way in ("in", "out")}
        return {"is": {"listeners": count, "rung": "all is well"}, "did": did, "now": now, "has": has}

    _sample = vitals()


def main(hours: str = "2") -> None:
    edges = [f"edge-{number}" for number in range(1, EDGES + 1)]
    evening = Crowded(*edges, plan={"number": 1, "verdict": code_digest()}).go_on(int(float(hours) * 3_600))
    size = sum(map(len, evening.entries))
    with tempfile.TemporaryDirectory() as place:
        bundle = Path(place) / "evening.tar.xz"
        count = export(written(Path(place) / "log", evening.entries), bundle)
        print(f"{count} entries, {size / count:.0f} bytes each; the file has {bundle.stat().st_size / 1e6:.1f} MB")
        for name, command in (
            ("rostra verify", [sys.executable, "-m", "rostra", "verify"]),
            ("mini_verify", [sys.executable, "-I", str(Path(__file__).parents[1] / "tools" / "mini_verify.py")]),
        ):
            began_s = time.monotonic()
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            done = subprocess.run(
                [*command, str(bundle), "--key", str(LOG_KEY)], check=False, capture_output=True, text=True
            )
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            took_s = time.monotonic() - began_s
            # The largest child so far: the first is the larger one.
            print(
                f"{name}: {took_s:.1f} s, {cpu_s:.1f} s of CPU, {after.ru_maxrss / 1_000:.0f} MB, exit {done.returncode}"
            )
            print(done.stdout, done.stderr, sep="")
