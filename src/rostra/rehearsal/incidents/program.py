"""A program on a machine of a lab, forked from a process that has Rostra's modules.

Importing them once for each of eight processes takes as long on two cores as the evening itself.
"""

import ctypes
import multiprocessing
import os
import resource
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from rostra.rehearsal.incidents.network import wires_of

# Not imported here: a rehearsal knows no other process. What is missing in the list costs time and nothing else.
_PRELOADED: Final = (
    "rostra.cli", "rostra.playback", "rostra.testifying", "rostra.stage.server", "rostra.edge.server",
    "rostra.witness.server", "rostra.witness.web", "rostra.witness.bundle", "rostra.web.serving",
    "rostra.audio.hold_music", "rostra.rehearsal.incidents.enactment", "rostra.rehearsal.incidents.campaign",
)  # fmt: skip
_FORKS: Final = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(list(_PRELOADED))
_libc: Final = ctypes.CDLL(None, use_errno=True)
_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWNET = 0x00020000, 0x04000000, 0x40000000  # linux/sched.h


@dataclass(frozen=True, slots=True)
class Place:
    """A machine: whose wires it has and, if it is more than that, its identity and what is mounted there."""

    wires: str
    identity: str = ""
    mounts: tuple[tuple[str, str], ...] = ()
    descriptors: int | None = None


class Program:
    """`command` is what follows `rostra`; or of another program, or another Rostra, the whole of it (`foreign`)."""

    def __init__(
        self,
        command: Sequence[str],
        place: Place,
        *,
        environment: Mapping[str, str],
        folder: Path,
        log: Path,
        foreign: bool = False,
    ) -> None:
        theirs, self._life = _FORKS.Pipe(duplex=False)
        orders = (tuple(command), place, dict(environment), str(folder), str(log), foreign, theirs)
        self._process = _FORKS.Process(target=_become, args=orders)
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.is_alive()

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        self._process.kill()

    def wait(self, seconds: float | None = None) -> bool:
        """Whether it has ended."""
        self._process.join(seconds)
        return self._process.exitcode is not None


def warm_up() -> None:
    """Begin to import what programs need, beside what else is done first."""
    from multiprocessing import forkserver  # noqa: PLC0415 # typeshed and the module disagree on what it exports

    forkserver.ensure_running()


def _become(
    command: tuple[str, ...],
    place: Place,
    environment: dict[str, str],
    folder: str,
    log: str,
    foreign: bool,  # noqa: FBT001 # of a process's arguments
    life: Connection,
) -> None:
    os.setsid()
    os.dup2(life.fileno(), 0)  # its end tells a process that the lab is gone
    written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(written, 1)
    os.dup2(written, 2)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _enter(place)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    if foreign:
        os.execvp(command[0], command)  # noqa: S606 # the lab's own
    sys.argv = ["rostra", *command]
    runpy.run_module("rostra", run_name="__main__")


def _enter(place: Place) -> None:
    wires = os.open(wires_of(place.wires), os.O_RDONLY)
    _call("setns", wires, _CLONE_NEWNET)
    os.close(wires)
    if place.identity:
        _call("unshare", _CLONE_NEWNS | _CLONE_NEWUTS)
        socket.sethostname(place.identity)
    for source, target in place.mounts:
        subprocess.run(["mount", "--bind", source, target], check=True)
    if place.descriptors is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (place.descriptors, place.descriptors))


def _call(name: str, *arguments: int) -> None:
    """A call of the C library; Python has these two from 3.12 on."""
    if getattr(_libc, name)(*arguments):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
