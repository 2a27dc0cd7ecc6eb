"""The wires of a lab: one network namespace for each machine, the world around them in ours.

Everything is made by ip(8), tc(8) and nsenter(1) inside namespaces that `unshare` gave this process, so
all of it is gone when the process is. Names are private, since /run is a file system of our own.
"""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rostra.core.errors import BadInputError

PEOPLE: Final = "100.64.0.0/10"  # RFC 6598: as on a mobile network
STRANGERS: Final = "198.18.0.0/15"  # RFC 2544
NOWHERE: Final = "172.16.0.0/12"  # answers to it are lost: the world does not know it
CORE: Final = "core"
PORT: Final = 8080
_BURST_BYTES: Final = 16_384
_QUEUE_MS: Final = 200  # of a line that is full; then packets are lost
_QUEUE_PACKETS: Final = 48
_NAMESPACES: Final = Path("/run/netns")
_TOOLS: Final = ("ip", "tc", "sysctl", "unshare", "nsenter", "mount")
# With its first process all of a lab's processes are gone; whoever is not root has a user namespace around it.
_UNSHARE: Final = (
    *("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"),
    *(() if os.geteuid() == 0 else ("--user", "--map-root-user")),
)


def inside(command: Sequence[str]) -> list[str]:
    """`command` in namespaces of its own. BadInputError if this machine gives none."""
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        raise BadInputError(
            f"Incidents need {', '.join(missing)} (Debian: apt install iproute2 procps util-linux)."
        )
    tried = subprocess.run([*_UNSHARE, "true"], capture_output=True, text=True, check=False)
    if tried.returncode:
        raise BadInputError(f"Incidents need namespaces, and this machine gives none: {tried.stderr.strip()}.")
    return [*_UNSHARE, "--", *command]


def namespace() -> int:
    """Which network namespace this process is in."""
    return Path("/proc/self/ns/net").stat().st_ino


@dataclass(frozen=True, slots=True)
class Line:
    """What the line of an edge carries in each direction, in kbit/s."""

    down: int
    up: int


class Network:
    """A core and so many edges. `outside` is the namespace that must not be touched.

    BadInputError if that is ours: then nobody has called `inside`.
    """

    def __init__(self, edges: int, line: Line, *, outside: int) -> None:
        if namespace() == outside:
            raise BadInputError("A lab needs a network namespace of its own, and this is the machine's.")
        self.edges = edges
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
        commands = ["link set lo up", f"route add local {PEOPLE} dev lo", f"route add local {STRANGERS} dev lo"]
        commands += [f"netns add {name}" for name in (CORE, *map(edge_name, range(1, edges + 1)))]
        commands += ["link add op type veth peer name world netns core", "addr add 10.9.0.2/30 dev op"]
        commands += ["link set op up"]
        inner = {CORE: ["link set lo up", "addr add 10.9.0.1/30 dev world", "link set world up"]}
        for number in range(1, edges + 1):
            name = edge_name(number)
            commands += [
                f"link add {_to(number)} type veth peer name world netns {name}",
                f"addr add {_world(number)}/30 dev {_to(number)}",
                f"link set {_to(number)} up",
            ]
            inner[CORE] += [
                f"link add {name} type veth peer name core netns {name}",
                f"addr add 10.9.{number}.1/30 dev {name}",
                f"link set {name} up",
            ]
            inner[name] = [
                "link set lo up",
                f"addr add {address(number)}/30 dev world",
                "link set world up",
                f"addr add 10.9.{number}.2/30 dev core",
                "link set core up",
                f"route add default via {_world(number)}",
            ]
        _ip((), commands)
        for name, there in inner.items():
            _ip(("-n", name), there)
        for number in range(1, edges + 1):
            self.set_line(number, line)

    def set_line(self, number: int, line: Line) -> None:
        """What the world and this edge have between them from now on."""
        _tc((), _to(number), _rate(line.down))
        # A router's queue is of packets: one of bytes has room for a SYN whenever it has none for junk.
        _tc((), _to(number), f"pfifo limit {_QUEUE_PACKETS}", "parent", "1:1")
        _tc(within(edge_name(number)), "world", _rate(line.up))

    def set_backbone(self, number: int, kbps: int | None) -> None:
        """What an edge has between itself and the core; None: more than it needs."""
        _tc(within(CORE), edge_name(number), _rate(kbps or 1_000_000))
        _tc(within(edge_name(number)), "core", _rate(kbps or 1_000_000))

    def set_kernel(self, number: int, *, cookies: bool, backlog: int) -> None:
        """How the kernel of an edge meets half-open connections."""
        settings = {"net.ipv4.tcp_syncookies": int(cookies), "net.ipv4.tcp_max_syn_backlog": backlog}
        for name, value in settings.items():
            subprocess.run([*within(edge_name(number)), "sysctl", "-qw", f"{name}={value}"], check=True)


def edge_name(number: int) -> str:
    return f"edge-{number}"


def address(number: int) -> str:
    """Where people reach an edge: in TEST-NET-1 (RFC 5737), which is nowhere in the world."""
    return f"192.0.2.{4 * number + 1}"


def bus_address(number: int = 0) -> str:
    """The core as seen from an edge; 0: from the world."""
    return f"10.9.{number}.1"


def wires_of(name: str) -> Path:
    """Where the kernel shows the network namespace of a machine of the lab."""
    return _NAMESPACES / name


def within(name: str) -> list[str]:
    """The beginning of a command that is to run on a machine of the lab."""
    return ["nsenter", f"--net={wires_of(name)}", "--"]


def _world(number: int) -> str:
    return f"192.0.2.{4 * number + 2}"


def _to(number: int) -> str:
    return f"w{number}"


def _rate(kbps: int) -> str:
    return (
        f"handle 1: tbf rate {kbps}kbit burst {max(_BURST_BYTES, kbps * 1_000 // 8 // 100)} latency {_QUEUE_MS}ms"
    )


def _ip(options: tuple[str, ...], commands: list[str]) -> None:
    subprocess.run(["ip", *options, "-batch", "-"], input="\n".join(commands), text=True, check=True)


def _tc(before: Sequence[str], device: str, discipline: str, *where: str) -> None:
    place = where or ("root",)
    subprocess.run([*before, "tc", "qdisc", "replace", "dev", device, *place, *discipline.split()], check=True)
