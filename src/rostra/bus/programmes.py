"""What an edge reads from the bus, and what it writes: its report, and its bans."""

from collections.abc import AsyncIterator

from rostra.bus.bans import follow_bans, tell_ban
from rostra.bus.connection import Connection
from rostra.bus.programme import follow_programme
from rostra.bus.state import follow_conversations, read_init
from rostra.bus.telemetry import follow_reports, publish_report
from rostra.core.messages import BanNotice, Chunk, ConversationRecord, EdgeReport, Init


class BusProgrammes:
    """The bus as an edge sees it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def connected_since(self) -> float | None:
        """Monotonic seconds, or None while the bus is away."""
        return self._connection.connected_since

    def conversations(self) -> AsyncIterator[ConversationRecord]:
        return follow_conversations(self._connection)

    def chunks(self, conversation: str) -> AsyncIterator[Chunk]:
        return follow_programme(self._connection, conversation)

    async def init(self, conversation: str) -> Init | None:
        return await read_init(self._connection, conversation)

    async def edge_reports(self) -> AsyncIterator[EdgeReport]:
        async for report in follow_reports(self._connection, "edge"):
            if isinstance(report, EdgeReport):
                yield report

    def bans(self) -> AsyncIterator[BanNotice]:
        return follow_bans(self._connection)

    async def tell_ban(self, notice: BanNotice) -> None:
        await tell_ban(self._connection, notice)

    async def report(self, report: EdgeReport) -> None:
        await publish_report(self._connection, report)
