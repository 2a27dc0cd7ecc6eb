"""The small Rostra of a lab: a core with bus, stage and witness, and edges on machines of their own."""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from rostra.bus.connection import Address, Connection, connect
from rostra.bus.server import EmbeddedServer, prepare
from rostra.bus.state import create_conversation, provision
from rostra.bus.subjects import Role
from rostra.bus.telemetry import follow_reports, sender
from rostra.core.conversation import Conversation, plan
from rostra.core.errors import BusError, RostraError
from rostra.core.limits import DESCRIPTORS_RESERVED
from rostra.rehearsal.incidents.network import CORE, PORT, Line, Network, address, bus_address, edge_name
from rostra.rehearsal.incidents.program import Place, Program
from rostra.rehearsal.quota import Quota, quota

CONVERSATION: Final = "evening"
STAGE: Final = "stage-1"
WITNESS: Final = "witness-1"
_BUS_PORT: Final = 4222
_UP_S: Final = 60.0
_LOOK_S: Final = 0.05
_STOP_S: Final = 5.0
_LASTS_S: Final = 3_600


@dataclass(frozen=True, slots=True)
class Machine:
    """Where an edge runs: whoever moves it gives it another `identity`. `share` of a core, None: no quota."""

    identity: str
    share: float | None
    descriptors: int
    line: Line


@dataclass(frozen=True, slots=True)
class Deployment:
    """What runs on it: settings beside the usual ones, and where its code is, if it is not ours."""

    machine: Machine
    settings: Mapping[str, str] = field(default_factory=dict)
    code: Path | None = None


Certify = Callable[[Mapping[str, str], Machine], Path]  # settings, and where they hold: their certificate


