"""Reports of what became of voices on their hops: never stored, never waited for; the next one has all of it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog

from rostra.bus.connection import Connection
from rostra.bus.subjects import hop_subject
from rostra.core.errors import BadInputError, BusError
from rostra.core.messages import HopReport, decode, encode

_log = structlog.get_logger()


async def publish_hop(connection: Connection, report: HopReport) -> None:
    """Publish a report. While the bus is away it is dropped."""
    try:
        await connection.publish(hop_subject(report.conversation, report.hop), encode(report))
    except BusError:
        _log.debug("hop.dropped", conversation=report.conversation, hop=report.hop)


async def follow_hops(connection: Connection, conversation: str) -> AsyncGenerator[HopReport, None]:
    """What gates and stages report of a conversation's voices, as it comes."""
    async with aclosing(connection.subscribe(hop_subject(conversation, "*"))) as messages:
        async for message in messages:
            try:
                report = decode(message.data)
            except BadInputError as error:
                _log.warning("hop.refused", conversation=conversation, error=str(error))
                continue
            if isinstance(report, HopReport) and message.subject == hop_subject(conversation, report.hop):
                yield report
