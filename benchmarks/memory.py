"""Memory per listener: the edge's own, and the kernel's. `memory` or `memory:LISTENERS`.

Both ends of each connection are on this machine: half of the kernel's growth is the server's. Readers read at once, so
that the kernel holds no sound for them; a listener who does not read costs up to SEND_BUFFER_BYTES of the edge more.
"""

import resource
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import subjects
from benchmarks.record import keep
from benchmarks.subjects import readers, told

LISTENERS = 18_000
JOIN_RATE_HZ = 2_000
SETTLE_S = 15
PAGE_BYTES = resource.getpagesize()


def main(listeners: str = str(LISTENERS)) -> None:
    count = int(listeners)
    with tempfile.TemporaryDirectory() as folder, subjects.edge() as edge:
        time.sleep(35)  # its ring holds 30 s: it is full, with listeners or without
        before = taken(edge.pid)
        seconds = SETTLE_S + 5
        with readers(edge, Path(folder), count=count, rate_hz=JOIN_RATE_HZ, seconds=seconds) as listening:
            time.sleep(count / JOIN_RATE_HZ + SETTLE_S)
            after = taken(edge.pid)
            said = told(listening)
    each = {name: (after[name] - before[name]) / count for name in before}
    kernel = each["slab"] + each["tcp"]
    table: dict[str, Any] = {
        "listeners": count,
        "lost, gaps": (said["lost"], said["gaps"]),
        "the edge's own (bytes a listener)": round(each["rss"]),
        "the kernel's slab, both ends (bytes)": round(each["slab"]),
        "of which it cannot give back, SUnreclaim (bytes)": round(each["unreclaimable"]),
        "the kernel's TCP buffers, both ends (bytes)": round(each["tcp"]),
        "the kernel's, the server's half (bytes)": round(kernel / 2),
        "server: the edge's own and the kernel's half (bytes a listener)": round(each["rss"] + kernel / 2),
        "the edge before anybody came (MB)": round(before["rss"] / 1e6, 1),
    }
    keep("memory", table)


def taken(*pids: int) -> dict[str, int]:
    """What the processes, the kernel's slab (sockets, files, inodes) and TCP's buffers take."""
    fields = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    tcp = next(
        line.split() for line in Path("/proc/net/sockstat").read_text().splitlines() if line.startswith("TCP:")
    )
    return {
        "rss": sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids) * PAGE_BYTES,
        "slab": int(fields["Slab"].split()[0]) * 1024,
        "unreclaimable": int(fields["SUnreclaim"].split()[0]) * 1024,
        "tcp": int(tcp[tcp.index("mem") + 1]) * PAGE_BYTES,
    }
