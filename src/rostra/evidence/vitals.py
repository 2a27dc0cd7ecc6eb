"""What the kernel counts, of this machine and of this process: whole numbers, read without any right.

About 0.3 ms a second. What a kernel does not have is left out; nothing is guessed.
"""

import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from rostra.verifier.canonical import Json

# RFC 4898's and Linux's names (net/ipv4/proc.c), and what they stand for here.
_NETWORK: Final = {
    "SyncookiesSent": "syn_cookies_sent",
    "SyncookiesRecv": "syn_cookies_returned",
    "SyncookiesFailed": "syn_cookies_false",
    "TCPReqQFullDoCookies": "syn_queue_full_cookies",
    "TCPReqQFullDrop": "syn_queue_full_drops",
    "ListenOverflows": "accept_queue_overflows",
    "ListenDrops": "accept_queue_drops",
    "PassiveOpens": "passive_opens",
    "AttemptFails": "attempt_fails",
    "EstabResets": "resets",
    "CurrEstab": "established",
    "InSegs": "segments_in",
    "OutSegs": "segments_out",
    "RetransSegs": "segments_again",
    "InOctets": "ip_bytes_in",
    "OutOctets": "ip_bytes_out",
}
_NETWORK6: Final = {"Ip6InOctets": "ip6_bytes_in", "Ip6OutOctets": "ip6_bytes_out"}
_CGROUP: Final = {
    "nr_periods": "cpu_periods",
    "nr_throttled": "cpu_periods_throttled",
    "throttled_usec": "cpu_throttled_us",
}
_MILLION: Final = 1_000_000


def vitals(proc: Path = Path("/proc"), cgroup: Path = Path("/sys/fs/cgroup")) -> dict[str, Json]:
    """Counters as they are now (they only grow, but for `established`, `memory_bytes` and `descriptors`)."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    found: dict[str, Json] = {
        "cores": os.cpu_count() or 0,
        "cpu_user_us": round(used.ru_utime * _MILLION),
        "cpu_system_us": round(used.ru_stime * _MILLION),
        "waited_for_cpu": used.ru_nivcsw,
    }
    found |= dict(_network(proc / "net/snmp"))
    found |= dict(_network(proc / "net/netstat"))
    found |= dict(_network6(proc / "net/snmp6"))
    found |= dict(_interfaces(proc / "net/dev"))
    found |= dict(_pressure(proc / "pressure"))
    found |= dict(_throttling(cgroup / "cpu.stat"))
    found |= dict(_process(proc / "self"))
    return found


def _lines(path: Path) -> list[str]:
    with suppress(OSError):
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    return []


def _network(path: Path) -> Iterator[tuple[str, int]]:
    """Pairs of lines: names, then values, both behind `Tcp:` or the like."""
    lines = _lines(path)
    for names, values in zip(lines[::2], lines[1::2], strict=False):
        for name, value in zip(names.split()[1:], values.split()[1:], strict=False):
            if name in _NETWORK:
                yield _NETWORK[name], int(value)


def _network6(path: Path) -> Iterator[tuple[str, int]]:
    """What the counters of IPv4 have not; a name and a value to a line."""
    for line in _lines(path):
        name, _, value = line.partition(" ")
        if name in _NETWORK6:
            yield _NETWORK6[name], int(value)


def _interfaces(path: Path) -> Iterator[tuple[str, int]]:
    """Bytes, packets and drops of all interfaces but loopback together."""
    columns = {0: "nic_bytes_in", 1: "nic_packets_in", 3: "nic_drops_in", 8: "nic_bytes_out", 11: "nic_drops_out"}
    lines = _lines(path)[2:]  # two of headings
    sums = dict.fromkeys(columns.values(), 0) if lines else {}
    for line in lines:
        name, _, rest = line.partition(":")
        if name.strip() != "lo":
            values = rest.split()
            for column, meaning in columns.items():
                sums[meaning] += int(values[column])
    yield from sums.items()


def _pressure(folder: Path) -> Iterator[tuple[str, int]]:
    """Time in which somebody waited (PSI, `some`), in microseconds since the start of the machine."""
    for what in ("cpu", "memory", "io"):
        for line in _lines(folder / what):
            if line.startswith("some "):
                yield f"{what}_waited_us", int(line.rpartition("total=")[2])


def _throttling(path: Path) -> Iterator[tuple[str, int]]:
    for line in _lines(path):
        name, _, value = line.partition(" ")
        if name in _CGROUP:
            yield _CGROUP[name], int(value)


def _process(folder: Path) -> Iterator[tuple[str, int]]:
    for line in _lines(folder / "statm"):
        yield "memory_bytes", int(line.split()[1]) * resource.getpagesize()
    with suppress(OSError):
        # Since Linux 6.2 the size is how many are open; listing 20,000 of them takes 59 ms of an edge.
        if count := (folder / "fd").stat().st_size:
            yield "descriptors", count
