"""`rostra serve`, `status`, `top`, `fsck`, `demo`, and the processes that `serve` starts."""

import asyncio
from functools import partial
from typing import Annotated, Final

import typer

from rostra import roles, status
from rostra.cli.app import (
    FOUND,
    ConversationId,
    JsonFlag,
    app,
    bus,
    declare,
    err,
    out,
    print_json,
    run,
)
from rostra.config import read_settings
from rostra.core.conversation import (
    parse_duration_s,
    parse_id,
)
from rostra.core.errors import BadInputError, ConflictError
from rostra.core.messages import Move
from rostra.supervisor import serve

_REPORTS_S: Final = 1.2  # every process reports once a second


@app.command("serve")
def serve_command() -> None:
    """Run everything on this machine until Ctrl-C; restart what dies."""
    settings = read_settings()

    async def work() -> None:
        async with serve(settings):
            err.print(
                f"Rostra is up at [bold]{settings.url}[/]. Data and log: {settings.data}. Ctrl-C stops it.",
                soft_wrap=True,
            )
            if settings.sites and (link := await roles.owner_link(settings)):
                err.print(f"The site has no owner yet. Become it at {link}", soft_wrap=True)
            await asyncio.Event().wait()

    run(work())


@app.command("status")
def status_command(as_json: JsonFlag = False) -> None:
    """Conversations, stages, gates and edges as they are now."""

    async def work() -> None:
        from rostra.bus.state import conversations_now  # noqa: PLC0415
        from rostra.bus.telemetry import collect_reports  # noqa: PLC0415

        async with bus() as connection:
            records = await conversations_now(connection)
            reports = await collect_reports(connection, seconds=_REPORTS_S)
        if as_json:
            print_json(status.as_json(records, reports))
            return
        for table in status.as_tables(records, reports):
            out.print(table)

    run(work())


@app.command("top")
def top_command(
    once: Annotated[bool, typer.Option("--once", help="Look once, and end.")] = False, as_json: JsonFlag = False
) -> None:
    """Watch all edges: listeners, joins, rungs, the shield, lag, and what gives cause for worry."""

    async def work() -> None:
        from rostra import top  # noqa: PLC0415

        async with bus() as connection:
            if not (once or as_json):
                await top.watch(connection, out)
            overview = await top.look(connection, seconds=2 * _REPORTS_S)
        if as_json:
            print_json(overview)
        else:
            out.print(top.render(overview))

    run(work())


@app.command("move")
def move_command(
    conversation: ConversationId,
    to: Annotated[str, typer.Option("--to", help="The stage that goes on, e.g. stage-2.")],
) -> None:
    """Move a programme to another stage while it is on the air; nobody hears it. Refused if there is no room."""

    async def work() -> None:
        from rostra.bus.control import CALM_WITHIN_S, ask  # noqa: PLC0415

        async with bus() as connection:
            await declare(connection, "manual", parse_id(conversation), after=parse_id(to), text="move")
            refused = await ask(connection, parse_id(to), Move(parse_id(conversation)), timeout_s=CALM_WITHIN_S + 5)
        if refused:
            raise ConflictError(refused)
        out.print(f"{to} makes the programme of {conversation} now.")

    run(work())


@app.command("fsck")
def fsck_command(as_json: JsonFlag = False) -> None:
    """Check that what is kept is whole, in order and readable. Exit code 3 if it is not."""

    async def work() -> None:
        from rostra.bus.fsck import check  # noqa: PLC0415
        from rostra.recorder.check import check_recordings  # noqa: PLC0415
        from rostra.site.moderation.check import check_database  # noqa: PLC0415
        from rostra.witness.check import check_ledgers  # noqa: PLC0415

        async with bus() as connection:
            read, findings = await check(connection)
        segments, damaged = check_recordings(read_settings().recordings)
        decided, altered = await check_database(read_settings().database_url)
        entries, tampered = check_ledgers(read_settings().ledgers)
        read, findings = read + segments + decided + entries, findings + damaged + altered + tampered
        if as_json:
            print_json({"read": read, "findings": findings})
        else:
            for finding in findings:
                out.print(f"[red]{finding.where}[/]: {finding.what}")
            out.print(f"{read} entries read, {len(findings)} findings.")
        if findings:
            raise typer.Exit(FOUND)

    run(work())


@app.command("demo")
def demo_command(
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
    starts_in: Annotated[str, typer.Option(help="How long the hold music plays first.")] = "10s",
    rounds: Annotated[int, typer.Option(min=1, help="How often the recording is played before the end.")] = 20,
) -> None:
    """Start everything and put the bundled recording on the air a few seconds later."""
    from rostra.demo import run_demo  # noqa: PLC0415

    run(run_demo(read_settings(), starts_in_s=parse_duration_s(starts_in), rounds=rounds, browser=browser, out=err))


# --- the processes that `rostra serve` starts ------------------------------------------------------------


@app.command("stage", hidden=True)
def stage_command(name: Annotated[str, typer.Option()]) -> None:
    """One stage process."""
    run(roles.stage(roles.settings_of(name), name))


@app.command("gate", hidden=True)
def gate_command(name: Annotated[str, typer.Option()], worker: Annotated[int, typer.Option()] = 1) -> None:
    """One gate process."""
    settings = roles.settings_of(name)
    run(roles.gate(settings, name, worker), loop_factory=partial(roles.gate_loop, settings))


@app.command("edge", hidden=True)
def edge_command(name: Annotated[str, typer.Option()], worker: Annotated[int, typer.Option()] = 1) -> None:
    """One edge process."""
    run(roles.edge(roles.settings_of(name), name, worker))


@app.command("recorder", hidden=True)
def recorder_command(name: Annotated[str, typer.Option()]) -> None:
    """One recorder process."""
    run(roles.recorder(roles.settings_of(name), name))


@app.command("owner")
def owner_command() -> None:
    """Print a link at which a new site gets its owner; good once, for a day."""

    async def work() -> None:
        link = await roles.owner_link(read_settings())
        if link is None:
            raise BadInputError("The site has an owner already.")
        out.print(link, soft_wrap=True)

    run(work())


@app.command("site", hidden=True)
def site_command(name: Annotated[str, typer.Option()], worker: Annotated[int, typer.Option()] = 1) -> None:
    """One site process."""
    run(roles.site(roles.settings_of(name), name, worker))


@app.command("captions", hidden=True)
def captions_command(name: Annotated[str, typer.Option()]) -> None:
    """One captions process."""
    run(roles.captions(roles.settings_of(name), name))
