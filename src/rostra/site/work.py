"""One piece of work on the site's state: what is read or changed, at what instant, and what follows from it."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from rostra.core.errors import BusError
from rostra.core.limits import MEDIA_REMAKES_MAX
from rostra.evidence.change import Change
from rostra.evidence.testimony import Silence
from rostra.site.cache import EntityCache, Key
from rostra.site.database.engine import Database
from rostra.site.database.tables.work import Job
from rostra.site.events import AnyEvent, Events, encoded
from rostra.site.memo import Memo
from rostra.site.outbound import Outbound
from rostra.site.settings import SiteSettings
from rostra.site.snowflake import Snowflakes
from rostra.site.stage import Stage
from rostra.site.streaming.streams import Streams

_log = structlog.get_logger()


@dataclass(slots=True)
class Work:
    """A session on the database, the instant, and what is told or done once the change is kept."""

    session: AsyncSession
    now: datetime
    settings: SiteSettings
    _ids: Snowflakes
    events: list[AnyEvent] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)  # what the ledger is told before this is kept
    _entities: EntityCache | None = None  # none in a change: what it reads is not yet true for others
    _read_at: int = 0

    def make_id(self) -> int:
        return self._ids.make(self.now)

    def tell(self, event: AnyEvent) -> None:
        """Have `event` told when the change is kept; the same one twice is told once."""
        if event not in self.events:
            self.events.append(event)

    def witness(
        self,
        what: str,
        subject: str,
        by: str,
        account_id: int,
        *,
        text: str = "",
        claims: str = "",
        warned: str = "",
    ) -> None:
        """Have the ledger told before this is kept. `by` is a role; whose account it was, the site's key tells."""
        keyed = hmac.digest(self.settings.key, b"evidence %d" % account_id, "sha256")[:8].hex()
        self.changes.append(Change(what, subject, f"{by} {keyed}", text=text, claims=claims, warned=warned))

    def cached(self, key: Key) -> bytes | None:
        """The entity of `key` as it was written before and still is."""
        return None if self._entities is None else self._entities.get(key, self.now)

    def cache(self, key: Key, entity: bytes) -> None:
        if self._entities is not None:
            self._entities.put(key, entity, read_at=self._read_at, now=self.now)

    def later(self, kind: str, payload: dict[str, Any], *, due_at: datetime | None = None) -> None:
        """Have a job done (site/jobs.py) after this change is kept, not before `due_at`."""
        self.session.add(Job(id=self.make_id(), kind=kind, payload=payload, due_at=due_at or self.now, attempts=0))


@dataclass(frozen=True, slots=True)
class Site:
    """What every part of the site works with. One a process."""

    settings: SiteSettings
    database: Database
    events: Events
    stage: Stage
    clock: Callable[[], datetime]
    ids: Snowflakes
    outbound: Outbound = field(default_factory=Outbound)
    entities: EntityCache = field(default_factory=EntityCache)
    memo: Memo = field(default_factory=Memo)
    streams: Streams = field(default_factory=Streams)
    testimony: Silence = field(default_factory=Silence)
    remaking: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MEDIA_REMAKES_MAX))

    def hear(self, event: AnyEvent) -> None:
        """What has changed, here or in another process, is shown no longer as it was."""
        self.entities.hear(event)
        self.memo.hear(event)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Work]:
        read_at = self.entities.epoch
        async with self.database.read() as session:
            yield Work(session, self.clock(), self.settings, self.ids, _entities=self.entities, _read_at=read_at)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Work]:
        """A change: kept whole when the block ends, and only then told."""
        async with self.database.write() as session:
            work = Work(session, self.clock(), self.settings, self.ids)
            yield work
            for change in work.changes:
                await self.testimony.before(change)
        for event in work.events:
            self.hear(event)
        for event in work.events:
            try:
                await self.events.tell(encoded(event))
            except BusError as error:
                _log.warning("site.event_lost", event_type=type(event).__name__, error=str(error))
