"""Jobs: what is done after an answer was given, or at a later instant. Each is done at least once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

import structlog
from sqlalchemy import or_, select, update
from sqlalchemy.exc import DBAPIError

from rostra.site.database.engine import BusyError
from rostra.site.database.tables.work import Job
from rostra.site.work import Site

_log = structlog.get_logger()
_AWAY: Final = (OSError, DBAPIError, BusyError)  # the database, for a moment
Handler = Callable[[Site, dict[str, Any]], Awaitable[None]]
_LOOK_S: Final = 1.0  # a scheduled post is at most a second late
_CLAIM: Final = timedelta(
    minutes=10
)  # longer than the longest video takes; a process that died frees its jobs then
_AT_ONCE: Final = 8
_ATTEMPTS_MAX: Final = 8
_BACKOFF_FIRST: Final = timedelta(seconds=15)  # doubling: the last attempt is half an hour after the first
_ERROR_LENGTH_MAX: Final = 500


class Jobs:
    """Does what is due of the kinds that `handlers` names, `at_once` together; another process may know the others.

    `wake` when something was added that need not wait for the next look.
    """

    def __init__(self, site: Site, handlers: Mapping[str, Handler], *, at_once: int = _AT_ONCE) -> None:
        self._site = site
        self._handlers = handlers
        self._at_once = at_once
        self._doing = 0
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled. A job that takes long keeps only its own place, and nobody from the others."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._woken.clear()
                if await self._start_due(tasks):
                    continue
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), _LOOK_S)

    async def run_due(self) -> int:
        """Do what is due now, `at_once` at most; how many there were."""
        async with asyncio.TaskGroup() as tasks:
            return await self._start_due(tasks)

    async def _start_due(self, tasks: asyncio.TaskGroup) -> int:
        """A database that is away is tried again at the next look."""
        if self._doing >= self._at_once:
            return 0
        try:
            claimed = await self._claim(self._at_once - self._doing)
        except _AWAY as error:
            _log.warning("jobs.database_away", error=str(error))
            return 0
        for job in claimed:
            self._doing += 1
            tasks.create_task(self._do(job), name=f"job {job.kind}")
        return len(claimed)

    async def _claim(self, count: int) -> list[Job]:
        async with self._site.writing() as work:
            due = (
                select(Job)
                .where(
                    Job.kind.in_(list(self._handlers)),
                    Job.failed_at.is_(None),
                    Job.due_at <= work.now,
                    or_(Job.claimed_until.is_(None), Job.claimed_until < work.now),
                )
                .order_by(Job.due_at)
                .limit(count)
                .with_for_update(skip_locked=True)
            )
            jobs = list(await work.session.scalars(due))
            for job in jobs:
                job.claimed_until = work.now + _CLAIM
                job.attempts += 1
            return jobs

    async def _do(self, job: Job) -> None:
        try:
            await self._mark(job, await self._outcome(job))
        except _AWAY as error:  # it is done once more when its claim has ended
            _log.warning("job.not_marked", kind=job.kind, job=job.id, error=str(error))
        finally:
            self._doing -= 1
            self.wake()

    async def _outcome(self, job: Job) -> str | None:
        """Do it; why it failed."""
        try:
            await self._handlers[job.kind](self._site, job.payload)
        except Exception as error:  # noqa: BLE001 # a job may fail in any way; it is kept with the reason
            _log.exception("job.failed", kind=job.kind, job=job.id, attempt=job.attempts)
            return f"{type(error).__name__}: {error}"[:_ERROR_LENGTH_MAX]
        return None

    async def _mark(self, job: Job, why: str | None) -> None:
        async with self._site.writing() as work:
            if why is None:
                await work.session.delete(await work.session.merge(job))
                return
            again = work.now + _BACKOFF_FIRST * 2 ** (job.attempts - 1)
            await work.session.execute(
                update(Job)
                .where(Job.id == job.id)
                .values(
                    claimed_until=None,
                    error=why,
                    due_at=again,
                    failed_at=work.now if job.attempts >= _ATTEMPTS_MAX else None,
                )
            )
