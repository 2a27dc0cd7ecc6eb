"""The `rostra` command: every subcommand's arguments and exit codes.

Exit codes: 0 done; 1 it could not be done (one sentence says why and what to do); 2 the command line is
wrong; 3 the check that was asked for has found something (`listen`, `crowd`, `fsck`).
"""

import asyncio
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import structlog
import typer
from rich.console import Console

from rostra import roles
from rostra.bus.connection import Connection, connect
from rostra.bus.subjects import Role
from rostra.config import read_settings
from rostra.core.conversation import (
    Cancel,
    Conversation,
    End,
    Event,
    Held,
    Live,
    Rescheduled,
    Schedule,
    advance,
    id_from_title,
    is_over,
    parse_duration_s,
    parse_id,
    parse_instant_ns,
    parse_timezone,
    plan,
)
from rostra.core.errors import BadInputError, ConflictError, RostraError
from rostra.core.units import SECOND_NS
from rostra.playback import sound_sink
from rostra.recordings import recordings_app
from rostra.status import conversations_table, processes_table, status_json
from rostra.supervisor import bus_address, serve

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Rostra: live public audio conversations that start on time.",
)
app.add_typer(recordings_app, name="recording", help="Recordings: what there is, and deleting it.")
_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)
FOUND: Final = 3
_REPORTS_S: Final = 1.2  # every process reports once a second

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
ConversationId = Annotated[str, typer.Argument(help="The conversation's id, as `rostra schedule` printed it.")]
At = Annotated[str, typer.Option("--at", help='"20:00", "2026-11-21 20:00", "+10m" or "now".')]
TimeZone = Annotated[str, typer.Option("--tz", help="IANA time zone of the announced instant.")]


def main() -> None:
    """Run the command line; what a person can put right is told in one sentence, never as a traceback."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=sys.stderr))
    try:
        app()
    except (RostraError, BaseExceptionGroup) as error:
        cause: BaseException = error
        while isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        if not isinstance(cause, RostraError):
            raise
        _err.print(f"[bold red]rostra:[/] {cause}", soft_wrap=True)
        sys.exit(1)


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Do `work`; SIGINT and SIGTERM both end it in order."""

    async def stoppable() -> None:
        working = asyncio.current_task()
        assert working is not None

        def stop() -> None:
            roles.stop_within(roles.STOP_S)
            working.cancel()

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
        await work

    try:
        asyncio.run(stoppable())
    except (KeyboardInterrupt, asyncio.CancelledError):
        _err.print("Stopped.")


@asynccontextmanager
async def _bus(role: Role = Role.OPERATOR) -> AsyncIterator[Connection]:
    async with connect(bus_address(read_settings(), role), role=role, name=f"rostra {role}") as connection:
        yield connection


def _progress(words: str) -> None:
    """One line that is written over; nothing where nobody looks."""
    if _err.is_terminal:
        _err.print(words, end="\r")


def _print_json(value: object) -> None:
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")


# --- the operator's commands ---------------------------------------------------------------------------


@app.command("serve")
def serve_command() -> None:
    """Run everything on this machine until Ctrl-C; restart what dies."""
    settings = read_settings()

    async def work() -> None:
        async with serve(settings):
            _err.print(
                f"Rostra is up at [bold]{settings.url}[/]. Data and log: {settings.data}. Ctrl-C stops it.",
                soft_wrap=True,
            )
            await asyncio.Event().wait()

    _run(work())


