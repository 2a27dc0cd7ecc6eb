"""What `rostra status` shows: conversations, and every process with what it carries and how it is."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import assert_never

import msgspec
from rich.table import Table

from rostra.bus.telemetry import Report
from rostra.core.conversation import parse_timezone
from rostra.core.messages import (
    CaptionsReport,
    ConversationRecord,
    EdgeReport,
    GateReport,
    RecorderReport,
    SiteReport,
    StageReport,
    WitnessReport,
)
from rostra.core.units import SECOND_NS


def as_json(records: Iterable[ConversationRecord], reports: Sequence[Report]) -> dict[str, object]:
    def of(kind: type[Report]) -> list[dict[str, object]]:
        return [msgspec.structs.asdict(report) for report in reports if isinstance(report, kind)]

    return {
        "conversations": [msgspec.structs.asdict(record) for record in records],
        "edges": of(EdgeReport),
        "gates": of(GateReport),
        "recorders": of(RecorderReport),
        "sites": of(SiteReport),
        "captioners": of(CaptionsReport),
        "stages": of(StageReport),
        "witnesses": of(WitnessReport),
    }


def as_tables(records: Iterable[ConversationRecord], reports: Sequence[Report]) -> Iterator[Table]:
    table = Table("conversation", "title", "state", "starts", "listeners", "speakers", title="Conversations")
    for record in sorted(records, key=lambda record: record.starts_ns):
        starts = datetime.fromtimestamp(record.starts_ns / SECOND_NS, parse_timezone(record.timezone))
        listeners = sum(r.listeners.get(record.id, 0) for r in reports if isinstance(r, EdgeReport))
        speakers = sum(len(r.connected.get(record.id, ())) for r in reports if isinstance(r, GateReport))
        when = f"{starts:%Y-%m-%d %H:%M:%S %Z}"
        table.add_row(record.id, record.title, record.state, when, str(listeners), str(speakers))
    yield table
    table = Table("process", "carries", "health", title="Processes")
    for report in reports:
        table.add_row(*_row(report))
    yield table


def _row(report: Report) -> tuple[str, str, str]:
    match report:
        case EdgeReport():
            waiting = sum(count for bins in report.waiting for _, _, count in bins)
            return (
                report.edge,
                f"{sum(report.listeners.values())} of {report.capacity} listeners",
                f"{report.rung}, {waiting} wait, writing {report.write_share:.0%} of the time"
                + (", draining" if report.draining else ""),
            )
        case StageReport():
            late = f"latest frame {report.lateness_max_ms:.1f} ms, {report.frames_late} late"
            return (
                report.stage,
                f"on air: {', '.join(report.active) or '-'}; standing by: {', '.join(report.standby) or '-'}",
                f"{late}, clock {report.clock_offset_ms:+.1f} ms",
            )
        case GateReport():
            speakers = sum(len(persons) for persons in report.connected.values())
            return report.gate, f"{speakers} speakers", f"{report.frames_late} frames late"
        case RecorderReport():
            finishing = f"; finishing: {', '.join(report.finishing)}" if report.finishing else ""
            waiting_s, lost_s = report.pending_chunks / 10, report.dropped_chunks / 10
            disk = f"{report.failures} failures, {report.free_bytes >> 30} GB free"
            return (
                report.recorder,
                f"recording: {', '.join(report.recording) or '-'}{finishing}",
                f"{waiting_s:.1f} s wait for the disk, {lost_s:.1f} s lost, {disk}",
            )
        case SiteReport():
            return (
                report.site,
                f"{report.requests} requests, {report.streams} streams",
                f"{report.failures} failures, {report.jobs_waiting} jobs wait",
            )
        case CaptionsReport():
            standby = f"; standing by: {', '.join(report.standby)}" if report.standby else ""
            return (
                report.captioner,
                f"captions: {', '.join(report.captioning) or '-'}{standby}",
                f"{report.behind_max_ms / 1000:.1f} s behind, {report.skipped} utterances skipped",
            )
        case WitnessReport():
            ledgers = ", ".join(f"{name} ({length})" for name, length in sorted(report.ledgers.items()))
            return (
                report.witness,
                f"ledgers: {ledgers or '-'}",
                f"{report.entries} entries, {report.refused} refused, {report.failures} failures of the disk",
            )
        case _:
            assert_never(report)
