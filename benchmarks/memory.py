"""Memory per listener: the edge's own, and the kernel's."""

import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks import subjects
from benchmarks.record import keep
from benchmarks.subjects import CLIENT_CORE, compiled, pinned

LISTENERS = 18_000
PAGE_BYTES = 4_096


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, subjects.edge() as edge:
        time.sleep(3)
        rss, kernel = _rss_bytes(edge.pid), _kernel_bytes()
        command = [
            str(compiled("readers", Path(folder))),
            str(edge.port),
            edge.request,
            str(LISTENERS),
            "2000",
            "50",
        ]
        with subprocess.Popen(pinned(CLIENT_CORE, *command, edge.mode), stdout=subprocess.DEVNULL) as readers:
            time.sleep(LISTENERS / 2_000 + 40)
            ours = (_rss_bytes(edge.pid) - rss) / LISTENERS
            both_ends = (_kernel_bytes() - kernel) / LISTENERS
            readers.wait()
    keep(
        "memory",
        {
            "the edge's own (bytes a listener)": round(ours),
            "the kernel's, both ends of the connection (bytes)": round(both_ends),
            "the kernel's, the server's half (bytes)": round(both_ends / 2),
            "server, ours and the kernel's (bytes a listener)": round(ours + both_ends / 2),
            "listeners": LISTENERS,
        },
    )


def _rss_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE_BYTES


def _kernel_bytes() -> int:
    """Slab (sockets, files, inodes, timers) and TCP's buffers of this machine."""
    fields = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    slab = int(fields["Slab"].split()[0]) * 1024
    return slab + _tcp_pages() * PAGE_BYTES


def _tcp_pages() -> int:
    (line,) = [line for line in Path("/proc/net/sockstat").read_text().splitlines() if line.startswith("TCP:")]
    fields = line.split()
    return int(fields[fields.index("mem") + 1])
