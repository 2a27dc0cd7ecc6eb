"""What a process says, in one chain: for the bus, or the disk while that is away."""

import asyncio
import time

import structlog

from rostra.bus.connection import Connection
from rostra.bus.subjects import evidence_subject
from rostra.core.errors import BusError
from rostra.evidence.chain import Chain
from rostra.evidence.spool import Spool
from rostra.verifier.canonical import Json
from rostra.verifier.entry import entry_digest

_log = structlog.get_logger()


class Emitter:
    """Says things in one chain, and keeps them until the bus has them. `bus_us` is what its last answer took."""

    def __init__(self, chain: Chain, spool: Spool) -> None:
        self._chain = chain
        self._spool = spool
        self._sending = asyncio.Lock()
        self.bus_us: int | None = None
        self.bus_failures = 0
        self.disk_failures = 0

    def __len__(self) -> int:
        """How many entries wait."""
        return len(self._spool)

    @property
    def key(self) -> str:
        """The public key, in hexadecimal."""
        return self._chain.key

    def say(self, kind: str, body: dict[str, Json]) -> bool:
        """Put an entry into the spool. If it is full nothing is said; the next entry tells how many were not."""
        if self._spool.lost:
            body = body | {"unsaid": self._spool.lost}
        entry = self._chain.sealed(kind, body)
        if taken := self._spool.offer(entry):
            self._chain.said(entry)
        return taken

    def keep(self) -> bool:
        """What waits outlives this process, if the disk takes it."""
        try:
            self._spool.keep()
        except OSError as error:
            self.disk_failures += 1
            _log.warning("evidence.unkept", error=str(error), entries=len(self._spool))
            return False
        return True

    async def send(self, connection: Connection) -> None:
        """Give the bus what waits, oldest first, until there is no more. BusError if it does not take it."""
        async with self._sending:
            while (entry := self._spool.oldest()) is not None:
                began = time.perf_counter()
                try:
                    await connection.store(evidence_subject(self._chain.who), entry, message_id=entry_digest(entry))
                except BusError:
                    self.bus_failures += 1
                    raise
                self.bus_us = round(1_000_000 * (time.perf_counter() - began))
                self._spool.taken()
