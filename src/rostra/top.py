"""`rostra top`: the operator's overview in a terminal, once a second."""

import asyncio
import time
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Final

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from rostra.bus.connection import Connection
from rostra.bus.telemetry import follow_reports
from rostra.bus.verdicts import follow_verdicts
from rostra.core.claims import evidence, percent
from rostra.core.messages import LiveVerdict
from rostra.core.overview import SILENT_S, Alarm, EdgeRow, Overview, Watch, Worry
from rostra.core.units import SECOND_NS

_EACH_S: Final = 1.0
_COLUMNS: Final = ("listeners", "of", "joins/s", "waiting", "rung", "writing", "lag", "held off")
_SAID: Final[dict[Worry, str]] = {
    "silent": "{about} has been silent for {value:.0f} s",
    "lag": "{about} is {value:.0f} ms late: newcomers wait",
    "writing": "{about} writes {value:.0%} of its time",
    "full": "{about} is {value:.0%} full",
    "waiting": "{value:.0f} people wait at {about}",
    "stage-late": "{about} was {value:.0f} ms late",
    "stage-backlog": "{about} has {value:.1f} s of sound that the bus has not taken",
    "no-stage": "no stage is heard: there is only what edges still have",
}


def render(overview: Overview) -> Group:
    table = Table("edge")
    for name in _COLUMNS:
        table.add_column(name, justify="left" if name == "rung" else "right", no_wrap=True)
    table.add_column("state")
    for edge in overview.edges:
        table.add_row(*_cells(edge), style="dim" if edge.silent_s >= SILENT_S else "")
    head = Text.assemble(
        (f"{overview.listeners:,}", "bold"),
        f" listen, room for {max(0, overview.capacity - overview.listeners):,} more; ",
        f"{overview.joins_hz:,.0f} join a second; {overview.waiting:,} wait",
    )
    alarms = [Text(f"! {said(alarm)}", style="bold red") for alarm in overview.warnings]
    verdicts = [Text(judged(each), style="bold" if each.firm else "") for each in overview.verdicts]
    return Group(head, table, *verdicts, *(alarms or [Text("Nothing to worry about.", style="green")]))


def judged(verdict: LiveVerdict) -> str:
    """What the evidence of a conversation shows so far, in a line."""
    harm, sure = verdict.harm, " (firm)" if verdict.firm else ""
    line = f"{verdict.conversation}: {verdict.label}{sure}, {percent(harm.share_u)} % harmed"
    line += f" ({percent(harm.low_u)}-{percent(harm.high_u)}), evidence for an attack: {evidence(verdict)}"
    since = datetime.fromtimestamp(verdict.since_ns / SECOND_NS, UTC)
    return f"{line}; since {since:%H:%M:%S} UTC"


def said(alarm: Alarm) -> str:
    return _SAID[alarm.worry].format(about=alarm.about, value=alarm.value)


def _cells(edge: EdgeRow) -> tuple[str, ...]:
    state = "silent" if edge.silent_s >= SILENT_S else "draining" if edge.draining else "up"
    return (
        edge.name,
        f"{edge.listeners:,}",
        f"{edge.capacity:,}",
        f"{edge.joins_hz:,.0f}",
        f"{edge.waiting:,}",
        edge.rung,
        f"{edge.write_share:.0%}",
        f"{edge.lag_ms:.0f} ms",
        f"{edge.shielded_hz:,.0f}",
        state,
    )


async def watch(connection: Connection, console: Console) -> None:
    """Show it until cancelled."""
    seen = Watch()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_hear(connection, seen), name="reports")
        with Live(render(_now(seen)), console=console, auto_refresh=False) as live:
            while True:
                await asyncio.sleep(_EACH_S)
                live.update(render(_now(seen)), refresh=True)


async def look(connection: Connection, *, seconds: float) -> Overview:
    """The overview after having listened for so long: the rates need two reports of each edge."""
    seen = Watch()
    try:
        async with asyncio.timeout(seconds):
            await _hear(connection, seen)
    except TimeoutError:
        return _now(seen)
    return _now(seen)


def _now(seen: Watch) -> Overview:
    return seen.overview(now_s=time.monotonic(), now_ns=time.time_ns())


async def _hear(connection: Connection, seen: Watch) -> None:
    async def verdicts() -> None:
        async with aclosing(follow_verdicts(connection)) as found:
            async for verdict in found:
                seen.hear(verdict, now_s=time.monotonic())

    async with asyncio.TaskGroup() as tasks, aclosing(follow_reports(connection, "*")) as reports:
        tasks.create_task(verdicts(), name="verdicts")
        async for report in reports:
            seen.hear(report, now_s=time.monotonic())
