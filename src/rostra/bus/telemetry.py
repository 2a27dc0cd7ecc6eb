"""Reports that processes give of themselves once a second: never stored, never waited for."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog

from rostra.bus.connection import Connection
from rostra.bus.subjects import telemetry_subject
from rostra.core.errors import BadInputError, BusError
from rostra.core.messages import EdgeReport, RecorderReport, Report, StageReport, decode, encode

_log = structlog.get_logger()


def reporter(report: Report) -> tuple[str, str]:
    """The kind and the name of the process that `report` is of."""
    match report:
        case EdgeReport():
            return "edge", report.edge
        case StageReport():
            return "stage", report.stage
        case RecorderReport():
            return "recorder", report.recorder


async def publish_report(connection: Connection, report: Report) -> None:
    """Publish a report. While the bus is away it is dropped: the next one comes in a second."""
    kind, name = reporter(report)
    try:
        await connection.publish(telemetry_subject(kind, name), encode(report))
    except BusError:
        _log.debug("report.dropped", kind=kind)


async def follow_reports(connection: Connection, kind: str) -> AsyncGenerator[Report, None]:
    """Reports of every process of `kind` (`edge`, `stage`, `recorder`, or `*` for all) as they come."""
    async with aclosing(connection.subscribe(telemetry_subject(kind, "*"))) as messages:
        async for message in messages:
            try:
                report = decode(message.data)
            except BadInputError as error:
                _log.warning("report.refused", error=str(error))
                continue
            if isinstance(report, EdgeReport | StageReport | RecorderReport):
                yield report


async def collect_reports(connection: Connection, *, seconds: float) -> list[Report]:
    """The newest report of each process that speaks within `seconds`."""
    newest: dict[str, Report] = {}
    try:
        async with asyncio.timeout(seconds), aclosing(follow_reports(connection, "*")) as reports:
            async for report in reports:
                newest[reporter(report)[1]] = report
    except TimeoutError:
        return [newest[name] for name in sorted(newest)]
    return []
