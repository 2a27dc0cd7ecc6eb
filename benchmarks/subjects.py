"""Servers to be measured: each is started on one pinned core and answers one kind of request."""

import itertools
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.edge_process import Recording
from machine import require
from system import free_port

HERE = Path(__file__).parent
SERVER_CORE, CLIENT_CORE = "0", "1"
PLAYLIST_BYTES, PART_BYTES = 500, 4_250  # 32 kbit/s in WebM, one second
STREAM = "GET /c/bench/stream?ticket={ticket}&rendition=webm-32 HTTP/1.1\r\nHost: bench\r\n\r\n"
JOIN = "POST /c/bench/join HTTP/1.1\r\nHost: bench\r\nContent-Length: 0\r\n\r\n"
ICECAST = """<icecast>
 <limits>
  <clients>{clients}</clients> <sources>2</sources> <queue-size>2097152</queue-size>
  <burst-on-connect>1</burst-on-connect> <burst-size>8192</burst-size>
 </limits>
 <authentication>
  <source-password>bench</source-password> <admin-user>a</admin-user> <admin-password>bench</admin-password>
 </authentication>
 <hostname>localhost</hostname>
 <listen-socket> <port>{port}</port> <bind-address>127.0.0.1</bind-address> </listen-socket>
 <fileserve>0</fileserve>
 <paths> <logdir>{folder}</logdir> <webroot>{folder}</webroot> <adminroot>{folder}</adminroot> </paths>
 <logging> <accesslog>access.log</accesslog> <errorlog>error.log</errorlog> <loglevel>1</loglevel> </logging>
 <security> <chroot>0</chroot> </security>
</icecast>"""
NGINX = """daemon off; worker_processes 1; worker_rlimit_nofile 20000; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 19900; }}
http {{
  access_log off; sendfile on; tcp_nodelay on; open_file_cache max=10;
  keepalive_requests 1000000; keepalive_timeout 300;
  server {{ listen 127.0.0.1:{port} backlog=65535; root {folder}; }}
}}"""
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Subject:
    """A running server, and how to ask it. `reports` are what it says of itself, the newest last (an edge only)."""

    name: str
    pid: int
    port: int
    ask: str
    mode: str = "bytes"
    second: str = ""
    reports: deque[tuple[int, int, float]] = field(default_factory=lambda: deque(maxlen=60))

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def others_cpu_s(self) -> float:
        """What everybody else has had of the server's core: near nothing in a run that counts."""
        lines = Path("/proc/stat").read_text().splitlines()
        (core,) = [line.split()[1:] for line in lines if line.startswith(f"cpu{SERVER_CORE} ")]
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, core[:8])
        return (user + nice + system + irq + softirq + steal) / TICKS - self.cpu_s()

    @property
    def cadence_ms(self) -> int:
        """What all its reports of the last minute agree on, else 0."""
        cadences = {cadence_ms for cadence_ms, _, _ in self.reports}
        return cadences.pop() if len(cadences) == 1 else 0


