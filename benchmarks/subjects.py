"""Servers to be measured: each is started on one pinned core and answers one kind of request."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from machine import require
from rostra.audio.encoder import ProgrammeEncoder
from rostra.audio.recordings import two_cities
from rostra.audio.source import frames_from
from system import free_port

HERE = Path(__file__).parent
SERVER_CORE, CLIENT_CORE = "0", "1"
PLAYLIST_BYTES, PART_BYTES = 500, 4_250  # 32 kbit/s in WebM, one second
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Subject:
    """A running server, and how to ask it."""

    name: str
    pid: int
    port: int
    request: str
    mode: str = "bytes"
    request2: str = ""

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS


def pinned(core: str, *command: str) -> list[str]:
    return ["taskset", "-c", core, *command]


def compiled(name: str, folder: Path) -> Path:
    binary = folder / name
    if not binary.exists():
        subprocess.run([require("cc"), "-O2", "-Wall", "-o", str(binary), str(HERE / f"{name}.c")], check=True)
    return binary


@contextmanager
def edge(*, rendition: str = "webm-32") -> Iterator[Subject]:
    command = pinned(SERVER_CORE, sys.executable, "-m", "benchmarks.edge_process", "0")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HERE.parent) as process:
        assert process.stdout is not None
        _, port, ticket = process.stdout.readline().split()
        threading.Thread(target=process.stdout.read, daemon=True).start()
        request = f"GET /c/bench/stream?ticket={ticket}&rendition={rendition} HTTP/1.1\r\nHost: bench\r\n\r\n"
        try:
            yield Subject("Rostra edge", process.pid, int(port), request, "frames")
        finally:
            process.kill()


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
def icecast(listeners: int) -> Iterator[Subject]:
    binary = require("icecast2")
    folder = Path(tempfile.mkdtemp(prefix="icecast"))
    port = free_port()
    (
        folder / "icecast.xml"
    ).write_text(f"""<icecast><limits><clients>{listeners + 100}</clients><sources>2</sources>
      <queue-size>2097152</queue-size><burst-on-connect>1</burst-on-connect><burst-size>8192</burst-size></limits>
      <authentication><source-password>bench</source-password><admin-user>a</admin-user><admin-password>bench</admin-password>
      </authentication><hostname>localhost</hostname><listen-socket><port>{port}</port><bind-address>127.0.0.1</bind-address>
      </listen-socket><fileserve>0</fileserve><paths><logdir>{folder}</logdir><webroot>{folder}</webroot>
      <adminroot>{folder}</adminroot></paths><logging><accesslog>access.log</accesslog><errorlog>error.log</errorlog>
      <loglevel>1</loglevel></logging><security><chroot>0</chroot></security></icecast>""")
    shutil.chown(folder, "nobody", "nogroup")
    command = pinned(
        SERVER_CORE, "setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", binary, "-c", str(folder / "icecast.xml")
    )  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        time.sleep(1)
        stop = threading.Event()
        source = threading.Thread(target=_feed_icecast, args=(port, stop))
        source.start()
        time.sleep(1)
        try:
            yield Subject("Icecast 2.4", process.pid, port, "GET /live HTTP/1.0\r\nHost: bench\r\n\r\n")
        finally:
            stop.set()
            source.join()
            process.kill()
            shutil.rmtree(folder)


def _feed_icecast(port: int, stop: threading.Event) -> None:
    """The same Ogg/WebM sound at 32 kbit/s, one chunk each 100 ms (as Ogg would need other packets: as WebM)."""
    encoder = ProgrammeEncoder(0)
    frames = frames_from(str(two_cities()))
    media = [chunk["webm-32"] for frame in frames if (chunk := encoder.encode(frame)) is not None]
    with socket.create_connection(("127.0.0.1", port)) as connection:
        head = "SOURCE /live HTTP/1.0\r\nAuthorization: Basic c291cmNlOmJlbmNo\r\nContent-Type: audio/webm\r\n\r\n"
        connection.sendall(head.encode())
        connection.sendall(encoder.init["webm-32"])
        began_s = time.monotonic()
        for turn in range(10**9):
            if stop.wait(max(0.0, began_s + turn * 0.1 - time.monotonic())):
                return
            connection.sendall(media[turn % len(media)])


@contextmanager
def nginx() -> Iterator[Subject]:
    binary = require("nginx")
    folder = Path(tempfile.mkdtemp(prefix="nginx", dir="/dev/shm"))
    port = free_port()
    folder.chmod(0o755)
    (folder / "list.m3u8").write_bytes(b"#" * PLAYLIST_BYTES)
    (folder / "part.mp4").write_bytes(b"x" * PART_BYTES)
    (folder / "nginx.conf").write_text(
        f"daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log; worker_rlimit_nofile 20000;"
        "events { worker_connections 19900; } http { access_log off; sendfile on; tcp_nodelay on; open_file_cache max=10;"
        f"keepalive_requests 1000000; keepalive_timeout 300; server {{ listen 127.0.0.1:{port} backlog=65535; root {folder}; }} }}"
    )
    command = pinned(SERVER_CORE, binary, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log"))
    with subprocess.Popen(command) as process:
        time.sleep(0.5)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        ask = "GET /list.m3u8?_HLS_msn=1 HTTP/1.1\r\nHost: bench\r\n\r\n"
        part = "GET /part.mp4 HTTP/1.1\r\nHost: bench\r\n\r\n"
        try:
            yield Subject("nginx, polled", int(children[0]), port, ask, "poll", part)
        finally:
            process.terminate()
            process.wait()
            shutil.rmtree(folder)
