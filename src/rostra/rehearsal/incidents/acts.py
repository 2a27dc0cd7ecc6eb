"""How each cause is done to a system. The system is told nothing but what its own operator would tell it."""

import asyncio
import multiprocessing
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from rostra.rehearsal.attackers import Attacker, Garbage, HttpFlood, JoinFlood, Slowloris, Target
from rostra.rehearsal.incidents.floods import Sender
from rostra.rehearsal.incidents.network import PEOPLE, PORT, STRANGERS, Line, address, edge_name
from rostra.rehearsal.incidents.recipe import Cause, Recipe
from rostra.rehearsal.incidents.system import CONVERSATION, Deployment, System, moved
from rostra.rehearsal.incidents.worse import worse

Change = Callable[[Deployment], Deployment]

_OVERFULL: Final = 8.0  # times what a line carries
_HALF_OPEN_HZ: Final = 400.0
BACKLOG: Final = 64  # of half-open connections, at an edge of a lab
_ON_OFF_S: Final = 4.0
_BACK_S: Final = 5.0
_STALLED_KBPS: Final = 8
_LOSSY_KBPS: Final = 24


@dataclass(frozen=True, slots=True)
class Scene:
    """Where it happens. `outside` is the namespace that must not be touched, `began_s` on the loop's clock."""

    recipe: Recipe
    system: System
    folder: Path
    outside: int

    @property
    def line(self) -> Line:
        return Line(*self.recipe.line_kbps)


async def act(cause: Cause, scene: Scene, *, seconds: float) -> None:
    """Do it now, for `seconds` at most, and undo it if it ends by itself."""
    match cause.name:
        case "A1" | "A2":
            await _flood(cause, scene, seconds)
        case "A3" | "A5":
            await _besiege(cause, scene, seconds)
        case "O1":
            await _break(cause, scene, seconds)
        case "O2":
            code = await asyncio.to_thread(worse, cause.variant, scene.folder / "worse")
            await _restart(scene, cause.edges, lambda before: replace(before, code=code))
        case "O3":
            await _misconfigure(cause, scene, seconds)
        case "O4":
            limit = max(1, round(scene.recipe.seats * (0.5 - 0.45 * cause.strength)))
            await _restart(scene, cause.edges, _set({"ROSTRA_EDGE_LISTENERS_MAX": str(limit)}))
        case "O5":
            await _move(cause, scene)
        case "O6":
            if cause.variant == "gone":
                await scene.system.stop("feed", politely=False)
        case "X1":
            await _cut(cause, scene, seconds)
        case _:  # D1, D2 and A4 are who comes: guests.py
            pass


# --- attacks ---------------------------------------------------------------------------------------------


async def _flood(cause: Cause, scene: Scene, seconds: float) -> None:
    senders = [(number, Sender(address(number), outside=scene.outside)) for number in cause.edges]
    chance, line = scene.recipe.chance(cause.name), scene.line
    try:
        async with asyncio.TaskGroup() as tasks:
            for number, sender in senders:
                if cause.name == "A1":
                    rate_kbps = cause.strength * _OVERFULL * line.down
                    work = asyncio.to_thread(sender.junk, 53, kbps=rate_kbps, seconds=seconds, chance=chance)
                else:
                    rate_hz = cause.strength * _HALF_OPEN_HZ
                    work = asyncio.to_thread(
                        sender.half_open, PORT, rate_hz=rate_hz, seconds=seconds, chance=chance
                    )
                tasks.create_task(work, name=f"{cause.name} {edge_name(number)}")
    finally:
        for _, sender in senders:
            sender.stopped = True


async def _besiege(cause: Cause, scene: Scene, seconds: float) -> None:
    """Attackers in a process of their own, as rehearsals have them."""
    recipe = scene.recipe
    if cause.name == "A3":
        rate_hz = cause.strength * 8 * recipe.seats
        pages = "pages" in cause.variant
        kind: Attacker = HttpFlood(recipe.seats, rate_hz, requests=20) if pages else JoinFlood(500, rate_hz)
        networks = 1 if cause.variant == "one network" else 2_000
    else:
        held = round(cause.strength * 1.5 * recipe.descriptors)
        kind = Slowloris(held, 200.0) if cause.variant == "slow headers" else Garbage(held, 200.0)
        networks = 200
    sources = _sources(recipe, cause, networks)
    path = f"/c/{CONVERSATION}"
    forks = multiprocessing.get_context("forkserver")
    attackers = []
    for number in cause.edges:
        target = Target(address(number), PORT, CONVERSATION, path)
        attackers.append(forks.Process(target=_attack, args=(kind, target, seconds, sources), daemon=True))
    try:
        for attacker in attackers:
            attacker.start()
        await asyncio.sleep(seconds)
    finally:
        for attacker in attackers:
            if attacker.pid is not None:
                attacker.kill()
                attacker.join()


