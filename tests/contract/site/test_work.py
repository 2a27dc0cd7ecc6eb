"""What every part of the site relies on: changes are whole, ids rise, jobs are done once, events are told after."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import func, select, text

from bus_server import run
from rostra.site.app import create_app
from rostra.site.database.engine import BusyError, Database
from rostra.site.database.tables.people import Account
from rostra.site.database.tables.work import Job
from rostra.site.events import AccountChanged
from rostra.site.jobs import Jobs
from rostra.site.pages.refused import refused_page
from rostra.site.parts import ROUTERS
from rostra.site.work import Site, Work
from site_kit import site_kit


def _account(work: Work, name: str) -> Account:
    return Account(id=work.make_id(), username=name, username_key=name, created_at=work.now)


async def _fail(site: Site) -> None:
    async with site.writing() as work:
        work.session.add(_account(work, "ann"))
        work.tell(AccountChanged(1))
        work.later("greet", {})
        raise RuntimeError


def test_a_change_that_fails_leaves_nothing_and_tells_nobody(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            with pytest.raises(RuntimeError):
                await _fail(kit.site)
            assert kit.told.events == []
            async with kit.site.reading() as work:
                assert await work.session.scalar(select(func.count()).select_from(Account)) == 0
                assert await work.session.scalar(select(func.count()).select_from(Job)) == 0

    run(test)


def test_what_was_kept_is_told_and_read_back_with_its_instant(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            async with kit.site.writing() as work:
                account = _account(work, "ann")
                work.session.add(account)
                work.tell(AccountChanged(account.id))
                work.tell(AccountChanged(account.id))
            assert kit.told.events == [AccountChanged(account.id)]
            async with kit.site.reading() as work:
                found = (await work.session.scalars(select(Account))).one()
                assert (found.id, found.created_at) == (account.id, account.created_at)

    run(test)


def test_a_job_is_done_when_it_is_due_and_tried_again_when_it_fails(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        done: list[str] = []

        async def greet(_: Site, payload: dict[str, str]) -> None:
            done.append(payload["name"])
            if len(done) == 1:
                raise OSError("away")

        async with site_kit(database_url, tmp_path) as kit:
            async with kit.site.writing() as work:
                work.later("greet", {"name": "ann"})
            jobs = Jobs(kit.site, {"greet": greet})
            assert await jobs.run_due() == 1
            assert await jobs.run_due() == 0, "a job that failed is not tried again at once"
            kit.clock.pass_(minutes=1)
            assert await jobs.run_due() == 1
            kit.clock.pass_(hours=1)
            assert await jobs.run_due() == 0
            assert done == ["ann", "ann"]

    run(test)


def test_turns_at_the_database_are_in_order_and_nobody_waits_for_ever(database_url: str) -> None:
    async def test() -> None:
        database = Database(database_url, wait_s=1.0)
        writers = 1 if database.dialect == "sqlite" else 8
        released, order = asyncio.Event(), list[int]()

        async def hold() -> None:
            async with database.write():
                await released.wait()

        async def write(number: int) -> None:
            async with database.write() as session:
                order.append(number)
                await session.execute(text("SELECT 1"))

        async with asyncio.TaskGroup() as tasks:
            for _ in range(writers):
                tasks.create_task(hold(), name="hold")
            await asyncio.sleep(0)
            with pytest.raises(BusyError):
                await write(-1)
            for number in range(20):
                tasks.create_task(write(number), name="write")
            await asyncio.sleep(0)
            released.set()
        assert sorted(order) == list(range(20))
        assert writers > 1 or order == sorted(order), "with one writer, whoever came first"
        await database.close()

    run(test)


def test_who_has_no_turn_is_told_when_to_come_again(database_url: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with site_kit(database_url, tmp_path) as kit:
            ann = await kit.person("ann")
            busy = Database(database_url, wait_s=0.1)
            site = replace(kit.site, database=busy)
            transport = httpx2.ASGITransport(app=create_app(site, ROUTERS, refused_page))
            async with httpx2.AsyncClient(transport=transport, base_url=site.settings.url) as client:
                async with AsyncExitStack() as readers:
                    for _ in range(8):
                        await readers.enter_async_context(busy.read())
                    answer = await client.get("/api/v1/timelines/home", headers=ann.headers)
                    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
                    assert answer.json().keys() == {"error"}
                assert (await client.get("/api/v1/timelines/home", headers=ann.headers)).status_code == 200
            await busy.close()

    run(test)
