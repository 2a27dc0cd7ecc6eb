"""The roster of a conversation on the bus: a log of acts that every gate applies, and to which any gate adds.

The next act has the next number, and a number is written once. So two gates never let two people take the last
seat: the slower one is told, reads what happened, and decides anew.
"""

import asyncio
from typing import Final

import structlog

from rostra.bus.connection import Connection, Stored
from rostra.bus.subjects import ACT_STREAM, act_subject
from rostra.core.errors import BadInputError, BusError, ConflictError
from rostra.core.limits import ACTS_MAX
from rostra.core.messages import StageAct, decode, encode
from rostra.core.roster import Act, Declined, Elapse, RaiseHand, Roster, act

_log = structlog.get_logger()
_PAGE: Final = 200  # acts that are asked for at once
# Subscribers hear an act before the stream has it: so after each sign the stream is read again soon, then rarely.
_SOON_S: Final = 0.02
_RETRY_S: Final = 0.2
_RECONCILE_S: Final = 5.0


class RosterLog:
    """`roster` after the first `number` acts of a conversation. `run` keeps it up to date; `do` adds to it."""

    def __init__(self, connection: Connection, conversation: str) -> None:
        self.roster = Roster()
        self.number = 0
        self._connection = connection
        self._conversation = conversation
        self._grown = asyncio.Event()

    async def run(self) -> None:
        """Follow what others do, for ever."""
        pause_s = _SOON_S
        async with self._connection.notified(act_subject(self._conversation, "*")) as changed:
            while True:
                changed.clear()
                try:
                    await self.catch_up()
                except BusError:
                    pause_s = _RETRY_S
                try:
                    async with asyncio.timeout(pause_s):
                        await changed.wait()
                    pause_s = _SOON_S
                except TimeoutError:
                    pause_s = min(2 * pause_s, _RECONCILE_S)

    async def catch_up(self) -> None:
        """Apply every act that is stored. BusError while the bus is away."""
        while True:
            first = self.number + 1
            subjects = [act_subject(self._conversation, number) for number in range(first, first + _PAGE)]
            for stored in await self._connection.last_of_each(ACT_STREAM, subjects):
                self._apply(int(stored.subject.rpartition(".")[2]), _parse(stored))
            if self.number < first + _PAGE - 1:
                return

    async def beyond(self, number: int) -> None:
        """Return when there have been more than `number` acts."""
        while self.number <= number:
            await self._grown.wait()

    async def do(self, by: str, what: Act, *, why: str = "", now_ns: int) -> Declined | None:
        """Have `by` do `what`, unless it may not be: then the reason. BusError if it could not be stored."""
        while True:
            after = act(self.roster, by, what, now_ns=now_ns)
            if isinstance(after, Declined):
                return after
            if after == self.roster:
                return None
            if isinstance(what, RaiseHand) and self.number >= ACTS_MAX:
                return Declined("No more hands are taken in this conversation.")
            done = StageAct(self._conversation, self.number + 1, now_ns, by, what, why)
            try:
                await self._connection.store(
                    act_subject(self._conversation, done.number), encode(done), expected_revision=0
                )
            except ConflictError:
                await self.catch_up()
                continue
            self._apply(done.number, done)
            if not isinstance(what, Elapse):
                _log.info("stage.act", conversation=self._conversation, by=by, act=type(what).__name__, why=why)
            return None

    def _apply(self, number: int, done: StageAct | None) -> None:
        if number != self.number + 1:
            return  # known already, or not the next one
        after = self.roster if done is None else act(self.roster, done.by, done.what, now_ns=done.at_ns)
        if isinstance(after, Roster):
            self.roster = after
        self.number = number
        self._grown.set()
        self._grown = asyncio.Event()


def _parse(stored: Stored) -> StageAct | None:
    """The act; None if a newer version of Rostra has written what this one does not know."""
    try:
        message = decode(stored.payload)
    except BadInputError as error:
        _log.error("act.unreadable", subject=stored.subject, error=str(error))
        return None
    return message if isinstance(message, StageAct) else None
