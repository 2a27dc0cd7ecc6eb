"""What a machine in front of a crowd needs of its kernel, and the exact settings that it lacks. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from rostra.core.limits import ACCEPT_QUEUE_MAX, PREFIXES_MAX

DESCRIPTORS: Final = 20_000  # what one worker carries
PORTS: Final = 20_000  # a proxy on this machine needs one for each listener
CONNTRACK_PER_DESCRIPTOR: Final = 4


@dataclass(frozen=True, slots=True)
class Lack:
    """A setting that should be another: the command that makes it so, and why."""

    command: str
    reason: str


def lacks(read: Callable[[str], str | None], *, descriptors: int, workers: int, encrypts: bool) -> Iterator[Lack]:
    """`read` gives the words of a file below /proc/sys, None if there is none; `descriptors` is RLIMIT_NOFILE."""
    if _first(read, "net/ipv4/tcp_syncookies", 1) < 1:
        reason = "without SYN cookies 4,000 forged packets keep everybody out"
        yield Lack("sysctl -w net.ipv4.tcp_syncookies=1", reason)
    for name, reason in {
        "net/core/somaxconn": "connections that wait to be accepted while listeners are written to",
        "net/ipv4/tcp_max_syn_backlog": "beginning connections before cookies have to do",
    }.items():
        if _first(read, name, ACCEPT_QUEUE_MAX) < ACCEPT_QUEUE_MAX:
            yield Lack(f"sysctl -w {name.replace('/', '.')}={ACCEPT_QUEUE_MAX}", reason)
    ports = [int(word) for word in (read("net/ipv4/ip_local_port_range") or "").split()]
    if len(ports) == 2 and ports[1] - ports[0] < PORTS:
        yield Lack(
            'sysctl -w net.ipv4.ip_local_port_range="16384 65000"', "a proxy here needs a port for each listener"
        )
    wanted = max(PREFIXES_MAX, workers * DESCRIPTORS * CONNTRACK_PER_DESCRIPTOR)
    if _first(read, "net/netfilter/nf_conntrack_max", wanted) < wanted:
        reason = "a full connection table drops whoever comes; better still: no conntrack on this port"
        yield Lack(f"sysctl -w net.netfilter.nf_conntrack_max={wanted}", reason)
    if descriptors < DESCRIPTORS:
        yield Lack(f"ulimit -n {DESCRIPTORS}", f"each worker may open {descriptors} files, one a listener")
    if encrypts and "tls" not in (read("net/ipv4/tcp_available_ulp") or "").split():
        yield Lack("modprobe tls", "the kernel encrypts for less than OpenSSL does in the edge")


def _first(read: Callable[[str], str | None], name: str, otherwise: int) -> int:
    words = (read(name) or "").split()
    return int(words[0]) if words else otherwise
