"""What one process says of itself: each second how it is, and every change before it takes effect."""

import asyncio
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import structlog

from rostra.bus.connection import Connection
from rostra.core.errors import BusError
from rostra.evidence.chain import Chain
from rostra.evidence.change import CHANGE, Change
from rostra.evidence.emitter import Emitter
from rostra.evidence.known import Run, after, changed, last_run, remember
from rostra.evidence.spool import Spool
from rostra.evidence.told import told
from rostra.evidence.vitals import vitals
from rostra.signing import signing_key
from rostra.verifier.canonical import Json
from rostra.verifier.errors import FlawError

_log = structlog.get_logger()
RECORD_EVERY_S: Final = 1.0
IDENTITY_EVERY_S: Final = 600  # the bus keeps an hour: a witness that comes later still learns whose key is whose
CHANGE_WITHIN_S: Final = 0.5  # that a change waits for the bus; then for the disk
KEEP_EVERY_S: Final = 10  # while the bus is away, a kill costs ten seconds of records
RECORD: Final = "record"
IDENTITY: Final = "identity"


class Signer(NamedTuple):
    """`sign` for run `run` of a chain: never over what could be an entry."""

    run: int
    sign: Callable[[bytes], bytes]


class Silence:
    """The testimony of a process that nobody witnesses."""

    figures: Callable[[], dict[str, Json]] = dict

    async def begin(self, identity: dict[str, Json], run: Run) -> None:
        """Say who this is, and what has changed since it ran last, before it does anything."""

    async def before(self, change: Change) -> bool:
        """Say what is about to change. Whether the bus, or the disk, has it: then let it take effect."""
        del change
        return True

    def note(self, kind: str, body: dict[str, Json]) -> None:
        """Something that is no record and no change, and for which nothing waits."""

    def signer(self) -> Signer | None:
        """What signs as this process does; None if nobody keeps what it says."""
        return None

    async def run(self) -> None:
        """A record once a second, for ever; the identity again now and then; at the end, that this is one."""


class SignedTestimony(Silence):
    """`figures` gives what the process has to add to a record: `did`, totals since it began, and `now`."""

    def __init__(self, connection: Connection, who: str, folder: Path) -> None:
        """BadInputError if there is no key, and the disk takes none."""
        self._connection = connection
        self._who = who
        self._chain = Chain(who, signing_key(folder / f"{who}.key"))
        self._emitter = Emitter(self._chain, Spool(folder / f"{who}.spool"))
        self._known = folder / f"{who}.run"
        self._identity: dict[str, Json] = {}
        self._run: Run | None = None
        self._said = asyncio.Event()

    def introduce(self, identity: dict[str, Json]) -> None:
        """Say who this is, and nothing else: a command comes and goes."""
        self._identity = identity | {"key": self._emitter.key}
        self._emitter.say(IDENTITY, self._identity)

    async def begin(self, identity: dict[str, Json], run: Run) -> None:
        last = last_run(self._known)
        self._run = after(last, run)
        self.introduce(identity)
        for change in changed(self._who, last, run):
            self._emitter.say(CHANGE, change.body())
        await self._hand_over()
        self._remember(self._run)

    def note(self, kind: str, body: dict[str, Json]) -> None:
        self._emitter.say(kind, body)

    def signer(self) -> Signer | None:
        return Signer(self._chain.run, self._chain.sign)

    async def before(self, change: Change) -> bool:
        return await self.say(CHANGE, change.body())

    async def say(self, kind: str, body: dict[str, Json]) -> bool:
        """Whether the bus, or the disk, has it."""
        try:
            is_said = self._emitter.say(kind, body)
        except FlawError as error:
            _log.error("entry.unsaid", kind=kind, what=body.get("what"), error=str(error))
            return False
        if not is_said:
            _log.error("entry.unsaid", kind=kind, what=body.get("what"), error="the spool is full")
            return False
        return await self._hand_over()

    async def _hand_over(self) -> bool:
        """To the bus if it takes it soon, else to the disk."""
        try:
            async with asyncio.timeout(CHANGE_WITHIN_S):
                await self._emitter.send(self._connection)
        except (BusError, TimeoutError):
            return self._emitter.keep()
        return True

    async def run(self) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._deliver(), name="evidence to the bus")
                await self._speak()
        finally:
            self._end()

    async def _speak(self) -> None:
        """A record in the middle of each second, whatever the bus does; what is overslept is not made up."""
        loop, emitter = asyncio.get_running_loop(), self._emitter
        due_s = loop.time() + (RECORD_EVERY_S / 2 - time.time()) % RECORD_EVERY_S
        for second in count(1):
            await asyncio.sleep(due_s - loop.time())
            due_s = max(due_s + RECORD_EVERY_S, loop.time())
            if second % IDENTITY_EVERY_S == 0:
                emitter.say(IDENTITY, self._identity)
            if second % KEEP_EVERY_S == 0 and len(emitter):
                emitter.keep()
            emitter.say(RECORD, self._record())
            self._said.set()

    async def _deliver(self) -> None:
        while True:
            await self._said.wait()
            self._said.clear()
            try:
                await self._emitter.send(self._connection)
            except BusError as error:
                _log.debug("evidence.waits", error=str(error))

    def _end(self) -> None:
        """Nobody waits for the bus any more: the next run sends what this one leaves."""
        self._emitter.say(CHANGE, Change("stop", self._who, "process").body())
        self._emitter.keep()
        if self._run is not None:
            self._remember(msgspec.structs.replace(self._run, ended=True))

    def _remember(self, run: Run) -> None:
        try:
            remember(self._known, run)
        except OSError as error:
            _log.warning("evidence.unkept", error=str(error))

    def _record(self) -> dict[str, Json]:
        figures, emitter = self.figures(), self._emitter
        now = figures.get("now", {})
        assert isinstance(now, dict)
        own: dict[str, Json] = {"bus_failures": emitter.bus_failures, "disk_failures": emitter.disk_failures}
        if emitter.bus_us is not None:
            own["bus_us"] = emitter.bus_us
        dependencies = now.get("dependencies", {})
        assert isinstance(dependencies, dict)
        return {
            "is": told(self._connection.reported),
            "has": vitals(),
            **figures,
            "now": now | {"dependencies": dependencies | own},
        }