@contextmanager
def readers(
    subject: Subject,
    folder: Path,
    *,
    count: int,
    rate_hz: float,
    seconds: float,
    mode: str = "",
    joining: bool = False,
    core: str = CLIENT_CORE,
) -> Iterator["subprocess.Popen[bytes]"]:
    """`readers.c` on the other core; ends with it, whatever happens here. `joining`: the player's way in, POST first."""
    ask = subject.ask if not joining else STREAM.format(ticket="TICKET")
    second = JOIN if joining else subject.second
    command = [str(compiled("readers", folder)), str(subject.port), str(count), str(rate_hz), str(seconds)]
    command += [mode or subject.mode, ask, *([second] if second else [])]
    with subprocess.Popen(pinned(core, *command), stdout=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def told(process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    """What the readers say at their end."""
    return dict(json.loads(process.communicate()[0]))


def pinned(core: str, *command: str) -> list[str]:
    return ["taskset", "-c", core, *command]


def compiled(name: str, folder: Path) -> Path:
    binary = folder / name
    if not binary.exists():
        subprocess.run([require("cc"), "-O2", "-Wall", "-o", str(binary), str(HERE / f"{name}.c")], check=True)
    return binary


@contextmanager
def edge(*, cadence_ms: int = 1_000, core: str = SERVER_CORE, spared: str = "127.0.0.0/8") -> Iterator[Subject]:
    """One worker of the edge, kept at `cadence_ms`; with 0 its ladder is free. Its shield spares the prefixes."""
    command = pinned(core, sys.executable, "-m", "benchmarks.edge_process", "0", str(cadence_ms // 100), spared)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parent) as process:
        try:
            assert process.stdout is not None
            _, port, ticket = process.stdout.readline().split()
            subject = Subject("Rostra edge", process.pid, int(port), STREAM.format(ticket=ticket), "frames")
            hearing = threading.Thread(target=_listen_to_reports, args=(process.stdout, subject), daemon=True)
            hearing.start()
            while cadence_ms and not (subject.reports and subject.reports[-1][0] == cadence_ms):
                time.sleep(0.1)
            subject.reports.clear()
            yield subject
        finally:
            process.kill()


def _listen_to_reports(lines: Iterable[str], subject: Subject) -> None:
    for line in lines:
        if line.startswith("report "):
            cadence_ms, listeners, share = line.split()[1:]
            subject.reports.append((int(cadence_ms), int(listeners), float(share)))


@contextmanager
def floor(folder: Path) -> Iterator[Subject]:
    port = free_port()
    command = pinned(SERVER_CORE, str(compiled("floor", folder)), str(port), str(PART_BYTES), "10")
    with subprocess.Popen(command) as process:
        time.sleep(0.3)
        try:
            yield Subject("kernel's floor (C)", process.pid, port, "GET / HTTP/1.1\r\n\r\n")
        finally:
            process.kill()


@contextmanager
def doorman(folder: Path, answer: bytes, sound: bytes) -> Iterator[Subject]:
    """It answers a join with `answer` and who would listen with `sound`."""
    port = free_port()
    (folder / "answer").write_bytes(answer)
    (folder / "sound").write_bytes(sound)
    binary = compiled("doorman", folder)
    command = pinned(SERVER_CORE, str(binary), str(port), str(folder / "answer"), str(folder / "sound"))
    with subprocess.Popen(command) as process:
        time.sleep(0.3)
        try:
            yield Subject("a visit's floor (C)", process.pid, port, STREAM.format(ticket="TICKET"), "frames")
        finally:
            process.kill()


@contextmanager
def icecast(listeners: int, *, chunks: int) -> Iterator[Subject]:
    """Fed `chunks` of 100 ms at a time: 1 as an encoder makes them, 10 in as many writes as the edge at 1 s."""
    binary = require("icecast2")
    folder = Path(tempfile.mkdtemp(prefix="icecast"))
    port = free_port()
    configuration = folder / "icecast.xml"
    configuration.write_text(ICECAST.format(clients=listeners + 100, port=port, folder=folder))
    shutil.chown(folder, "nobody", "nogroup")
    command = pinned(SERVER_CORE, "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", binary)
    quiet = subprocess.DEVNULL
    recording = Recording()
    with subprocess.Popen([*command, "-c", str(configuration)], stdout=quiet, stderr=quiet) as process:
        time.sleep(1)
        stop = threading.Event()
        source = threading.Thread(target=_feed_icecast, args=(recording, port, chunks, stop))
        source.start()
        time.sleep(3)  # a newcomer's burst is there
        try:
            yield Subject(
                f"Icecast 2.4, fed each {chunks * 100} ms",
                process.pid,
                port,
                "GET /live HTTP/1.0\r\nHost: bench\r\n\r\n",
            )
        finally:
            stop.set()
            source.join()
            process.kill()
            process.wait()
            shutil.rmtree(folder)


def _feed_icecast(recording: Recording, port: int, chunks: int, stop: threading.Event) -> None:
    media = [chunk["webm-32"] for chunk in recording.media]
    pieces = [b"".join(media[first : first + chunks]) for first in range(0, len(media), chunks)]
    with socket.create_connection(("127.0.0.1", port)) as connection:
        head = "SOURCE /live HTTP/1.0\r\nAuthorization: Basic c291cmNlOmJlbmNo\r\nContent-Type: audio/webm\r\n\r\n"
        connection.sendall(head.encode() + recording.headers["webm-32"])
        began_s = time.monotonic()
        for turn, sound in enumerate(itertools.cycle(pieces)):
            if stop.wait(max(0.0, began_s + turn * chunks / 10 - time.monotonic())):
                return
            connection.sendall(sound)


@contextmanager
def nginx() -> Iterator[Subject]:
    binary = require("nginx")
    folder = Path(tempfile.mkdtemp(prefix="nginx", dir="/dev/shm"))
    port = free_port()
    folder.chmod(0o755)
    (folder / "list.m3u8").write_bytes(b"#" * PLAYLIST_BYTES)
    (folder / "part.mp4").write_bytes(b"x" * PART_BYTES)
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
    command = pinned(SERVER_CORE, binary, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log"))
    with subprocess.Popen(command) as process:
        time.sleep(0.5)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        ask = "GET /list.m3u8?_HLS_msn=1 HTTP/1.1\r\nHost: bench\r\n\r\n"
        part = "GET /part.mp4 HTTP/1.1\r\nHost: bench\r\n\r\n"
        try:
            yield Subject("nginx, polled each second", int(children[0]), port, ask, "poll", part)
        finally:
            process.terminate()
            process.wait()
            shutil.rmtree(folder)
