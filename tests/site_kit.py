"""A site without a bus for the tests: a database of its own, a clock that they set, clients that ask it."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
from fastapi import FastAPI

from rostra.core.conversation import Cancel, Conversation, End, Event, Rescheduled, Schedule, Told, advance
from rostra.core.keys import Key, KeyRing
from rostra.core.messages import ConversationRecord, LiveVerdict
from rostra.core.overview import Overview, Watch
from rostra.core.records import to_record
from rostra.core.units import SECOND_NS
from rostra.evidence.testimony import Silence
from rostra.site.app import create_app
from rostra.site.database.engine import Database
from rostra.site.database.tables.authorization import App, Token
from rostra.site.database.tables.people import Account, User
from rostra.site.events import AnyEvent, decoded
from rostra.site.jobs import Jobs
from rostra.site.memo import Memo
from rostra.site.oauth.bearer import digest
from rostra.site.outbound import Outbound
from rostra.site.pages.refused import refused_page
from rostra.site.parts import HANDLERS, ROUTERS, SLOW_HANDLERS
from rostra.site.people import passwords
from rostra.site.rates import Rates
from rostra.site.settings import Mail, SiteSettings
from rostra.site.snowflake import Snowflakes
from rostra.site.work import Site

_FREE: list[FastAPI] = []  # making one reads the types of 300 routes, which takes longer than most tests
START = datetime(2026, 11, 21, 19, 0, tzinfo=UTC)

LOOPBACK = Outbound(may_reach=lambda address, _: address.is_loopback)  # no test asks a server that is not its own


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(milliseconds=1)  # two events are never at the same instant
        return self.now

    def pass_(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@dataclass
class EventsTold:
    """The events of one process, in memory: what was told, and queues of those who hear."""

    events: list[AnyEvent] = field(default_factory=list)
    _hearing: list[asyncio.Queue[bytes]] = field(default_factory=list)

    async def tell(self, payload: bytes) -> None:
        self.events.append(decoded(payload))
        for queue in self._hearing:
            queue.put_nowait(payload)

    async def hear(self) -> AsyncGenerator[bytes, None]:
        queue: asyncio.Queue[bytes] = asyncio.Queue(1000)
        self._hearing.append(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._hearing.remove(queue)


@dataclass
class Announced:
    """The stage as a site of the tests knows it: in memory, with what moderators have done on it."""

    clock: Clock
    conversations: dict[str, Conversation] = field(default_factory=dict)
    expelled: list[tuple[str, str, str, str]] = field(default_factory=list)
    revoked: list[tuple[str, bytes]] = field(default_factory=list)
    seen: Watch = field(default_factory=Watch)

    def record(self, conversation: str) -> ConversationRecord | None:
        found = self.conversations.get(conversation)
        return None if found is None else to_record(found)

    def records(self) -> list[ConversationRecord]:
        return [to_record(conversation) for conversation in self.conversations.values()]

    def overview(self) -> Overview:
        return self.seen.overview(now_s=0.0, now_ns=int(self.clock.now.timestamp() * SECOND_NS))

    def verdict(self, conversation: str) -> LiveVerdict | None:
        return self.seen.verdicts.get(conversation)

    async def announce(self, conversation: str, schedule: Schedule) -> None:
        known = self.conversations.get(conversation)
        if known is None:
            self.conversations[conversation] = Conversation(conversation, schedule)
        elif replace(schedule, revision=known.schedule.revision) != known.schedule:
            self.advance(conversation, Rescheduled(schedule))

    async def cancel(self, conversation: str) -> None:
        self.advance(conversation, Cancel())

    async def end(self, conversation: str) -> None:
        self.advance(conversation, End())

    async def tell(self, conversation: str, notice: str) -> None:
        if self.conversations[conversation].notice.text != notice:
            self.advance(conversation, Told(notice))

    async def expel(self, conversation: str, person: str, *, by: str, why: str) -> None:
        self.expelled.append((conversation, person, by, why))

    async def revoke(self, conversation: str, listener: bytes) -> None:
        self.revoked.append((conversation, listener))

    def advance(self, conversation: str, event: Event) -> None:
        now_ns = int(self.clock.now.timestamp() * SECOND_NS)
        self.conversations[conversation] = advance(self.conversations[conversation], event, now_ns=now_ns)


@dataclass
class Kit:
    site: Site
    clock: Clock
    told: EventsTold
    stage: Announced
    anonymous: httpx2.AsyncClient

    def client(self, token: str) -> httpx2.AsyncClient:
        client = self._client()
        client.headers["Authorization"] = f"Bearer {token}"
        return client

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=self.anonymous._transport, base_url=self.site.settings.url)  # noqa: SLF001 # one application for all

    async def person(
        self, username: str, *, role: str = "member", scopes: str = "read write follow push", **account: Any
    ) -> httpx2.AsyncClient:
        """Somebody with an account, and a client with their token."""
        return self.client(await self.token(await self.account(username, role=role, **account), scopes))

    async def account(self, username: str, *, role: str = "member", password: str = "", **values: Any) -> int:
        """Somebody with an account. Without a `password` none is right."""
        hashed = await asyncio.to_thread(passwords.hashed, password) if password else "!"
        async with self.site.writing() as work:
            account = Account(
                id=work.make_id(),
                username=username,
                username_key=username.lower(),
                created_at=work.now,
                **values,
            )
            work.session.add(account)
            await work.session.flush()
            work.session.add(
                User(
                    account_id=account.id,
                    email=f"{username}@example.com",
                    email_key=f"{username}@example.com".lower(),
                    password_hash=hashed,
                    role=role,
                    confirmed_at=work.now,
                    approved_at=work.now,
                    created_at=work.now,
                )
            )
            return account.id

    async def token(self, account_id: int | None, scopes: str = "read write follow push") -> str:
        token = secrets.token_urlsafe(32)
        async with self.site.writing() as work:
            app = App(
                id=work.make_id(),
                client_id=secrets.token_urlsafe(16),
                secret_hash=digest("secret"),
                name="A test",
                redirect_uris=["urn:ietf:wg:oauth:2.0:oob"],
                scopes=scopes,
                created_at=work.now,
            )
            work.session.add(app)
            await work.session.flush()
            work.session.add(
                Token(
                    id=work.make_id(),
                    token_hash=digest(token),
                    app_id=app.id,
                    account_id=account_id,
                    scopes=scopes,
                    created_at=work.now,
                )
            )
        return token

    async def do_jobs(self) -> None:
        """Everything that is due by the kit's clock."""
        jobs = Jobs(self.site, {**HANDLERS, **SLOW_HANDLERS})
        while await jobs.run_due():
            pass