class System:
    """Everything that runs. `connection` is the operator's. `certify` is called before an edge's first start."""

    def __init__(self, folder: Path, network: Network, certify: Certify, quotas: Mapping[str, Quota]) -> None:
        self.network = network
        self.edges: dict[int, Deployment] = {}
        self.url = f"http://{address(1)}:{PORT}"
        self._folder = folder
        self._certify = certify
        self._running: dict[str, Program] = {}
        self._quotas = quotas
        self._log = folder / "log"
        self._server: EmbeddedServer = prepare(
            folder / "bus",
            _BUS_PORT,
            host="0.0.0.0",  # noqa: S104 # of its own namespace
        )

    # --- the bus -----------------------------------------------------------------------------------------

    @property
    def operator(self) -> Address:
        return Address((f"nats://{bus_address()}:{_BUS_PORT}",), self._server.address(Role.OPERATOR).credentials)

    async def start_bus(self) -> None:
        self._start("bus", Place(CORE), self._server.command(), {}, foreign=True)
        deadline_s = time.monotonic() + _UP_S
        while True:
            try:
                async with connect(self.operator, role=Role.OPERATOR, name="lab") as connection:
                    await provision(connection)
            except BusError:
                if time.monotonic() > deadline_s:
                    raise
                await asyncio.sleep(_LOOK_S)
                continue
            return

    # --- processes ---------------------------------------------------------------------------------------

    def _start(
        self, name: str, place: Place, command: Sequence[str], settings: Mapping[str, str], *, foreign: bool = False
    ) -> None:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("ROSTRA_")}
        environment = inherited | dict(settings)
        self._running[name] = Program(
            command, place, environment=environment, folder=self._folder, log=self._log, foreign=foreign
        )

    def start_core(self) -> None:
        """Stage and witness."""
        settings = self._settings("core", Role.STAGE)
        self._start(STAGE, Place(CORE), ["stage", "--name", STAGE], settings)
        self.start_witness()

    def start_witness(self) -> None:
        settings = self._settings("core", Role.WITNESS)
        self._start(WITNESS, Place(CORE), ["witness", "serve", "--name", WITNESS], settings)

    def start_feed(self, source: Path) -> None:
        command = ["feed", CONVERSATION, str(source), "--loop", "--original"]
        self._start("feed", Place(CORE), command, self._settings("core", Role.FEED))

    def start_edge(self, number: int, deployment: Deployment) -> None:
        """Start it, on its machine as it is now; `until_up` says when it is."""
        name, machine = edge_name(number), deployment.machine
        settings = self._settings(name, Role.EDGE, number) | {
            "ROSTRA_EDGE_HOST": address(number),
            "ROSTRA_EDGE_PORT": str(PORT),
            "ROSTRA_EDGE_WORKERS": "1",
            "ROSTRA_EDGE_METRICS_PORT": "0",
        }
        settings |= deployment.settings
        if number not in self.edges:
            settings["ROSTRA_CERTIFICATE"] = str(self._certify(settings, machine))
        else:
            settings["ROSTRA_CERTIFICATE"] = str(self._folder / name / "certificate.json")
        if deployment.code is not None:
            settings["PYTHONPATH"] = str(deployment.code)
        self.network.set_line(number, machine.line)
        self.edges[number] = deployment
        identity = self._folder / name / "machine-id"
        identity.write_text(f"{machine.identity}\n", encoding="ascii")
        mounts = [(str(identity), "/etc/machine-id")]
        group = self._quotas.get(name)
        if group is not None:
            mounts.append((str(group.folder), "/sys/fs/cgroup"))
        place = Place(name, machine.identity, tuple(mounts), machine.descriptors + DESCRIPTORS_RESERVED)
        command = ["edge", "--name", name, "--worker", "1"]
        if deployment.code is None:
            self._start(name, place, command, settings)
        else:
            self._start(name, place, [sys.executable, "-m", "rostra", *command], settings, foreign=True)

    def starve(self, number: int) -> None:
        """Give an edge no more than its machine has. Not while it starts: that would take a minute."""
        name, share = edge_name(number), self.edges[number].machine.share
        group = self._quotas.get(name)
        if group is not None and share is not None:
            group.limit(share)
            group.take(self.pid(name))

    @property
    def has_quotas(self) -> bool:
        return bool(self._quotas)

    def pid(self, name: str) -> int:
        return self._running[name].pid

    def is_running(self, name: str) -> bool:
        process = self._running.get(name)
        return process is not None and process.is_running

    async def stop(self, name: str, *, politely: bool = True) -> None:
        """Return when it is gone. Whoever takes too long to be polite is killed."""
        process = self._running.pop(name, None)
        if process is None:
            return
        if politely:
            process.terminate()
            if await asyncio.to_thread(process.wait, _STOP_S):
                return
        process.kill()
        await asyncio.to_thread(process.wait)

    def stop_all(self) -> None:
        for process in self._running.values():
            process.kill()
        for process in self._running.values():
            process.wait()

    def _settings(self, where: str, role: Role, number: int | None = None) -> dict[str, str]:
        """What a process on the machine `where` is told."""
        host = "127.0.0.1" if number is None else bus_address(number)
        return {
            "ROSTRA_DATA": str(self._folder / where),
            "ROSTRA_BUS": f"nats://{host}:{_BUS_PORT}",
            "ROSTRA_BUS_CREDENTIALS": str(self._server.address(role).credentials),
            "ROSTRA_EDGE_URL": f"http://{address(number or 1)}:{PORT}",
            "ROSTRA_STAGES": "1",
            "ROSTRA_GATES": "0",
            "ROSTRA_RECORDERS": "0",
            "ROSTRA_SITES": "0",
            "ROSTRA_CAPTIONS": "off",
            "NO_COLOR": "1",
        }

    # --- the evening -------------------------------------------------------------------------------------

    async def until_up(self, names: set[str]) -> None:
        """Return when each of `names` has reported. RostraError if one dies or takes too long."""
        missing = set(names)
        try:
            async with (
                asyncio.timeout(_UP_S),
                connect(self.operator, role=Role.OPERATOR, name="lab") as connection,
                aclosing(follow_reports(connection, "*")) as reports,
                asyncio.TaskGroup() as tasks,
            ):
                watching = tasks.create_task(self._die_with(names), name="deaths")
                async for report in reports:
                    missing.discard(sender(report)[1])
                    if not missing:
                        watching.cancel()
                        return
        except* (TimeoutError, ChildProcessError) as errors:
            said = (self._folder / "log").read_text(encoding="utf-8", errors="replace")[-2_000:]
            raise RostraError(f"Not up: {', '.join(sorted(missing))}. {said}") from errors

    async def _die_with(self, names: set[str]) -> None:
        """ChildProcessError when one of them has ended."""
        while all(self.is_running(name) for name in names):  # noqa: ASYNC110 # they are no children of the loop
            await asyncio.sleep(_LOOK_S)
        raise ChildProcessError

    async def announce(self, connection: Connection, *, starts_ns: int, doors_lead_s: int) -> None:
        """A conversation, which is witnessed from now on."""
        schedule = plan(
            "An evening",
            starts_ns=starts_ns,
            doors_lead_s=doors_lead_s,
            duration_s=_LASTS_S,
            timezone="Europe/Amsterdam",
            language="en",
            now_ns=time.time_ns(),
        )
        await create_conversation(connection, Conversation(CONVERSATION, schedule))

    @property
    def ledger(self) -> Path:
        return self._folder / "core" / "ledgers" / CONVERSATION


@contextmanager
def system(
    folder: Path, network: Network, certify: Certify, *, cache: Path, name: str, quotas: bool
) -> Iterator[System]:
    """Nothing runs yet; whatever does at the end of the block is stopped. `name` is that of its quotas."""
    with ExitStack() as stack:
        for where in (CORE, *map(edge_name, range(1, network.edges + 1))):
            (folder / where).mkdir(parents=True)
        if cache.is_dir():
            (folder / CORE / "cache").symlink_to(cache)
        groups = {
            each: stack.enter_context(quota(f"{name}-{each}"))
            for each in (map(edge_name, range(1, network.edges + 1)) if quotas else ())
        }
        made = System(folder, network, certify, groups)
        stack.callback(made.stop_all)
        yield made


def moved(machine: Machine, *, share: float | None, line: Line) -> Machine:
    """Another machine, which has less."""
    return replace(machine, identity=f"{machine.identity}-cheaper", share=share, line=line)
