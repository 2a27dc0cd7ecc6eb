"""The database: one way to read and one way to write, the same on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy import URL, event, make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry

from rostra.core.errors import BadInputError, RostraError
from rostra.site.database import sqlite

_READERS: Final = 8  # a page asks for one; more wait their turn rather than slow the database
_WRITERS: Final = 8  # on PostgreSQL; kept apart, so that no crowd of readers can keep anybody from posting
_WAIT_S: Final = 5.0  # for a turn, and for SQLite's write lock


class BusyError(RostraError):
    """No turn at the database within a few seconds. Caught by app.py, which says when to come again; by jobs."""


class Database:
    """Readers and writers have connections of their own. Rows stay readable after a session has ended."""

    def __init__(self, url: str, *, wait_s: float = _WAIT_S) -> None:
        """`url` is a path for SQLite (`sqlite:///site.db`) or `postgresql://user:password@host/name`.

        BadInputError if it is neither. Nobody waits longer than `wait_s` for a turn.
        """
        self._wait_s = wait_s
        parsed = _parsed(url)
        self.dialect: str = parsed.get_backend_name()
        if self.dialect == "sqlite":
            self._readers = _sqlite(parsed, size=_READERS, begin="BEGIN")
            # SQLite has one writer at a time: in the process they queue here, in order.
            self._writers = _sqlite(parsed, size=1, begin="BEGIN IMMEDIATE")
            self._write_turns = asyncio.Semaphore(1)
        else:
            self._readers = _postgresql(parsed, size=_READERS)
            self._writers = _postgresql(parsed, size=_WRITERS)
            self._write_turns = asyncio.Semaphore(_WRITERS)
        # Turns are in order of arrival. In the pools' own queues who just comes may pass who waits, for seconds.
        self._read_turns = asyncio.Semaphore(_READERS)

    @property
    def writers(self) -> AsyncEngine:
        """For migrations."""
        return self._writers

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session on one snapshot; what it changes is not kept. BusyError if there is no turn for too long."""
        async with (
            self._turn(self._read_turns),
            AsyncSession(self._readers, expire_on_commit=False, autoflush=False) as session,
        ):
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """A transaction: kept whole when the block ends, or not at all when it raises.

        BusyError if there is no turn for too long, here or (SQLite) among the processes.
        """
        async with (
            self._turn(self._write_turns),
            AsyncSession(self._writers, expire_on_commit=False) as session,
            session.begin(),
        ):
            try:
                await session.connection()
            except OperationalError as error:
                if "database is locked" not in str(error):
                    raise
                raise BusyError("Another process writes to the database.") from error
            yield session

    @asynccontextmanager
    async def _turn(self, turns: asyncio.Semaphore) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._wait_s):
                await turns.acquire()
        except TimeoutError as error:
            raise BusyError("The database is busy.") from error
        try:
            yield
        finally:
            turns.release()

    async def close(self) -> None:
        await self._readers.dispose()
        await self._writers.dispose()


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BadInputError("ROSTRA_DATABASE is no database address: sqlite:///path or postgresql://…") from error
    drivers = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+psycopg"}
    driver = drivers.get(parsed.get_backend_name())
    if driver is None:
        raise BadInputError(f"ROSTRA_DATABASE: {parsed.get_backend_name()} is neither sqlite nor postgresql.")
    return parsed.set(drivername=driver)


def _postgresql(url: URL, *, size: int) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=size,
        max_overflow=0,
        pool_timeout=_WAIT_S,
        pool_pre_ping=True,
        hide_parameters=True,  # an error that is logged must not hold what somebody sent
        isolation_level="READ COMMITTED",
    )


def _sqlite(url: URL, *, size: int, begin: str) -> AsyncEngine:
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=size,
        max_overflow=0,
        pool_timeout=_WAIT_S,
        hide_parameters=True,  # likewise
        connect_args={"async_creator_fn": sqlite.connect},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def _connected(connection: Any, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own: we do
        cursor = connection.cursor()
        for pragma in (
            "journal_mode = WAL",  # readers never wait for a writer
            "synchronous = NORMAL",  # a power cut loses the last transactions, never the database
            "foreign_keys = ON",
            f"busy_timeout = {int(_WAIT_S * 1000)}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def _begun(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
