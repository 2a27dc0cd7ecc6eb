"""A page that visitors share is made once for all who ask, and never shown to whoever may know better."""

import asyncio
from datetime import UTC, datetime, timedelta

from rostra.site.events import Notified, StatusPosted
from rostra.site.memo import Memo

NOW = datetime(2026, 11, 21, tzinfo=UTC)


class Site:
    """A page that is the number of its making; `gate` holds a making up."""

    def __init__(self) -> None:
        self.memo, self.now, self.made = Memo(rest=9), NOW, 0
        self.takes = timedelta()
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun = asyncio.Event()

    async def make(self) -> tuple[bytes, dict[str, str]]:
        self.made += 1
        number = self.made
        self.begun.set()
        await self.gate.wait()
        self.now += self.takes
        return b"%d" % number, {}

    async def ask(self, key: str = "page") -> bytes:
        return (await self.memo.answer(key, lambda: self.now, self.make)).body


def test_it_is_made_again_after_a_change_or_a_second() -> None:
    async def test() -> None:
        site = Site()
        assert [await site.ask(), await site.ask(), await site.ask("other")] == [b"1", b"1", b"2"]
        site.memo.hear(Notified(1, 2))
        assert await site.ask() == b"1", "nobody else is concerned"
        site.memo.hear(StatusPosted(1, 2))
        assert await site.ask() == b"3"
        site.now += timedelta(seconds=1)
        assert await site.ask() == b"4"

    asyncio.run(test())


def test_a_crowd_is_served_by_one_making_and_who_knows_more_by_the_next() -> None:
    async def test() -> None:
        site = Site()
        site.gate.clear()
        async with asyncio.TaskGroup() as tasks:
            early = [tasks.create_task(site.ask(), name="ask") for _ in range(50)]
            await site.begun.wait()
            site.memo.hear(StatusPosted(1, 2))
            late = [tasks.create_task(site.ask(), name="ask") for _ in range(50)]
            await asyncio.sleep(0)
            site.gate.set()
        assert {task.result() for task in early} == {b"1"}
        assert {task.result() for task in late} == {b"2"}

    asyncio.run(test())


def test_in_a_storm_of_changes_a_page_takes_a_tenth_of_the_time_and_is_a_second_old_at_most() -> None:
    async def test() -> None:
        site = Site()
        for takes_ms, age_ms in ((10, 90), (500, 1_000)):
            site.takes = timedelta(milliseconds=takes_ms)
            site.now += timedelta(minutes=1)
            made = int(await site.ask())
            for _ in range(age_ms - 1):
                site.now += timedelta(milliseconds=1)
                site.memo.hear(StatusPosted(1, 2))
                assert int(await site.ask()) == made
            site.now += timedelta(milliseconds=1)
            assert int(await site.ask()) == made + 1

    asyncio.run(test())
