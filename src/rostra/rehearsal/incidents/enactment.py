"""One world of an incident, from the first wire to what became of everybody. It runs in namespaces of its own."""

import asyncio
import random
import statistics
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from rostra.bus.connection import connect
from rostra.bus.state import ticket_keys
from rostra.bus.subjects import Role
from rostra.core.errors import RostraError
from rostra.core.ticket import LIFETIME_S, Ticket, TicketClass, sign_pass
from rostra.core.units import SECOND_NS
from rostra.rehearsal.incidents.acts import BACKLOG, Scene, act, innocent
from rostra.rehearsal.incidents.guests import Introduce, guests
from rostra.rehearsal.incidents.network import Line, Network, address, edge_name
from rostra.rehearsal.incidents.people import Fate, Hall, visitors
from rostra.rehearsal.incidents.recipe import EARLY_S, Cause, Recipe
from rostra.rehearsal.incidents.sound import write
from rostra.rehearsal.incidents.system import (
    CONVERSATION,
    STAGE,
    WITNESS,
    Certify,
    Deployment,
    Machine,
    System,
    system,
)

_PLANNED_S: Final = 3  # after it is announced the doors open: the witness has registered what was planned
_RESTART_S: Final = 3  # of one edge, politely
_HELD_S: Final = 1  # at least, between the doors and the announced instant
_ON_AIR_S: Final = 1.0  # after the announced instant people come
_LAG_LOOK_S: Final = 0.1
_KEPT_S: Final = 1.5  # the last second's records are with the witness by then
_KNOWN_FOR_S: Final = 24 * 3600
_WITNESS_AWAY_S: Final = 4.0


class Strain(msgspec.Struct, frozen=True):
    """How starved the machine was while it ran: waiting for a core in microseconds (PSI), our own lateness."""

    cpu_some_us: int
    cpu_full_us: int
    seconds: float
    lag_median_s: float
    lag_p99_s: float


class Course(msgspec.Struct, frozen=True):
    """What became of everybody. `began_ms` is when people began to come, in Unix time."""

    fates: tuple[Fate, ...]
    began_ms: int
    strain: Strain
    refused: dict[str, int]
    took_s: float
    quotas: bool

    @property
    def harm(self) -> float:
        return sum(bool(fate.harm) for fate in self.fates) / max(1, len(self.fates))


async def enact(
    recipe: Recipe,
    folder: Path,
    *,
    outside: int,
    certify: Certify,
    cache: Path,
    quotas: bool,
    keep: Callable[[Path], object],
) -> Course:
    """Run it once in `folder`; `keep` is given the ledger's folder when nobody writes it any more."""
    entered_s = time.monotonic()
    network = Network(recipe.edges, Line(*recipe.line_kbps), outside=outside)
    cookies = not any("without cookies" in cause.variant for cause in recipe.causes)
    for number in range(1, recipe.edges + 1):
        network.set_kernel(number, cookies=cookies, backlog=BACKLOG)
    name = f"rostra-{folder.parent.name}-{folder.name}"
    with system(folder, network, certify, cache=cache, name=name, quotas=quotas) as running:
        scene = Scene(recipe, running, folder, outside)
        begins_s, introduce = await _open(scene)
        visits = guests(recipe, introduce)
        began_s = time.monotonic() + begins_s - time.time()
        edges = [address(number) for number in range(1, recipe.edges + 1)]
        path = f"/c/{CONVERSATION}"
        hall = Hall(path, edges, began_s, began_s + recipe.seconds, recipe.chance("pauses"))
        crowd = visitors(visits, hall)
        async with _watched(recipe.seconds) as strain, asyncio.TaskGroup() as tasks:
            for number, visitor in enumerate(crowd):
                tasks.create_task(visitor.come(), name=f"visitor {number}")
            for cause in recipe.causes:
                if cause.at_s != EARLY_S:
                    tasks.create_task(_at(cause, scene, hall), name=cause.name)
            if "witness" in recipe.missing:
                tasks.create_task(_without_witness(running, recipe, hall), name="witness away")
        fates = tuple(fate for visitor in crowd if (fate := visitor.fate()) is not None)
        await asyncio.sleep(_KEPT_S)
        await running.stop(WITNESS)
        keep(running.ledger)
    took_s = time.monotonic() - entered_s
    return Course(fates, round(1_000 * begins_s), strain[0], dict(hall.refused), took_s, quotas)


