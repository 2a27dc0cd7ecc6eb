"""Reports that processes give of themselves once a second: never stored, never waited for."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import assert_never

import structlog

from rostra.bus.connection import Connection
from rostra.bus.subjects import telemetry_subject
from rostra.core.errors import BadInputError, BusError
from rostra.core.messages import (
    CaptionsReport,
    EdgeReport,
    GateReport,
    RecorderReport,
    SiteReport,
    StageReport,
    WitnessReport,
    decode,
    encode,
)

_log = structlog.get_logger()
Report = EdgeReport | StageReport | GateReport | RecorderReport | SiteReport | CaptionsReport | WitnessReport


def sender(report: Report) -> tuple[str, str]:
    """Kind and name of the process."""
    match report:
        case EdgeReport(edge=name):
            return "edge", name
        case StageReport(stage=name):
            return "stage", name
        case GateReport(gate=name):
            return "gate", name
        case RecorderReport(recorder=name):
            return "recorder", name
        case SiteReport(site=name):
            return "site", name
        case CaptionsReport(captioner=name):
            return "captions", name
        case WitnessReport(witness=name):
            return "witness", name
        case _:
            assert_never(report)


async def publish_report(connection: Connection, report: Report) -> None:
    """Publish a report. While the bus is away it is dropped: the next one comes in a second."""
    kind, name = sender(report)
    connection.reported = report
    try:
        await connection.publish(telemetry_subject(kind, name), encode(report))
    except BusError:
        _log.debug("report.dropped", kind=kind)


async def follow_reports(connection: Connection, kind: str) -> AsyncGenerator[Report, None]:
    """Reports of every process of `kind` (`edge`, `stage` and so on, or `*` for all) as they come."""
    async with aclosing(connection.subscribe(telemetry_subject(kind, "*"))) as messages:
        async for message in messages:
            try:
                report = decode(message.data)
            except BadInputError as error:
                _log.warning("report.refused", error=str(error))
                continue
            if isinstance(report, Report):
                yield report


async def collect_reports(connection: Connection, *, seconds: float) -> list[Report]:
    """The newest report of each process that speaks within `seconds`."""
    newest: dict[tuple[str, str], Report] = {}
    try:
        async with asyncio.timeout(seconds), aclosing(follow_reports(connection, "*")) as reports:
            async for report in reports:
                newest[sender(report)] = report
    except TimeoutError:
        return [newest[sender] for sender in sorted(newest)]
    return []
