"""A system of the rehearsal's own: `rostra serve` on loopback, and a conversation, by an operator's commands."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rostra.audio.recordings import two_cities
from rostra.core.errors import BadInputError, RostraError

_UP_S: Final = 90.0
_STOP_S: Final = 30.0
_LOOK_S: Final = 0.1
DISK_BYTES: Final = 640 * 1024 * 1024  # `rostra serve` wants 256 MB; the rest is filled in seconds
# Whoever is not root has a user namespace around it (user_namespaces(7)).
_NEW: Final = ("--mount",) if os.geteuid() == 0 else ("--user", "--map-root-user", "--mount")
_ENTER: Final = ("--mount",) if os.geteuid() == 0 else ("--user", "--preserve-credentials", "--mount")
_FAKETIME: Final = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")


@dataclass
class OwnSystem:
    """It runs. `data` is its data folder as seen from here; `clock` the file that steps its clock, if it can be.

    `inside` begins a command that is to see its files, if those are in a mount namespace of its own.
    """

    process: subprocess.Popen[bytes]
    folder: Path
    data: Path
    environment: dict[str, str]
    inside: tuple[str, ...] = ()
    url: str = ""
    clock: Path | None = None

    def rostra(self, *arguments: str) -> str:
        """What a command of the operator prints. RostraError with its own words if it fails."""
        command = [*self.inside, *_rostra(*arguments)]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RostraError(f"`rostra {arguments[0]}` failed: {done.stderr.strip()}")
        return done.stdout

    def pid(self, name: str) -> int:
        """The process id of a child of `rostra serve`: `bus`, `stage-1`, `edge-2` and so on."""
        pattern = rb"nats-server" if name == "bus" else rb"--name\0" + re.escape(name.encode()) + rb"\0"
        for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text("ascii").split():
            if re.search(pattern, Path(f"/proc/{pid}/cmdline").read_bytes()):
                return int(pid)
        raise BadInputError(f"There is no process {name!r} in the rehearsal's own system.")


def free_ports(count: int) -> int:
    """The first of `count` ports in a row that nobody uses at this moment."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            first = int(probe.getsockname()[1])
        if first + count <= 65_535 and all(_is_free(port) for port in range(first, first + count)):
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _rostra(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "rostra", *arguments]


@contextmanager
def own_system(
    environment: Mapping[str, str], folder: Path, *, cache: Path, disk: bool = False, clock: bool = False
) -> Iterator[OwnSystem]:
    """A running system in `folder` that knows the music in `cache`.

    `disk`: its data is on a small disk of its own, so that it can be filled; `clock`: its clock can be stepped.
    BadInputError if this machine cannot do that.
    """
    data = folder / "data"
    data.mkdir(parents=True)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ROSTRA_")}
    own = inherited | dict(environment) | {"ROSTRA_DATA": str(data)}
    clock_file = folder / "clock" if clock else None
    if clock_file is not None:
        own |= _faked_clock(clock_file)
    said = folder / "serve.log"
    with said.open("wb") as log:
        process = subprocess.Popen(
            [*(_small_disk(data, cache) if disk else _plain_disk(data, cache)), *_rostra("serve")],
            cwd=folder,
            env=own,
            stdin=subprocess.DEVNULL,
            stderr=log,
        )
    seen = Path(f"/proc/{process.pid}/root{data}") if disk else data
    inside = ("nsenter", "--target", str(process.pid), *_ENTER) if disk else ()
    system = OwnSystem(process, folder, seen, own, inside, clock=clock_file)
    try:
        _await_up(process, said)
        with _conversation(system):
            yield system
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await_up(process: subprocess.Popen[bytes], said: Path) -> None:
    deadline_s = time.monotonic() + _UP_S
    while "Rostra is up" not in (text := said.read_text(encoding="utf-8", errors="replace")):
        if process.poll() is not None or time.monotonic() > deadline_s:
            raise RostraError(f"The rehearsal's own system did not come up: {text.strip()}")
        time.sleep(_LOOK_S)


@contextmanager
def _conversation(system: OwnSystem) -> Iterator[None]:
    """A conversation is on the air, as an operator would put it there: announced, and a recording played."""
    announced = json.loads(system.rostra("schedule", "Rehearsal", "--at", "now", "--doors", "1m", "--json"))
    system.url = announced["url"]
    command = [*system.inside, *_rostra("feed", announced["id"], str(two_cities()), "--loop")]
    with (system.folder / "feed.log").open("wb") as log:
        feed = subprocess.Popen(command, cwd=system.folder, env=system.environment, stderr=log)
    try:
        yield
    finally:
        feed.kill()
        feed.wait()


def _plain_disk(data: Path, cache: Path) -> list[str]:
    if cache.is_dir():
        shutil.copytree(cache, data / "cache")
    return []


def _small_disk(data: Path, cache: Path) -> list[str]:
    """A command's beginning: it runs in a mount namespace of its own, with a small disk of memory as its data."""
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, *_NEW, "true"], capture_output=True, check=False).returncode:
        raise BadInputError("A full disk needs a mount namespace, and this machine gives none (unshare --mount).")
    make = f'mount -t tmpfs -o size={DISK_BYTES} tmpfs "$1" && {{ [ ! -d "$2" ] || cp -r "$2" "$1/cache"; }}'
    return [unshare, *_NEW, "sh", "-c", f'{make} && shift 2 && exec "$@"', "sh", str(data), str(cache)]


def _faked_clock(file: Path) -> dict[str, str]:
    """The environment of a system whose wall clock is what `file` says, looked at for each call."""
    found = [path for pattern in _FAKETIME for path in Path("/").glob(pattern.removeprefix("/"))]
    if not found:
        raise BadInputError(
            "A step of the clock needs libfaketime (Debian: apt install faketime): a time namespace cannot step "
            "the wall clock (time_namespaces(7)), and the machine's own is not ours to change."
        )
    file.write_text("+0\n", encoding="ascii")
    return {
        "LD_PRELOAD": str(found[0]),
        "FAKETIME_TIMESTAMP_FILE": str(file),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
