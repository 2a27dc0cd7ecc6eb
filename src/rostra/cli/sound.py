"""`rostra feed`, `listen`, `crowd`: sound in, sound out, and a crowd that checks it."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from rostra.bus.subjects import Role
from rostra.cli.app import (
    FOUND,
    ConversationId,
    JsonFlag,
    app,
    bus,
    err,
    out,
    print_json,
    run,
    show_progress,
)
from rostra.core.conversation import (
    parse_id,
)
from rostra.playback import sound_sink


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
            show_progress(f"{now.frames / 50:.0f} s sent, {now.stalls} pauses")

        with open_source(source, live=is_live, loop=loop, follow=follow) as frames:
            async with bus(Role.FEED) as connection:
                done = await run_feed(
                    connection,
                    conversation,
                    seat,
                    frames,
                    live=is_live,
                    even_level=not original,
                    on_progress=progress,
                )
        err.print(f"{done.frames / 50:.1f} s sent, {done.stalls} pauses, {done.dropped_frames} frames lost.")

    run(work())


@app.command("listen")
def listen_command(
    url: Annotated[str, typer.Argument(help="The conversation's page.")],
    to: Annotated[Path | None, typer.Option(help="Write what is heard to this file (WebM, Ogg or MP4).")] = None,
    play: Annotated[bool, typer.Option("--play", help="Play it with mpv or ffplay.")] = False,
    rendition: Annotated[str, typer.Option(help="Which rendition; else the first that is offered.")] = "",
    seconds: Annotated[float | None, typer.Option(help="Stop after this long; else at the end.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Listen as a stranger would and check what is heard. Exit code 3 if anything is missing or late."""
    from rostra.rehearsal.continuity import Continuity  # noqa: PLC0415
    from rostra.rehearsal.listener import Listener  # noqa: PLC0415

    def progress(heard: Continuity) -> None:
        show_progress(f"{heard.state or 'joining'}: chunk {heard.last_seq}, {heard.missing} missing")

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
    report = run_crowd(plan, any_host=any_host, on_progress=lambda count: show_progress(f"{count} hear it"))
    _report(report, ok=report.ok, as_json=as_json)


def _report(report: object, *, ok: bool, as_json: bool) -> None:
    values = msgspec.to_builtins(report)
    if as_json:
        print_json(values | {"ok": ok})
    else:
        for name, value in values.items():
            out.print(f"{name.replace('_', ' '):30} {value}")
        out.print("[green]nothing was missed[/]" if ok else "[red]something was missed[/]")
    if not ok:
        raise typer.Exit(FOUND)