@app.command("schedule")
def schedule_command(
    title: Annotated[str, typer.Argument(help="What the conversation is called.")],
    at: At,
    timezone: TimeZone = "Europe/Amsterdam",
    doors: Annotated[str, typer.Option(help="How long before the start the doors open.")] = "30m",
    duration: Annotated[str, typer.Option(help="It ends by itself after this long.")] = "4h",
    language: Annotated[str, typer.Option(help="Language of the announcements: en or nl.")] = "en",
    conversation_id: Annotated[
        str | None, typer.Option("--id", help="Its id; made from the title if left out.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Announce a conversation."""
    settings = read_settings()
    now_ns = time.time_ns()
    conversation = Conversation(
        id=parse_id(conversation_id) if conversation_id else id_from_title(title, suffix=secrets.token_hex(2)),
        schedule=plan(
            title,
            starts_ns=parse_instant_ns(at, timezone=timezone, now_ns=now_ns),
            doors_lead_s=parse_duration_s(doors),
            duration_s=parse_duration_s(duration),
            timezone=timezone,
            language=language,
            now_ns=now_ns,
        ),
    )

    async def work() -> None:
        async with _bus() as connection:
            await _create(connection, conversation)
        url = f"{settings.url}/c/{conversation.id}"
        if as_json:
            _print_json(
                {"id": conversation.id, "url": url, "starts_ms": conversation.schedule.starts_ns // 1_000_000}
            )
        else:
            _out.print(f"[bold]{conversation.schedule.title}[/] starts {_local(conversation.schedule)}.")
            _out.print(f"  listen  {url}\n  speak   rostra feed {conversation.id} FILE")

    _run(work())


async def _create(connection: Connection, conversation: Conversation) -> None:
    from rostra.bus.state import create_conversation  # noqa: PLC0415

    try:
        await create_conversation(connection, conversation)
    except ConflictError as error:
        raise BadInputError(f"There is a conversation {conversation.id!r} already: choose another --id.") from error


def _local(schedule: Schedule) -> str:
    at = datetime.fromtimestamp(schedule.starts_ns / SECOND_NS, parse_timezone(schedule.timezone))
    return f"{at:%A %d %B %Y, %H:%M:%S} ({schedule.timezone})"


@app.command("reschedule")
def reschedule_command(
    conversation: ConversationId,
    at: At,
    timezone: TimeZone = "Europe/Amsterdam",
) -> None:
    """Move the announced instant; everybody who waits is told."""
    starts_ns = parse_instant_ns(at, timezone=timezone, now_ns=time.time_ns())

    def moved(before: Conversation) -> Event:
        schedule, state = before.schedule, before.state
        if isinstance(state, Live) or (isinstance(state, Held) and state.begun):
            raise BadInputError(f"{conversation!r} has begun: what has begun cannot start at another time.")
        return Rescheduled(
            plan(
                schedule.title,
                starts_ns=starts_ns,
                doors_lead_s=(schedule.starts_ns - schedule.doors_ns) // SECOND_NS,
                duration_s=(schedule.ends_ns - schedule.starts_ns) // SECOND_NS,
                timezone=timezone,
                language=schedule.language,
                now_ns=time.time_ns(),
            )
        )

    _run(_change(conversation, moved, "now starts at another time"))


@app.command("end")
def end_command(conversation: ConversationId) -> None:
    """End a conversation now: the music fades, listeners are thanked and let go."""
    _run(_change(conversation, lambda _: End(), "has ended"))


@app.command("cancel")
def cancel_command(conversation: ConversationId) -> None:
    """Cancel a conversation; whoever waits is told."""
    _run(_change(conversation, lambda _: Cancel(), "is cancelled"))


async def _change(conversation: str, make_event: Any, outcome: str) -> None:
    from rostra.bus.state import change_conversation  # noqa: PLC0415

    def change(before: Conversation) -> Conversation:
        if is_over(before.state):
            raise BadInputError(f"The conversation {conversation!r} is over already.")
        return advance(before, make_event(before), now_ns=time.time_ns())

    async with _bus() as connection:
        if await change_conversation(connection, parse_id(conversation), change) is None:
            raise BadInputError(f"There is no conversation {conversation!r}: see `rostra status`.")
    _out.print(f"{conversation} {outcome}.")


@app.command("status")
def status_command(as_json: JsonFlag = False) -> None:
    """Conversations and processes as they are now."""

    async def work() -> None:
        from rostra.bus.state import conversations_now  # noqa: PLC0415
        from rostra.bus.telemetry import collect_reports  # noqa: PLC0415

        async with _bus() as connection:
            records = await conversations_now(connection)
            reports = await collect_reports(connection, seconds=_REPORTS_S)
        if as_json:
            _print_json(status_json(records, reports))
            return
        for table in (conversations_table(records, reports), processes_table(reports)):
            _out.print(table)

    _run(work())


@app.command("fsck")
def fsck_command(as_json: JsonFlag = False) -> None:
    """Check that what is kept is whole, in order and readable. Exit code 3 if it is not."""

    async def work() -> None:
        from rostra.bus.fsck import check  # noqa: PLC0415
        from rostra.recorder.check import check_recordings  # noqa: PLC0415

        async with _bus() as connection:
            read, findings = await check(connection)
        segments, damaged = check_recordings(read_settings().recordings)
        read, findings = read + segments, findings + damaged
        if as_json:
            _print_json({"read": read, "findings": findings})
        else:
            for finding in findings:
                _out.print(f"[red]{finding.where}[/]: {finding.what}")
            _out.print(f"{read} entries read, {len(findings)} findings.")
        if findings:
            raise typer.Exit(FOUND)

    _run(work())


# --- sound ---------------------------------------------------------------------------------------------


@app.command("feed")
def feed_command(
    conversation: ConversationId,
    source: Annotated[str, typer.Argument(help="A file, a URL, or - for standard input.")],
    seat: Annotated[str, typer.Option(help="Name of the seat on the stage.")] = "feed",
    live: Annotated[
        bool | None, typer.Option("--live/--file", help="Low delay, or one second ahead. Default: by the source.")
    ] = None,
    original: Annotated[bool, typer.Option("--original", help="Leave the level as it is.")] = False,
    loop: Annotated[bool, typer.Option("--loop", help="Play a file again and again.")] = False,
    follow: Annotated[
        bool, typer.Option("--follow", help="Wait for more at the end of a file that grows.")
    ] = False,
) -> None:
    """Put a recording or a live source on the stage as a speaker, in real time."""
    parse_id(conversation), parse_id(seat)
    is_live = live if live is not None else not Path(source).is_file()

    async def work() -> None:
        from rostra.stage.feed import FeedProgress, open_source, run_feed  # noqa: PLC0415

        async def progress(now: FeedProgress) -> None:
            _progress(f"{now.frames / 50:.0f} s sent, {now.stalls} pauses")

        with open_source(source, live=is_live, loop=loop, follow=follow) as frames:
            async with _bus(Role.FEED) as connection:
                done = await run_feed(
                    connection,
                    conversation,
                    seat,
                    frames,
                    live=is_live,
                    even_level=not original,
                    on_progress=progress,
                )
        _err.print(f"{done.frames / 50:.1f} s sent, {done.stalls} pauses, {done.dropped_frames} frames lost.")

    _run(work())


@app.command("demo")
def demo_command(
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
    starts_in: Annotated[str, typer.Option(help="How long the hold music plays first.")] = "10s",
    rounds: Annotated[int, typer.Option(min=1, help="How often the recording is played before the end.")] = 20,
) -> None:
    """Start everything and put the bundled recording on the air a few seconds later."""
    from rostra.demo import run_demo  # noqa: PLC0415

    _run(
        run_demo(read_settings(), starts_in_s=parse_duration_s(starts_in), rounds=rounds, browser=browser, out=_err)
    )


@app.command("listen")
def listen_command(
    url: Annotated[str, typer.Argument(help="The conversation's page.")],
    to: Annotated[Path | None, typer.Option(help="Write what is heard to this file (WebM, Ogg or MP4).")] = None,
    play: Annotated[bool, typer.Option("--play", help="Play it with mpv or ffplay.")] = False,
    rendition: Annotated[str, typer.Option(help="Which rendition.")] = "webm-64",
    seconds: Annotated[float | None, typer.Option(help="Stop after this long; else at the end.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Listen as a stranger would and check what is heard. Exit code 3 if anything is missing or late."""
    from rostra.rehearsal.continuity import Continuity  # noqa: PLC0415
    from rostra.rehearsal.listener import Listener  # noqa: PLC0415

    def progress(heard: Continuity) -> None:
        _progress(f"{heard.state or 'joining'}: chunk {heard.last_seq}, {heard.missing} missing")

    with sound_sink(to, play=play) as sink:
        report = Listener(url, rendition=rendition, sink=sink).listen(seconds=seconds, on_read=progress)
    _report(report, ok=report.ok, as_json=as_json)


@app.command("crowd")
def crowd_command(
    url: Annotated[str, typer.Argument(help="The conversation's page.")],
    listeners: Annotated[int, typer.Option(min=1, help="How many come.")] = 1000,
    join_rate: Annotated[float, typer.Option(min=0.1, help="How many join a second.")] = 500,
    seconds: Annotated[float, typer.Option(min=1, help="How long after the first they stay.")] = 30,
    rendition: Annotated[str, typer.Option(help="Which rendition they take.")] = "webm-32",
    processes: Annotated[int, typer.Option(min=1, help="Processes to spread them over.")] = 1,
    any_host: Annotated[bool, typer.Option("--i-own-this-target", help="Another machine than this one.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Send real listeners who check every chunk. Exit code 3 if any of them missed anything."""
    from rostra.rehearsal.crowd import CrowdPlan, run_crowd  # noqa: PLC0415

    plan = CrowdPlan(url, listeners, join_rate, seconds, rendition, processes)
    report = run_crowd(plan, any_host=any_host, on_progress=lambda heard: _progress(f"{heard} hear the programme"))
    _report(report, ok=report.ok, as_json=as_json)


def _report(report: object, *, ok: bool, as_json: bool) -> None:
    values = msgspec.to_builtins(report)
    if as_json:
        _print_json(values | {"ok": ok})
    else:
        for name, value in values.items():
            _out.print(f"{name.replace('_', ' '):30} {value}")
        _out.print("[green]nothing was missed[/]" if ok else "[red]something was missed[/]")
    if not ok:
        raise typer.Exit(FOUND)


# --- the processes that `rostra serve` starts ------------------------------------------------------------


@app.command("stage", hidden=True)
def stage_command(name: Annotated[str, typer.Option()]) -> None:
    """One stage process."""
    _run(roles.stage(roles.settings_of(name), name))


@app.command("edge", hidden=True)
def edge_command(name: Annotated[str, typer.Option()], worker: Annotated[int, typer.Option()] = 1) -> None:
    """One edge process."""
    _run(roles.edge(roles.settings_of(name), name, worker))


@app.command("recorder", hidden=True)
def recorder_command(name: Annotated[str, typer.Option()]) -> None:
    """One recorder process."""
    _run(roles.recorder(roles.settings_of(name), name))
