"""Posts a second and timelines a second, with how long each took, on SQLite and on PostgreSQL.

One site process on one core, its clients on the other. `site:sqlite` or `site:postgresql` measures one of them. What a
request costs is the site process's CPU time; PostgreSQL's own is on top, wherever the kernel puts it.
"""

import asyncio
import os
import secrets
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import psycopg

from benchmarks.record import keep
from benchmarks.subjects import CLIENT_CORE, SERVER_CORE, TICKS
from postgres import postgresql
from rostra.site.database.engine import Database
from rostra.site.database.tables.authorization import App, Token
from rostra.site.database.tables.graph import Follow
from rostra.site.database.tables.people import Account, User
from rostra.site.oauth.bearer import digest
from rostra.site.snowflake import Snowflakes
from system import free_port, running

PEOPLE, FOLLOWED = 200, 50
CLIENTS = 16
LASTS_S = 10
Ask = Callable[[aiohttp.ClientSession, int], Awaitable[aiohttp.ClientResponse]]


def main(databases: str = "sqlite,postgresql") -> None:
    os.sched_setaffinity(0, {int(CLIENT_CORE)})
    table: dict[str, Any] = {}
    for name in databases.split(","):
        with tempfile.TemporaryDirectory(prefix="rostra-") as folder, database(name, Path(folder)) as url:
            for what, figures in asyncio.run(measured(url, Path(folder))).items():
                table |= {f"{name}, {what}: {figure}": value for figure, value in figures.items()}
    keep("site", table)


@contextmanager
def database(name: str, folder: Path) -> Iterator[str]:
    if name == "sqlite":
        yield f"sqlite:///{folder / 'site.db'}"
        return
    with postgresql() as server:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("CREATE DATABASE bench")
        yield f"{server.rpartition('/')[0]}/bench"


async def measured(url: str, folder: Path) -> dict[str, dict[str, Any]]:
    port = free_port()
    alone = {"stages": "0", "edge_workers": "0", "recorders": "0", "sites": "1", "rate_limits": "false"}
    with running(
        folder / "site", "taskset", "-c", SERVER_CORE, site_port=str(port), database=url, **alone
    ) as system:
        tokens = await people(url)
        pid = system.pid("site-1")
        base = f"http://127.0.0.1:{port}/api/v1"
        limit = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=limit) as session:
            heads = [{"Authorization": f"Bearer {token}"} for token in tokens]

            def post(session: aiohttp.ClientSession, number: int, **more: str) -> Awaitable[aiohttp.ClientResponse]:
                text = (
                    f"Post {number} about #talk{number % 20}, see https://example.com/{number} @person{number % 7}"
                )
                head = heads[number % PEOPLE]
                return session.post(f"{base}/statuses", json={"status": text, **more}, headers=head)

            async def read(session: aiohttp.ClientSession, number: int) -> aiohttp.ClientResponse:
                return await session.get(f"{base}/timelines/home", headers=heads[number % PEOPLE])

            async def visit(session: aiohttp.ClientSession, _number: int) -> aiohttp.ClientResponse:
                return await session.get(f"{base}/timelines/public")

            found = {
                "posts": await crowd(session, pid, post),
                "home timelines": await crowd(session, pid, read),
                "public timelines": await crowd(session, pid, visit),
            }
            async with session.post(f"{base}/statuses", json={"status": "The evening"}, headers=heads[0]) as made:
                viral = (await made.json())["id"]

            async def thread(session: aiohttp.ClientSession, _number: int) -> aiohttp.ClientResponse:
                return await session.get(f"{base}/statuses/{viral}/context")

            def reply(session: aiohttp.ClientSession, number: int) -> Awaitable[aiohttp.ClientResponse]:
                return post(session, number, in_reply_to_id=viral)

            async with asyncio.TaskGroup() as tasks:
                replies = tasks.create_task(crowd(session, pid, reply), name="replies")
                visits = tasks.create_task(crowd(session, pid, thread), name="visits")
            for name, storm in (("replies in a storm", replies), ("its thread by visitors", visits)):
                found[name] = storm.result()
                del found[name]["ms of a core each"]  # both share it
        return found


async def people(url: str) -> list[str]:
    """Their tokens. Each follows the next FOLLOWED."""
    database, make, now = Database(url), Snowflakes(200), datetime.now(UTC)
    tokens = [secrets.token_urlsafe(32) for _ in range(PEOPLE)]
    ids = [make.make(now) for _ in tokens]
    async with database.write() as session:
        app = App(id=make.make(now), client_id="bench", secret_hash=digest("-"), name="bench", redirect_uris=[], scopes="read write", created_at=now)  # fmt: skip
        names = [f"person{number}" for number in range(PEOPLE)]
        session.add(app)
        session.add_all(
            Account(id=id_, username=name, username_key=name, created_at=now)
            for id_, name in zip(ids, names, strict=True)
        )
        await session.flush()
        for number, (id_, name, token) in enumerate(zip(ids, names, tokens, strict=True)):
            email = f"{name}@example.com"
            session.add(
                User(account_id=id_, email=email, email_key=email, password_hash=digest("!"), confirmed_at=now, approved_at=now, created_at=now)
            )  # fmt: skip
            session.add(
                Token(id=make.make(now), token_hash=digest(token), app_id=app.id, account_id=id_, scopes="read write", created_at=now)
            )  # fmt: skip
            followed = (ids[(number + step) % PEOPLE] for step in range(1, FOLLOWED + 1))
            session.add_all(Follow(id=make.make(now), account_id=id_, target_id=each) for each in followed)
    await database.close()
    return tokens


async def crowd(session: aiohttp.ClientSession, pid: int, ask: Ask) -> dict[str, Any]:
    """CLIENTS ask one after the other for LASTS_S. Who is told to come again (503) is counted apart."""
    took_ms: list[float] = []
    refused = 0
    began_s, cpu_s = time.monotonic(), _cpu_s(pid)

    async def client(first: int) -> None:
        nonlocal refused
        number = first
        while time.monotonic() - began_s < LASTS_S:
            asked_s = time.monotonic()
            async with await ask(session, number) as answer:
                body = await answer.read()
                assert answer.status in {200, 503}, (answer.status, body)
                refused += answer.status == 503
            if answer.status == 200:
                took_ms.append(1_000 * (time.monotonic() - asked_s))
            number += CLIENTS

    async with asyncio.TaskGroup() as tasks:
        for first in range(CLIENTS):
            tasks.create_task(client(first), name=f"client {first}")
    elapsed_s, cpu_s = time.monotonic() - began_s, _cpu_s(pid) - cpu_s
    cuts = statistics.quantiles(took_ms, n=100)
    return {
        "per second": round(len(took_ms) / elapsed_s),
        "p50, p99 (ms)": (round(cuts[49], 1), round(cuts[98], 1)),
        "refused": refused,
        "ms of a core each": round(1_000 * cpu_s / len(took_ms), 2),
    }


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