@asynccontextmanager
async def site_kit(
    database_url: str,
    folder: Path,
    *,
    outbound: Outbound = LOOPBACK,
    testimony: Silence | None = None,
    **settings: Any,
) -> AsyncIterator[Kit]:
    """The whole site on a database that is empty and migrated; `settings` replace those of SiteSettings."""
    chosen = replace(
        SiteSettings(
            url="http://localhost:3000",
            title="Rostra",
            description="A site of the tests",
            host="127.0.0.1",
            port=3000,
            database=database_url,
            media=folder / "media",
            key=bytes(32),
            invitation_key=bytes(32),
            ticket_keys=KeyRing(Key(0, 0, bytes(32))),
            mail=Mail("rostra@localhost", folder / "mail"),
            contact="office@example.com",
            rate_limits=False,
            edge_url="http://localhost:8080",
        ),
        **settings,
    )
    chosen.media.mkdir(parents=True, exist_ok=True)
    clock, told, database = Clock(), EventsTold(), Database(database_url)
    stage = Announced(clock)
    # Without a rest: here every change is seen at once.
    testimony, memo = testimony or Silence(), Memo(rest=0)
    site = Site(chosen, database, told, stage, clock, Snowflakes(), outbound, memo=memo, testimony=testimony)
    app = _application(site)
    try:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=chosen.url) as anonymous:
            yield Kit(site, clock, told, stage, anonymous)
    finally:
        _FREE.append(app)
        await database.close()


def _application(site: Site) -> FastAPI:
    """The application for `site`: one that another test has done with, if there is."""
    app = _FREE.pop() if _FREE else create_app(site, ROUTERS, refused_page)
    app.state.site, app.state.rates = site, Rates()
    return app
