"""A whole Rostra in a folder of its own, driven by its command line as an operator would."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from commands import run_command

UP_S = 60.0
COMMAND_S = 120.0


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def free_ports(count: int) -> int:
    """The first of `count` ports in a row that nobody uses at this moment."""
    while True:
        first = free_port()
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            continue
        return first


def wait_until(condition: Callable[[], Any], *, within_s: float, what: str) -> Any:
    """Poll `condition` until it is true; fail with `what` if it is not within `within_s`."""
    deadline_s = time.monotonic() + within_s
    while not (value := condition()):
        assert time.monotonic() < deadline_s, f"not within {within_s} s: {what}"
        time.sleep(0.02)
    return value


@dataclass
class System:
    """`rostra serve`, and the commands that talk to it."""

    folder: Path
    port: int
    environment: dict[str, str]
    before: list[str] = field(default_factory=list)  # of the command line of `rostra serve`
    process: subprocess.Popen[bytes] | None = None
    feeds: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "data" / "rostra.log").read_text(errors="replace")

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "rostra", *arguments]

    def start(self) -> None:
        said = self.folder / "serve.log"
        with said.open("wb") as log:
            self.process = subprocess.Popen(
                [*self.before, *self.command("serve")], cwd=self.folder, env=self.environment, stderr=log
            )
        wait_until(
            lambda: "Rostra is up" in said.read_text() or self.process.poll() is not None, within_s=UP_S, what="up"
        )
        assert self.process.poll() is None, said.read_text()

    def stop(self) -> None:
        for feed in self.feeds:
            feed.kill()
            feed.wait()
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=30)

    def rostra(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        done = run_command(arguments, folder=self.folder, environment=self.environment, within_s=COMMAND_S)
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    def schedule(self, title: str = "An evening", **options: str) -> dict[str, Any]:
        """Announce a conversation; returns what `rostra schedule --json` printed."""
        flags = [part for name, value in options.items() for part in (f"--{name}", value)]
        return dict(json.loads(self.rostra("schedule", title, "--json", *flags).stdout))

    def feed(self, conversation: str, source: str, *flags: str, **popen: Any) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            self.command("feed", conversation, source, *flags), cwd=self.folder, env=self.environment, **popen
        )
        self.feeds.append(process)
        return process

    def state(self, conversation: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.url}/c/{conversation}/state", timeout=5) as answer:
            return dict(json.load(answer))

    def status(self) -> dict[str, Any]:
        return dict(json.loads(self.rostra("status", "--json").stdout))

    def pid(self, name: str) -> int:
        """The process id of a child of `rostra serve`: `bus`, `stage-1`, `edge-2`, `recorder-1` and so on."""
        assert self.process is not None
        pattern = r"nats-server" if name == "bus" else rf"--name\0{re.escape(name)}\0"
        for pid in _children(self.process.pid):
            if re.search(pattern.encode(), Path(f"/proc/{pid}/cmdline").read_bytes()):
                return int(pid)
        raise AssertionError(f"{name} is not running")

    def active_stage(self, conversation: str) -> str:
        for stage in self.status()["stages"]:
            if conversation in stage["active"]:
                return str(stage["stage"])
        raise AssertionError(f"nobody makes the programme of {conversation}")

    def kill(self, name: str) -> None:
        os.kill(self.pid(name), signal.SIGKILL)

    def die(self) -> None:
        """Everything at once, as when the machine loses its power, but for the disk's own cache."""
        assert self.process is not None
        children = [int(pid) for pid in _children(self.process.pid)]
        for pid in (self.process.pid, *children, *(feed.pid for feed in self.feeds)):
            os.kill(pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def running(folder: Path, *before: str, **settings: str) -> Iterator[System]:
    """A running system in `folder`; `settings` are ROSTRA_* in lower case, `before` precedes its command."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    environment = os.environ | {
        "ROSTRA_DATA": "data",
        "ROSTRA_EDGE_PORT": str(port),
        "ROSTRA_EDGE_METRICS_PORT": "0",
        "ROSTRA_GATES": "0",  # a second of start for each; tests of the stage ask for them
        "ROSTRA_CAPTIONS": "off",  # likewise
        "ROSTRA_RECORDER_PORT": "0",  # tests of the replay ask for one
        "ROSTRA_SITES": "0",  # likewise
        "ROSTRA_WITNESSES": "0",  # likewise
        "NO_COLOR": "1",
    }
    environment |= {f"ROSTRA_{name.upper()}": value for name, value in settings.items()}
    cache = os.environ.get("ROSTRA_TEST_CACHE")
    if cache:  # the hold music need not be composed for every test
        (folder / "data").mkdir(parents=True, exist_ok=True)
        (folder / "data" / "cache").symlink_to(cache)
    system = System(folder, port, environment, list(before))
    try:
        system.start()
        yield system
    finally:
        system.stop()
