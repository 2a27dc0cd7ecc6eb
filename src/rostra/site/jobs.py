"""Jobs: what is done after an answer was given, or at a later instant. Each is done at least once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, Final

import structlog
from sqlalchemy import or_, select, update

from rostra.site.database.tables.work import Job
from rostra.site.work import Site

_log = structlog.get_logger()
Handler = Callable[[Site, dict[str, Any]], Awaitable[None]]
_LOOK_S: Final = 1.0  # a scheduled post is at most a second late
_CLAIM: Final = timedelta(
    minutes=10
)  # longer than the longest video takes; a process that died frees its jobs then
_BATCH: Final = 8
_ATTEMPTS_MAX: Final = 8
_BACKOFF_FIRST: Final = timedelta(seconds=15)  # doubling: the last attempt is half an hour after the first
_ERROR_LENGTH_MAX: Final = 500


class Jobs:
    """Runs what is due. `wake` when something was added that need not wait for the next look."""

    def __init__(self, site: Site, handlers: Mapping[str, Handler]) -> None:
        self._site = site
        self._handlers = handlers
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled. A database that is away is tried again at the next look."""
        while True:
            try:
                found = await self.run_due()
            except OSError as error:
                _log.warning("jobs.database_away", error=str(error))
                found = 0
            if found:
                continue
            self._woken.clear()
            try:
                await asyncio.wait_for(self._woken.wait(), _LOOK_S)
            except TimeoutError:
                continue

    async def run_due(self) -> int:
        """Do what is due now, a batch at most; how many there were."""
        claimed = await self._claim()
        async with asyncio.TaskGroup() as tasks:
            for job in claimed:
                tasks.create_task(self._do(job), name=f"job {job.kind}")
        return len(claimed)

    async def _claim(self) -> list[Job]:
        async with self._site.writing() as work:
            due = (
                select(Job)
                .where(
                    Job.failed_at.is_(None),
                    Job.due_at <= work.now,
                    or_(Job.claimed_until.is_(None), Job.claimed_until < work.now),
                )
                .order_by(Job.due_at)
                .limit(_BATCH)
                .with_for_update(skip_locked=True)
            )
            jobs = list(await work.session.scalars(due))
            for job in jobs:
                job.claimed_until = work.now + _CLAIM
                job.attempts += 1
            return jobs

    async def _do(self, job: Job) -> None:
        handler = self._handlers.get(job.kind)
        try:
            if handler is None:
                raise LookupError(f"Nobody does {job.kind!r}.")  # noqa: TRY301 # it is kept like any other failure
            await handler(self._site, job.payload)
        except Exception as error:  # noqa: BLE001 # a job may fail in any way; it is kept with the reason
            _log.exception("job.failed", kind=job.kind, job=job.id, attempt=job.attempts)
            await self._failed(job, f"{type(error).__name__}: {error}"[:_ERROR_LENGTH_MAX])
        else:
            async with self._site.writing() as work:
                await work.session.delete(await work.session.merge(job))

    async def _failed(self, job: Job, why: str) -> None:
        async with self._site.writing() as work:
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
