"""What one process says of itself: each second how it is, and every change before it takes effect."""

import asyncio
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Final

import structlog

from rostra.bus.connection import Connection
from rostra.core.errors import BusError
from rostra.evidence.chain import Chain
from rostra.evidence.change import CHANGE, Change
from rostra.evidence.emitter import Emitter
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
_KEEP_EVERY: Final = 10  # records: while the bus is away, a kill costs ten seconds of them
RECORD: Final = "record"
IDENTITY: Final = "identity"


class Silence:
    """The testimony of a process that nobody witnesses."""

    figures: Callable[[], dict[str, Json]] = dict

    async def before(self, change: Change) -> bool:
        del change
        return True

    async def run(self, identity: dict[str, Json]) -> None:
        del identity


class Testimony(Silence):
    """`figures` gives what the process has to add to a record: `did`, totals since it began, and `now`."""

    def __init__(self, connection: Connection, who: str, folder: Path) -> None:
        """OSError if there is no key, and the disk takes none."""
        self._connection = connection
        self._emitter = Emitter(Chain(who, signing_key(folder / f"{who}.key")), Spool(folder / f"{who}.spool"))

    async def before(self, change: Change) -> bool:
        """Say what is about to change. Whether the bus, or the disk, has it: then let it take effect."""
        try:
            if not self._emitter.say(CHANGE, change.body()):
                _log.error("change.unsaid", what=change.what, subject=change.subject)
                return False
        except FlawError as error:
            _log.error("change.unsaid", what=change.what, subject=change.subject, error=str(error))
            return False
        try:
            async with asyncio.timeout(CHANGE_WITHIN_S):
                await self._emitter.send(self._connection)
        except (BusError, TimeoutError):
            return self._emitter.keep()
        return True

    async def run(self, identity: dict[str, Json]) -> None:
        """A record once a second, for ever; `identity` first, and now and then."""
        emitter, unkept = self._emitter, 0
        try:
            for second in count():
                if second % IDENTITY_EVERY_S == 0:
                    emitter.say(IDENTITY, identity | {"key": emitter.key})
                emitter.say(RECORD, self._record())
                try:
                    await emitter.send(self._connection)
                    unkept = 0
                except BusError as error:
                    _log.debug("evidence.waits", error=str(error))
                    unkept += 1
                    if unkept % _KEEP_EVERY == 1:
                        emitter.keep()
                await asyncio.sleep(RECORD_EVERY_S)
        finally:
            emitter.keep()

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