def _attack(kind: Attacker, target: Target, seconds: float, sources: Sequence[str]) -> None:
    kind.run(target, seconds, sources)


def _sources(recipe: Recipe, cause: Cause, networks: int) -> list[str]:
    chance = recipe.chance(f"{cause.name} sources")
    places = [chance.randrange(512) for _ in range(networks)]
    return [
        f"198.{18 + place // 256}.{place % 256}.{chance.randrange(1, 255)}" for place in places for _ in range(3)
    ]


# --- own faults --------------------------------------------------------------------------------------------


async def _break(cause: Cause, scene: Scene, seconds: float) -> None:
    for number in cause.edges:
        name = edge_name(number)
        if cause.variant == "hangs":
            os.kill(scene.system.pid(name), signal.SIGSTOP)
        else:
            await scene.system.stop(name, politely=False)
    if cause.variant == "killed":
        return
    await asyncio.sleep(min(seconds, _BACK_S if "back" in cause.variant else seconds))
    for number in cause.edges:
        if cause.variant == "hangs":
            with suppress(ProcessLookupError):
                os.kill(scene.system.pid(edge_name(number)), signal.SIGCONT)
        else:
            await start(scene, [number], scene.system.edges[number])


async def start(scene: Scene, numbers: Sequence[int], deployment: Deployment) -> None:
    """Start edges that are not running; each has no more than its machine once it is up."""
    for number in numbers:
        scene.system.start_edge(number, deployment)
    await scene.system.until_up({edge_name(number) for number in numbers})
    for number in numbers:
        scene.system.starve(number)


async def _restart(scene: Scene, numbers: Sequence[int], change: Change) -> None:
    """One after the other, as an operator does it who has two minutes."""
    for number in numbers:
        changed = change(scene.system.edges[number])
        await scene.system.stop(edge_name(number))
        await start(scene, [number], changed)


def _set(settings: Mapping[str, str]) -> Change:
    return lambda before: replace(before, settings=settings)


async def innocent(what: str, scene: Scene) -> None:
    """A change that has no effect, of one edge.

    Its certificate says nothing of it any more: what it was certified for is its limit then.
    """
    code = await asyncio.to_thread(worse, "", scene.folder / "as-good") if what == "deploy" else None
    limit = {"ROSTRA_EDGE_LISTENERS_MAX": str(scene.recipe.seats)}
    await _restart(scene, [1], lambda before: replace(before, settings=limit, code=code or before.code))


async def _misconfigure(cause: Cause, scene: Scene, seconds: float) -> None:
    """Edges believe that everybody is a proxy of ours, and wait for what proxies say first."""
    bad = {"ROSTRA_TRUSTED_PROXIES": f"{PEOPLE},{STRANGERS}", "ROSTRA_PROXY_PROTOCOL": "true"}
    if "off" not in cause.variant:
        await _restart(scene, cause.edges, _set(bad))
        return
    async with asyncio.timeout(seconds):
        while True:
            await _restart(scene, cause.edges, _set(bad))
            await asyncio.sleep(_ON_OFF_S)
            await _restart(scene, cause.edges, _set({}))
            await asyncio.sleep(_ON_OFF_S)


async def _move(cause: Cause, scene: Scene) -> None:
    """To machines that cost less."""
    left = 0.25 - 0.2 * cause.strength

    def cheaper(before: Deployment) -> Deployment:
        share, line = before.machine.share, before.machine.line
        if cause.variant == "core" and share is not None:
            share *= left
        else:
            line = Line(round(line.down * left), round(line.up * left))
        return replace(before, machine=moved(before.machine, share=share, line=line))

    await _restart(scene, cause.edges, cheaper)


# --- what others keep ------------------------------------------------------------------------------------------


@asynccontextmanager
async def _narrow(cause: Cause, scene: Scene) -> AsyncIterator[None]:
    network, line = scene.system.network, scene.line
    kbps = max(_STALLED_KBPS, round((1 - cause.strength) * _LOSSY_KBPS))
    try:
        for number in cause.edges:
            if cause.variant == "transit":
                network.set_line(number, Line(kbps, kbps))
            else:
                network.set_backbone(number, _STALLED_KBPS)
        yield
    finally:
        for number in cause.edges:
            network.set_line(number, line)
            network.set_backbone(number, None)


async def _cut(cause: Cause, scene: Scene, seconds: float) -> None:
    if "off" not in cause.variant:
        async with _narrow(cause, scene):
            await asyncio.sleep(seconds)
        return
    async with asyncio.timeout(seconds):
        while True:
            async with _narrow(cause, scene):
                await asyncio.sleep(_ON_OFF_S)
            await asyncio.sleep(1.0)
