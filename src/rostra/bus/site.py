"""What the site does on the bus: its processes tell one another what changed, and it schedules conversations."""

import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import replace

from rostra.bus.connection import Connection
from rostra.bus.revoked import revoke
from rostra.bus.roster import RosterLog
from rostra.bus.state import change_conversation, create_conversation, follow_conversations
from rostra.bus.subjects import SITE_SUBJECT
from rostra.bus.telemetry import follow_reports
from rostra.bus.verdicts import follow_verdicts
from rostra.core.conversation import Cancel, Conversation, End, Event, Rescheduled, Schedule, Told, advance
from rostra.core.errors import ConflictError
from rostra.core.messages import ConversationRecord, LiveVerdict
from rostra.core.overview import Overview, Watch
from rostra.core.roster import MODERATOR, Expel


class BusEvents:
    """Events of the site over NATS: who subscribes hears all that is told from then on, by any process."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def tell(self, payload: bytes) -> None:
        """BusError while the bus is away."""
        await self._connection.publish(SITE_SUBJECT, payload)

    async def hear(self) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._connection.subscribe(SITE_SUBJECT)) as messages:
            async for message in messages:
                yield message.data


class BusStage:
    """The conversations on the bus. `run` keeps what is known of them up to date."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._records: dict[str, ConversationRecord] = {}
        self._watch = Watch()

    async def run(self) -> None:
        """Follow every change, for ever."""
        async with aclosing(follow_conversations(self._connection)) as records:
            async for record in records:
                self._records[record.id] = record

    async def follow_verdicts(self) -> None:
        """Hear what the evidence of each conversation shows so far, for ever."""
        async with aclosing(follow_verdicts(self._connection)) as verdicts:
            async for verdict in verdicts:
                self._watch.hear(verdict, now_s=time.monotonic())

    def verdict(self, conversation: str) -> LiveVerdict | None:
        return self._watch.verdicts.get(conversation)

    async def watch(self) -> None:
        """Hear how edges and stages are, for ever."""
        async with aclosing(follow_reports(self._connection, "*")) as reports:
            async for report in reports:
                self._watch.hear(report, now_s=time.monotonic())

    def overview(self) -> Overview:
        return self._watch.overview(now_s=time.monotonic(), now_ns=time.time_ns())

    def record(self, conversation: str) -> ConversationRecord | None:
        return self._records.get(conversation)

    def records(self) -> Iterable[ConversationRecord]:
        return self._records.values()

    async def announce(self, conversation: str, schedule: Schedule) -> None:
        """Create it, or change its schedule if that is another one."""
        try:
            await create_conversation(self._connection, Conversation(conversation, schedule))
        except ConflictError:
            await change_conversation(self._connection, conversation, lambda before: _rescheduled(before, schedule))

    async def cancel(self, conversation: str) -> None:
        await self._advance(conversation, Cancel())

    async def end(self, conversation: str) -> None:
        await self._advance(conversation, End())

    async def expel(self, conversation: str, person: str, *, by: str, why: str) -> None:
        log = RosterLog(self._connection, conversation)
        await log.catch_up()
        await log.do(f"{MODERATOR}{by}", Expel(person), why=why, now_ns=time.time_ns())

    async def revoke(self, conversation: str, listener: bytes) -> None:
        await revoke(self._connection, conversation, listener, now_s=int(time.time()))

    async def tell(self, conversation: str, notice: str) -> None:
        """Safe to repeat: what was told last is not told again."""
        await change_conversation(
            self._connection,
            conversation,
            lambda before: (
                before if before.notice.text == notice else advance(before, Told(notice), now_ns=time.time_ns())
            ),
        )

    async def _advance(self, conversation: str, event: Event) -> None:
        await change_conversation(
            self._connection, conversation, lambda before: advance(before, event, now_ns=time.time_ns())
        )


def _rescheduled(before: Conversation, schedule: Schedule) -> Conversation:
    """As it was if it says the same: only a change raises the revision."""
    if replace(schedule, revision=before.schedule.revision) == before.schedule:
        return before
    return advance(before, Rescheduled(schedule), now_ns=time.time_ns())
