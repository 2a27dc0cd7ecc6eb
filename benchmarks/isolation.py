"""P5: what posts and home timelines take while 5,000 listeners a second join at an edge of the same machine.

Quiet and in the storm in turn, ROUNDS times in one run, because the machine's own speed changes within seconds; what
counts is the median of the ratios of the two p99. Joins come with a ticket: with two requests each, an edge and all its
listeners on one core serve 3,000 a second. `separate`: the site with its
clients on one core, the edge with its listeners on the other. `shared`: all of them on both. `isolation:sqlite`
measures one database. `isolation:sqlite,KIND` has attackers of a KIND at the edge in place of listeners (as `attacks`, which
names the kinds; P3), who take the edge's core, as much of it as they want.
"""

import asyncio
import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

import aiohttp

from benchmarks.record import keep
from benchmarks.site import LASTS_S, PEOPLE, Ask, crowd, database, people
from benchmarks.subjects import CLIENT_CORE, SERVER_CORE, Subject, edge, readers, told
from rostra.rehearsal.attackers import KINDS, Target, addresses_of
from system import free_port, running

JOINS_HZ: Final = 5_000
ROUNDS: Final = 3
ATTACKERS: Final = 50_000  # connections at once, ten for each of 5,000 listeners
PROCESSES: Final = 3  # 20,000 descriptors each
P99: Final = "p50, p99 (ms)"
BOTH: Final = f"{SERVER_CORE},{CLIENT_CORE}"
# Cores of the site and its clients, and of the edge and its listeners; how far p99 may rise (issue 4).
PLACES: Final = {"separate": (SERVER_CORE, CLIENT_CORE, 1.25), "shared": (BOTH, BOTH, 2.0)}


def main(asked: str = "sqlite+postgresql") -> None:
    databases, _, kind = asked.partition(",")
    places = {"separate": (SERVER_CORE, CLIENT_CORE, 2.0)} if kind else PLACES
    table: dict[str, Any] = {}
    for name in databases.split("+"):
        for place, (sites, edges, ratio_max) in places.items():
            os.sched_setaffinity(0, {int(core) for core in sites.split(",")})
            with tempfile.TemporaryDirectory(prefix="rostra-") as folder, database(name, Path(folder)) as url:
                found = asyncio.run(measured(url, Path(folder), sites, edges, kind))
            for what, rounds in found.items():
                ratios = [round(storm[P99][1] / quiet[P99][1], 2) for quiet, storm in rounds]
                table |= {
                    f"{name}, {place}, {what}: quiet": [quiet for quiet, _ in rounds],
                    f"{name}, {place}, {what}: in the storm": [storm for _, storm in rounds],
                    f"{name}, {place}, {what}: p99 times, each": ratios,
                    f"{name}, {place}, {what}: p99 times, median (at most {ratio_max})": median(ratios),
                }
                print(name, place, what, median(ratios), *rounds, sep="\n    ", flush=True)
    keep("isolation", table)


@contextmanager
def joining(edge: Subject, folder: Path, core: str) -> Iterator[Callable[[], dict[str, Any]]]:
    count = round(JOINS_HZ * LASTS_S)
    with readers(edge, folder, count=count, rate_hz=JOINS_HZ, seconds=2, mode="visit", core=core) as coming:

        def became() -> dict[str, Any]:
            came = told(coming)
            return {"joins asked, heard (per s)": (came["asked_hz"], came["heard_hz"])}

        yield became


@contextmanager
def attacking(kind: str, edge: Subject, core: str) -> Iterator[Callable[[], dict[str, Any]]]:
    target = Target("127.0.0.1", edge.port, "bench", "/", "")
    attacker = KINDS[kind](ATTACKERS // PROCESSES, 2_000)
    spawn = multiprocessing.get_context("spawn")
    cores = {int(each) for each in core.split(",")}
    with ProcessPoolExecutor(PROCESSES, spawn, os.sched_setaffinity, (0, cores)) as pool:
        sources = (addresses_of(f"127.{200 + n}", 500) for n in range(PROCESSES))
        shares = [pool.submit(attacker.run, target, LASTS_S, each) for each in sources]

        def became() -> dict[str, Any]:
            tallies = [share.result() for share in shares]
            return {"attackers' connections": sum(tally.connections for tally in tallies)}

        yield became


Round = tuple[dict[str, Any], dict[str, Any]]  # quiet, and in the storm


async def measured(url: str, folder: Path, sites: str, edges: str, kind: str) -> dict[str, list[Round]]:
    port = free_port()
    alone = {"stages": "0", "edge_workers": "0", "recorders": "0", "sites": "1", "rate_limits": "false"}
    settings = {"site_port": str(port), "database": url, **alone}
    limit = aiohttp.TCPConnector(limit=0)
    with (
        running(folder / "site", "taskset", "-c", sites, **settings) as system,
        edge(core=edges, spared="" if kind else "127.0.0.0/8") as asked,
    ):
        heads = [{"Authorization": f"Bearer {token}"} for token in await people(url)]
        base, pid = f"http://127.0.0.1:{port}/api/v1", system.pid("site-1")

        async def post(session: aiohttp.ClientSession, number: int) -> aiohttp.ClientResponse:
            head, text = heads[number % PEOPLE], f"Post {number} about #talk{number % 20}, @person{number % 7}"
            return await session.post(f"{base}/statuses", json={"status": text}, headers=head)

        async def read(session: aiohttp.ClientSession, number: int) -> aiohttp.ClientResponse:
            return await session.get(f"{base}/timelines/home", headers=heads[number % PEOPLE])

        async def in_storm(session: aiohttp.ClientSession, ask: Ask) -> dict[str, Any]:
            storm = attacking(kind, asked, edges) if kind else joining(asked, folder, edges)
            with storm as became:
                figures = await crowd(session, pid, ask)
                return figures | await asyncio.to_thread(became)

        found: dict[str, list[Round]] = {"posts": [], "home timelines": []}
        async with aiohttp.ClientSession(connector=limit) as session:
            await crowd(session, pid, post)  # so that timelines are full, and statements compiled
            for _ in range(ROUNDS):
                for what, ask in (("posts", post), ("home timelines", read)):
                    found[what].append((await crowd(session, pid, ask), await in_storm(session, ask)))
        return found
