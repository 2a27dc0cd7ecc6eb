"""The site's process: its application behind uvicorn, its jobs, its report once a second."""

import asyncio
import socket
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final

import structlog
import uvicorn
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rostra.bus.connection import Connection
from rostra.bus.site import BusEvents, BusStage
from rostra.bus.telemetry import publish_report
from rostra.core.limits import SITE_BODY_BYTES_MAX, STREAM_MESSAGE_BYTES_MAX
from rostra.core.messages import SiteReport
from rostra.evidence.testimony import Silence
from rostra.site.app import create_app
from rostra.site.database.engine import BusyError, Database
from rostra.site.database.migrate import migrate
from rostra.site.database.tables.work import Job
from rostra.site.events import decoded
from rostra.site.jobs import Jobs
from rostra.site.pages.refused import refused_page
from rostra.site.parts import HANDLERS, ROUTERS, SLOW_HANDLERS
from rostra.site.settings import SiteSettings
from rostra.site.snowflake import Snowflakes
from rostra.site.streaming.feed import Feed
from rostra.site.work import Site
from rostra.verifier.canonical import Json
from rostra.web.front import Front

_log = structlog.get_logger()
_BACKLOG: Final = 2048  # connections that wait to be accepted while a page is made
_KEEP_ALIVE_S: Final = 30


async def run(
    connection: Connection,
    *,
    name: str,
    shard: int,
    settings: SiteSettings,
    front: Front | None = None,
    testimony: Silence | None = None,
) -> None:
    """Serve until cancelled. The database is brought to this version's tables first."""
    settings.media.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database)
    try:
        await migrate(database)
        stage = BusStage(connection)
        testimony = testimony or Silence()
        site = Site(
            settings,
            database,
            BusEvents(connection),
            stage,
            lambda: datetime.now(UTC),
            Snowflakes(shard),
            testimony=testimony,
        )
        app = create_app(site, ROUTERS, refused_page)
        await _warm(app)
        counted = Counted(app)
        testimony.figures = counted.account
        server = uvicorn.Server(
            uvicorn.Config(
                counted,
                http=(front or Front(body_bytes_max=SITE_BODY_BYTES_MAX)).protocol(),
                proxy_headers=False,  # `Front` knows whom to believe
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=1,
                backlog=_BACKLOG,
                ws_max_size=STREAM_MESSAGE_BYTES_MAX,
            )
        )
        feed = Feed(site)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(Jobs(site, HANDLERS).run(), name="jobs")
            tasks.create_task(Jobs(site, SLOW_HANDLERS, at_once=1).run(), name="slow jobs")
            tasks.create_task(_hear(site, feed), name="events")
            tasks.create_task(feed.run(), name="streams")
            tasks.create_task(stage.run(), name="conversations")
            tasks.create_task(stage.watch(), name="overview")
            tasks.create_task(stage.follow_verdicts(), name="verdicts")
            tasks.create_task(_report(connection, name, site, counted), name="report")
            with _listening(settings) as listening:
                await server.serve([listening])
    finally:
        await database.close()


async def _warm(app: ASGIApp) -> None:
    """Ask for what nobody serves: FastAPI makes its routes ready when they are first tried, which takes a second.

    Afterwards somebody would wait for it, and everybody with them.
    """
    scope: Scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/.warm",
        "raw_path": b"/.warm",
        "query_string": b"",
        "headers": [],
        "client": ("127.0.0.1", 0),
        "server": ("127.0.0.1", 0),
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        assert message.get("status", HTTPStatus.NOT_FOUND) == HTTPStatus.NOT_FOUND

    await app(scope, receive, send)


def _listening(settings: SiteSettings) -> socket.socket:
    """The port, which several site processes may share."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listening.bind((settings.host, settings.port))
    return listening


class Counted:
    """The application, and how much it is asked: requests, answers of 5xx, streams that are open."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.requests = 0
        self.failures = 0
        self.streams = 0
        self.database_failures = 0
        self.database_us = 0

    def account(self) -> dict[str, Json]:
        """For evidence."""
        did: dict[str, Json] = {
            "requests": self.requests,
            "failures": self.failures,
            "database_failures": self.database_failures,
        }
        return {"did": did, "now": {"streams": self.streams, "database_us": self.database_us}}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.requests += 1
        is_stream = "/streaming" in scope.get("path", "")
        self.streams += is_stream

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 500:
                self.failures += 1
            await send(message)

        try:
            await self._app(scope, receive, counting)
        finally:
            self.streams -= is_stream


async def _hear(site: Site, feed: Feed) -> None:
    """What any site process has changed is no longer shown from this one's cache, and is told to its streams."""
    async for payload in site.events.hear():
        event = decoded(payload)
        site.hear(event)
        feed.hear(event)


async def _report(connection: Connection, name: str, site: Site, counted: Counted) -> None:
    waiting: int | None = 0
    while True:
        began = time.perf_counter()
        try:
            async with site.reading() as work:
                due = select(func.count()).select_from(Job).where(Job.failed_at.is_(None), Job.due_at <= work.now)
                waiting = await work.session.scalar(due)
        except (BusyError, SQLAlchemyError) as error:
            counted.database_failures += 1
            _log.warning("database.away", error=type(error).__name__)
        counted.database_us = round(1_000_000 * (time.perf_counter() - began))
        report = SiteReport(
            site=name,
            url=site.settings.url,
            at_ns=time.time_ns(),
            requests=counted.requests,
            failures=counted.failures,
            streams=counted.streams,
            jobs_waiting=waiting or 0,
        )
        await publish_report(connection, report)
        await asyncio.sleep(1)
