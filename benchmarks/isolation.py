"""P5: what posts and home timelines take while 5,000 listeners a second join at an edge of the same machine.

Twice each: quiet, then in the storm, in one run; what counts is the ratio of the two p99. `separate`: the site with its
clients on one core, the edge with its listeners on the other. `shared`: all of them on both. `isolation:sqlite` and
`isolation:postgresql` measure one database.
"""

import asyncio
import os
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

import aiohttp

from benchmarks.record import keep
from benchmarks.site import LASTS_S, PEOPLE, crowd, database, people
from benchmarks.subjects import CLIENT_CORE, SERVER_CORE, edge, readers, told
from system import free_port, running

JOINS_HZ: Final = 5_000
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
            for what, (quiet, storm) in found.items():
                ratio = round(storm["p50, p99 (ms)"][1] / quiet["p50, p99 (ms)"][1], 2)
                table |= {
                    f"{name}, {place}, {what}: quiet": quiet,
                    f"{name}, {place}, {what}: in the storm": storm,
                    f"{name}, {place}, {what}: p99 times (at most {ratio_max})": ratio,
                }
                print(name, place, what, ratio, quiet, storm, flush=True)
    keep("isolation", table)


async def measured(
    url: str, folder: Path, sites: str, edges: str
) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
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

        found: dict[str, list[dict[str, Any]]] = {}
        async with aiohttp.ClientSession(connector=limit) as session:
            await crowd(session, pid, post)  # so that timelines are full, and statements compiled
            for is_storm in (False, True):
                for what, ask in (("posts", post), ("home timelines", read)):
                    count = round(JOINS_HZ * LASTS_S)
                    storm = readers(joined, folder, count=count, rate_hz=JOINS_HZ, seconds=2, mode="visit", joining=True, core=edges)  # fmt: skip
                    with storm if is_storm else nullcontext() as coming:
                        figures = await crowd(session, pid, ask)
                        if coming is not None:
                            came = await asyncio.to_thread(told, coming)
                            figures |= {"joins asked, heard (per s)": (came["asked_hz"], came["heard_hz"])}
                    found.setdefault(what, []).append(figures)
        return {what: (quiet, storm) for what, (quiet, storm) in found.items()}
