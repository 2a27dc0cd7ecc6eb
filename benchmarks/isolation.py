"""P5: what posts and home timelines take while 5,000 listeners a second join at an edge of the same machine.

Quiet and in the storm in turn, ROUNDS times in one run, because the machine's own speed changes within seconds; what
counts is the median of the ratios of the two p99. Joins come with a ticket: with two requests each, an edge and all its
listeners on one core serve 3,000 a second. `separate`: the site with its
clients on one core, the edge with its listeners on the other. `shared`: all of them on both. `isolation:sqlite` and
`isolation:postgresql` measure one database.
"""

import asyncio
import os
import tempfile
from pathlib import Path
from statistics import median
from typing import Any, Final

import aiohttp

from benchmarks.record import keep
from benchmarks.site import LASTS_S, PEOPLE, Ask, crowd, database, people
from benchmarks.subjects import CLIENT_CORE, SERVER_CORE, edge, readers, told
from system import free_port, running

JOINS_HZ: Final = 5_000
ROUNDS: Final = 3
P99: Final = "p50, p99 (ms)"
BOTH: Final = f"{SERVER_CORE},{CLIENT_CORE}"
# Cores of the site and its clients, and of the edge and its listeners; how far p99 may rise (issue 4).
PLACES: Final = {"separate": (SERVER_CORE, CLIENT_CORE, 1.25), "shared": (BOTH, BOTH, 2.0)}


def main(databases: str = "sqlite,postgresql") -> None:
    table: dict[str, Any] = {}
    for name in databases.split(","):
        for place, (sites, edges, ratio_max) in PLACES.items():
            os.sched_setaffinity(0, {int(core) for core in sites.split(",")})
            with tempfile.TemporaryDirectory(prefix="rostra-") as folder, database(name, Path(folder)) as url:
                found = asyncio.run(measured(url, Path(folder), sites, edges))
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


Round = tuple[dict[str, Any], dict[str, Any]]  # quiet, and in the storm


async def measured(url: str, folder: Path, sites: str, edges: str) -> dict[str, list[Round]]:
    port = free_port()
    alone = {"stages": "0", "edge_workers": "0", "recorders": "0", "sites": "1", "rate_limits": "false"}
    settings = {"site_port": str(port), "database": url, **alone}
    limit = aiohttp.TCPConnector(limit=0)
    with running(folder / "site", "taskset", "-c", sites, **settings) as system, edge(core=edges) as joined:
        heads = [{"Authorization": f"Bearer {token}"} for token in await people(url)]
        base, pid = f"http://127.0.0.1:{port}/api/v1", system.pid("site-1")

        async def post(session: aiohttp.ClientSession, number: int) -> aiohttp.ClientResponse:
            head, text = heads[number % PEOPLE], f"Post {number} about #talk{number % 20}, @person{number % 7}"
            return await session.post(f"{base}/statuses", json={"status": text}, headers=head)

        async def read(session: aiohttp.ClientSession, number: int) -> aiohttp.ClientResponse:
            return await session.get(f"{base}/timelines/home", headers=heads[number % PEOPLE])

        async def in_storm(session: aiohttp.ClientSession, ask: Ask) -> dict[str, Any]:
            count = round(JOINS_HZ * LASTS_S)
            with readers(
                joined, folder, count=count, rate_hz=JOINS_HZ, seconds=2, mode="visit", core=edges
            ) as coming:
                figures = await crowd(session, pid, ask)
                came = await asyncio.to_thread(told, coming)
            return figures | {"joins asked, heard (per s)": (came["asked_hz"], came["heard_hz"])}

        found: dict[str, list[Round]] = {"posts": [], "home timelines": []}
        async with aiohttp.ClientSession(connector=limit) as session:
            await crowd(session, pid, post)  # so that timelines are full, and statements compiled
            for _ in range(ROUNDS):
                for what, ask in (("posts", post), ("home timelines", read)):
                    found[what].append((await crowd(session, pid, ask), await in_storm(session, ask)))
        return found