async def _open(scene: Scene) -> tuple[float, Introduce]:
    """Everything is up, the evening is announced; returns when people come, and what introduces them."""
    recipe, running = scene.recipe, scene.system
    await running.start_bus()
    running.start_core()
    await _start_edges(scene)
    early = [cause for cause in recipe.causes if cause.at_s == EARLY_S]
    restarts = len(recipe.innocent) + sum(len(cause.edges) for cause in early)
    lead_s = _HELD_S + _RESTART_S * restarts
    doors_s = time.time() + _PLANNED_S
    async with connect(running.operator, role=Role.OPERATOR, name="lab") as connection:
        keys = await ticket_keys(connection)
        await running.announce(connection, starts_ns=round((doors_s + lead_s) * SECOND_NS), doors_lead_s=lead_s)
    silence = recipe.cause("O6")
    silent_from_s = _ON_AIR_S + silence.at_s if silence is not None and silence.variant == "silent" else None
    running.start_feed(write(scene.folder / "source.wav", seconds=2 * recipe.seconds, silent_from_s=silent_from_s))
    await asyncio.sleep(doors_s - time.time())  # what was planned is known; from now on it may be changed
    for what in recipe.innocent:
        await innocent(what, scene)
    for cause in early:
        await act(cause, scene, seconds=cause.for_s)

    def introduce(chance: random.Random) -> str:
        now_s = int(time.time())
        ticket_class = chance.choice((TicketClass.REGISTERED, TicketClass.SIGNED_IN))
        known = Ticket(CONVERSATION, chance.randbytes(8), ticket_class, now_s - _KNOWN_FOR_S, now_s + LIFETIME_S)
        return sign_pass(known, keys=keys)

    return max(doors_s + lead_s, time.time()) + _ON_AIR_S, introduce


async def _start_edges(scene: Scene) -> None:
    recipe, running = scene.recipe, scene.system
    numbers = range(1, recipe.edges + 1)
    silent = recipe.edges if "edge" in recipe.missing else 0
    for number in numbers:
        share = recipe.core_share if running.has_quotas else None
        machine = Machine(f"lab-{number}", share, recipe.descriptors, scene.line)
        settings = {"ROSTRA_WITNESSES": "0"} if number == silent else {}
        running.start_edge(number, Deployment(machine, settings))
    await running.until_up({STAGE, WITNESS, *map(edge_name, numbers)})
    for number in numbers:
        running.starve(number)


async def _at(cause: Cause, scene: Scene, hall: Hall) -> None:
    """Do it when it is its time, until it or the evening is over."""
    await asyncio.sleep(hall.began_s + cause.at_s - time.monotonic())
    left_s = min(cause.for_s, hall.ends_s - time.monotonic())
    with suppress(TimeoutError):
        async with asyncio.timeout(hall.ends_s - time.monotonic()):
            await act(cause, scene, seconds=left_s)


async def _without_witness(running: System, recipe: Recipe, hall: Hall) -> None:
    """It dies in the middle, and somebody starts it again."""
    await asyncio.sleep(hall.began_s + recipe.onset_s - time.monotonic())
    await running.stop(WITNESS, politely=False)
    await asyncio.sleep(_WITNESS_AWAY_S)
    running.start_witness()


@asynccontextmanager
async def _watched(seconds: float) -> AsyncIterator[list[Strain]]:
    """How starved this machine is inside the block; the list has it afterwards."""
    found: list[Strain] = []
    lags: list[float] = []
    began_s, before = time.monotonic(), _pressure()

    async def feel() -> None:
        while True:
            due_s = time.monotonic() + _LAG_LOOK_S
            await asyncio.sleep(_LAG_LOOK_S)
            lags.append(time.monotonic() - due_s)

    async with asyncio.TaskGroup() as tasks:
        feeling = tasks.create_task(feel(), name="lag")
        yield found
        feeling.cancel()
    after = _pressure()
    if len(lags) < 2:
        raise RostraError(f"The machine did not run for {seconds:g} s.")
    found.append(
        Strain(
            after[0] - before[0],
            after[1] - before[1],
            round(time.monotonic() - began_s, 1),
            round(statistics.median(lags), 4),
            round(statistics.quantiles(lags, n=100)[98], 4),
        )
    )


def _pressure() -> tuple[int, int]:
    """Microseconds in which somebody, and everybody, waited for a core (PSI); else zeros."""
    totals = {"some": 0, "full": 0}
    with suppress(OSError):
        for line in Path("/proc/pressure/cpu").read_text(encoding="ascii").splitlines():
            totals[line.split()[0]] = int(line.rpartition("total=")[2])
    return totals["some"], totals["full"]
