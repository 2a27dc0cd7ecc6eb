"""What `rostra status` shows: conversations and processes, as tables and as JSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from rich.table import Table

from rostra.bus.telemetry import reporter
from rostra.core.conversation import parse_timezone
from rostra.core.messages import ConversationRecord, EdgeReport, RecorderReport, Report, StageReport
from rostra.core.units import SECOND_NS


def status_json(records: Sequence[ConversationRecord], reports: Sequence[Report]) -> dict[str, Any]:
    return {
        "conversations": [msgspec.structs.asdict(record) for record in records],
        "edges": [msgspec.structs.asdict(each) for each in reports if isinstance(each, EdgeReport)],
        "stages": [msgspec.structs.asdict(each) for each in reports if isinstance(each, StageReport)],
        "recorders": [msgspec.structs.asdict(each) for each in reports if isinstance(each, RecorderReport)],
    }


def conversations_table(records: Sequence[ConversationRecord], reports: Sequence[Report]) -> Table:
    table = Table("conversation", "title", "state", "starts", "listeners", title="Conversations")
    for record in sorted(records, key=lambda record: record.starts_ns):
        starts = datetime.fromtimestamp(record.starts_ns / SECOND_NS, parse_timezone(record.timezone))
        listeners = sum(r.listeners.get(record.id, 0) for r in reports if isinstance(r, EdgeReport))
        table.add_row(record.id, record.title, record.state, f"{starts:%Y-%m-%d %H:%M:%S %Z}", str(listeners))
    return table


def processes_table(reports: Sequence[Report]) -> Table:
    table = Table("process", "carries", "health", title="Processes")
    for report in reports:
        table.add_row(reporter(report)[1], *_row(report))
    return table


def _row(report: Report) -> tuple[str, str]:
    """What a process carries, and how it is."""
    match report:
        case EdgeReport():
            return (
                f"{sum(report.listeners.values())} of {report.capacity} listeners",
                f"cadence {report.cadence_ms} ms, writing {report.write_share:.0%} of the time"
                + (", draining" if report.draining else ""),
            )
        case StageReport():
            carries = f"on air: {', '.join(report.active) or '-'}; standing by: {', '.join(report.standby) or '-'}"
            clock = f"clock {report.clock_offset_ms:+.1f} ms"
            return carries, f"latest frame {report.lateness_max_ms:.1f} ms, {report.frames_late} late, {clock}"
        case RecorderReport():
            finishing = f"; finishing: {', '.join(report.finishing)}" if report.finishing else ""
            waiting_s, lost_s = report.pending_chunks / 10, report.dropped_chunks / 10
            disk = f"{report.failures} failures, {report.free_bytes >> 30} GB free"
            return (
                f"recording: {', '.join(report.recording) or '-'}{finishing}",
                f"{waiting_s:.1f} s wait for the disk, {lost_s:.1f} s lost, {disk}",
            )
