"""A figure with its provenance: date, commit, machine, command."""

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

OUT = Path(__file__).parent / "out"


def keep(name: str, figures: dict[str, Any]) -> None:
    """Print the figures and write them to benchmarks/out/NAME.json."""
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    ).stdout.strip()
    model = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    record = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit,
        "machine": f"{os.cpu_count()} cores, {model[0].partition(': ')[2] if model else platform.machine()}, "
        f"Linux {platform.release()}, Python {platform.python_version()}",
        "command": f"python -m benchmarks {' '.join(sys.argv[1:])}",
        "figures": figures,
    }
    OUT.mkdir(exist_ok=True)
    (OUT / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n")
    print(f"\n{name}  ({record['commit']}, {record['date']})")
    for key, value in figures.items():
        print(f"  {key:44} {value}")
