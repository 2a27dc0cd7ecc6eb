"""What every part of the site relies on: changes are whole, ids rise, jobs are done once, events are told after."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from bus_server import run
from rostra.site.database.tables.people import Account
from rostra.site.database.tables.work import Job
from rostra.site.events import AccountChanged
from rostra.site.jobs import Jobs
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
