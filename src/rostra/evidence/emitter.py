"""One entry a second of what a process is and does: for the bus, or the disk while that is away."""

import asyncio
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Final

import structlog

from rostra.bus.connection import Connection
from rostra.bus.subjects import evidence_subject
from rostra.core.errors import BusError
from rostra.evidence.chain import Chain
from rostra.evidence.spool import Spool
from rostra.evidence.vitals import vitals
from rostra.signing import signing_key
from rostra.verifier.canonical import Json
from rostra.verifier.entry import digest

_log = structlog.get_logger()
RECORD_EVERY_S: Final = 1.0
IDENTITY_EVERY_S: Final = 600  # the bus keeps an hour: a witness that comes later still learns whose key is whose
_KEEP_EVERY: Final = 10  # records: while the bus is away, a kill costs ten seconds of them
RECORD: Final = "record"
IDENTITY: Final = "identity"


class Emitter:
    """Says things in one chain, and keeps them until the bus has them."""

    def __init__(self, chain: Chain, spool: Spool) -> None:
        self._chain = chain
        self._spool = spool

    def say(self, kind: str, body: dict[str, Json]) -> None:
        """Put an entry into the spool. If it is full nothing is said; the next entry tells how many were not."""
        if self._spool.lost:
            body = body | {"unsaid": self._spool.lost}
        entry = self._chain.sealed(kind, body)
        if self._spool.offer(entry):
            self._chain.said(entry)

    def keep(self) -> None:
        """What waits outlives this process, if the disk takes it."""
        try:
            self._spool.keep()
        except OSError as error:
            _log.warning("evidence.unkept", error=str(error), entries=len(self._spool))

    async def send(self, connection: Connection) -> None:
        """Give the bus what waits, oldest first, until there is no more or it does not take it."""
        while (entry := self._spool.oldest()) is not None:
            await connection.store(evidence_subject(self._chain.who), entry, message_id=digest(entry))
            self._spool.taken()


async def witnessed(
    connection: Connection, who: str, folder: Path, identity: dict[str, Json], report: Callable[[], dict[str, Json]]
) -> None:
    """Say once a second what `report` gives and the kernel counts, for ever; `identity` first, and now and then."""
    chain = Chain(who, signing_key(folder / f"{who}.key"))
    emitter = Emitter(chain, Spool(folder / f"{who}.spool"))
    unkept = 0
    try:
        for second in count():
            if second % IDENTITY_EVERY_S == 0:
                emitter.say(IDENTITY, identity | {"key": chain.key})
            emitter.say(RECORD, {"is": report(), "has": vitals()})
            try:
                await emitter.send(connection)
                unkept = 0
            except BusError as error:
                _log.debug("evidence.waits", error=str(error))
                unkept += 1
                if unkept % _KEEP_EVERY == 1:
                    emitter.keep()
            await asyncio.sleep(RECORD_EVERY_S)
    finally:
        emitter.keep()
