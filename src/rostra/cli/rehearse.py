"""`rostra rehearse`, `plan`, `certificate`: what holds is proved before the evening, and checked on the day."""

from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from typer.core import TyperGroup

from rostra.cli.app import FOUND, JsonFlag, app, bus, declare, err, out, print_json, run, show_progress
from rostra.config import read_settings
from rostra.core.conversation import parse_duration_s
from rostra.core.errors import BadInputError, BusError
from rostra.core.renditions import RENDITIONS

_CHANGED: Final = 1
_NOT_GENUINE: Final = 2


# --- rehearse --------------------------------------------------------------------------------------------


class _ScriptUnlessNamed(TyperGroup):
    """`rostra rehearse incidents` is a command of its own; all else after `rehearse` is about a script."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        named = args and (args[0] in self.commands or args[0] == "--help")
        return super().parse_args(ctx, args if named else [_SCRIPT, *args])


_SCRIPT: Final = "script"
rehearse_app = typer.Typer(cls=_ScriptUnlessNamed)
app.add_typer(rehearse_app, name="rehearse", help="Rehearse a script, or make incidents.")


@rehearse_app.command(_SCRIPT)
def rehearse_command(
    script: Annotated[str, typer.Argument(help="A script: a TOML file, or the name of a shipped one.")] = "",
    own: Annotated[
        bool, typer.Option("--own", help="Start a system of its own, whatever the script says.")
    ] = False,
    target: Annotated[str, typer.Option(help="The conversation to go to, whatever the script says.")] = "",
    allow: Annotated[list[str] | None, typer.Option(help="Another host that may be the target.")] = None,
    to: Annotated[Path, typer.Option("--certificate", help="Where the certificate goes.")] = Path(
        "certificate.json"
    ),
    workers: Annotated[int, typer.Option(min=0, help="So many machines help: `--join` there.")] = 0,
    bind: Annotated[str, typer.Option(help="Address at which they join.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port at which they join.")] = 5557,
    join: Annotated[str, typer.Option(help="Help the rehearsal that is led at this host.")] = "",
    web: Annotated[int, typer.Option(help="Port of Locust's page on loopback. 0: none.")] = 0,
) -> None:
    """Send a crowd, attackers and faults, and write down what held: a signed certificate.

    Exit code 3 if something did not hold. Without SCRIPT the shipped scripts are listed.
    """
    if find_spec("locust") is None:
        raise BadInputError("Rehearsals need Locust: install rostra[rehearse].")
    from rostra import rehearsing  # noqa: PLC0415 # numpy, and a process's worth of modules

    settings = read_settings()
    if join:
        if target:
            rehearsing.may_go(settings, target, allow or [])
        rehearsing.help_swarm(join, port, target)
        return
    if not script:
        for name, about in rehearsing.shipped().items():
            out.print(f"[bold]{name:10}[/] {about}")
        return
    from rostra.rehearsal.certificate import public_text, sign  # noqa: PLC0415
    from rostra.rehearsal.script import OWN  # noqa: PLC0415
    from rostra.rehearsal.target import is_here  # noqa: PLC0415
    from rostra.signing import signing_key  # noqa: PLC0415

    played = rehearsing.open_script(script)
    played = msgspec.structs.replace(played, target=OWN if own else target or played.target)
    muster = rehearsing.muster(settings, played, allow or [], workers=workers, bind=bind, port=port, web_port=web)
    key = signing_key(settings.rehearsal_key)
    certificate = rehearsing.play(settings, muster, run, show_progress)
    if played.target == OWN or is_here(played.target):
        signed = sign(certificate, key)
        run(_declare(certificate.target, signed, "; ".join(rehearsing.certificate_facts(certificate))))
        to.write_bytes(signed)
        outcome = f"Written to {to}."
    else:
        outcome = "No certificate: it is about the machine that carries, so lead the rehearsal from there."
    for line in rehearsing.certificate_lines(certificate, public_text(key.public_key())):
        out.print(line, soft_wrap=True)
    out.print(outcome, soft_wrap=True)
    if certificate.failed:
        raise typer.Exit(FOUND)


@rehearse_app.command("incidents")
def incidents_command(
    out_folder: Annotated[Path, typer.Option("--out", help="One folder of it for each incident.")],
    count: Annotated[int, typer.Option(min=1, help="How many.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Even ones are for fitting, odd for testing.")] = 1,
    parallel: Annotated[int, typer.Option(min=1, max=64, help="How many at once.")] = 1,
    kinds: Annotated[str, typer.Option(help="Comma-separated, e.g. N,A2,D1,A2+O2; else all in turn.")] = "",
) -> None:
    """Injure a small Rostra of its own in every way, find the truth by re-runs, and keep the evidence.

    What is in the folder already is not made again. Exit code 3 if some failed, or had to be thrown away because
    this machine was too busy.
    """
    from rostra import rehearsing  # noqa: PLC0415 # numpy, and a process's worth of modules

    tally = rehearsing.incidents(
        read_settings(), out_folder, count=count, seed=seed, parallel=parallel, kinds=kinds, say=out.print
    )
    out.print(
        f"{tally.made} made, {tally.there} were there, {tally.disturbed} disturbed by this machine, "
        f"{tally.failed} failed."
    )
    if tally.disturbed or tally.failed:
        raise typer.Exit(FOUND)


async def _declare(target: str, signed: bytes, facts: str) -> None:
    """Say what was certified, if a Rostra runs here; its edges say it again when they begin to go by it."""
    try:
        async with bus() as connection:
            await declare(connection, "rehearsal", target, after=sha256(signed).hexdigest(), text=facts)
    except BusError as error:
        err.print(f"[dim]Not in any ledger yet: {error}[/]", soft_wrap=True)


# --- plan ------------------------------------------------------------------------------------------------


@app.command("plan")
def plan_command(
    listeners: Annotated[int, typer.Option(min=1, max=10_000_000, help="How many come.")],
    certificate: Annotated[Path, typer.Option(help="What a machine was shown to do.")],
    curve: Annotated[str, typer.Option(help="How they come: trickle, surge, famous.")] = "trickle",
    over: Annotated[str, typer.Option(help="Within which time they come.")] = "30m",
    cores: Annotated[int | None, typer.Option(min=1, help="Of one machine; else as rehearsed.")] = None,
    line: Annotated[float, typer.Option(min=0.1, help="Of one machine, in Gbit/s.")] = 10.0,
    machine_price: Annotated[float, typer.Option(min=0, help="Of one machine, in euros an hour.")] = 0.80,
    traffic_price: Annotated[float, typer.Option(min=0, help="Of a gigabyte, in euros.")] = 0.001,
    wait: Annotated[float, typer.Option(min=0, help="How many seconds anybody may wait at most.")] = 3.0,
    rendition: Annotated[str, typer.Option(help="What they listen to.")] = "webm-32",
    as_json: JsonFlag = False,
) -> None:
    """Compute what a crowd needs, from what was rehearsed: machines, lines, bus, waiting room, cost."""
    from rostra import rehearsing  # noqa: PLC0415 # numpy
    from rostra.rehearsal.plan import Terms, plan  # noqa: PLC0415

    if rendition not in RENDITIONS:
        raise BadInputError(f"There is no rendition {rendition!r}: choose one of {', '.join(RENDITIONS)}.")
    shown, _ = rehearsing.open_certificate(certificate)
    found = plan(
        rehearsing.crowd_of(curve, listeners, parse_duration_s(over)),
        shown,
        Terms(
            cores=cores or shown.surroundings.machine.cores,
            line_bps=line * 1e9,
            machine_eur_h=machine_price,
            traffic_eur_gb=traffic_price,
            wait_max_s=wait,
        ),
        rendition=rendition,
    )
    if as_json:
        print_json(found)
        return
    for table in rehearsing.plan_tables(found):
        out.print(table)
    for sentence in found.assumes:
        out.print(f"  [dim]{sentence}[/]")


# --- certificates ----------------------------------------------------------------------------------------

certificate_app = typer.Typer(no_args_is_help=True, help="Certificates of capacity: look at one, check one.")
app.add_typer(certificate_app, name="certificate")
CertificateFile = Annotated[Path, typer.Argument(help="The file that `rostra rehearse` wrote.")]


@certificate_app.command("show")
def show_command(
    file: CertificateFile,
    page: Annotated[Path | None, typer.Option(help="Write a page with plots to this file instead.")] = None,
    language: Annotated[str, typer.Option(help="Language of the page: en or nl.")] = "en",
    as_json: JsonFlag = False,
) -> None:
    """Print what a certificate says, or make a page of it that a manager can read."""
    from rostra import rehearsing  # noqa: PLC0415 # numpy

    certificate, key = rehearsing.open_certificate(file)
    if page is not None:
        from rostra.rehearsal.certificate_page import render  # noqa: PLC0415

        page.write_text(render(certificate, key, language), encoding="utf-8")
        return
    if as_json:
        print_json(certificate)
        return
    for line in rehearsing.certificate_lines(certificate, key):
        out.print(line, soft_wrap=True)


@certificate_app.command("verify")
def verify_command(
    file: CertificateFile,
    key: Annotated[
        str | None, typer.Option(help="The public key that must have signed it; else the one of this machine.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Check a certificate against this machine, these versions and these settings, as they are now.

    Exit code 0: it holds; 1: what it names has changed; 2: it is not genuine.
    """
    from rostra import certified, rehearsing  # noqa: PLC0415 # numpy
    from rostra.rehearsal.certificate import changes  # noqa: PLC0415

    settings = read_settings()
    expected = key or certified.own_key(settings)
    try:
        certificate, signer = rehearsing.open_certificate(file)
    except BadInputError as error:
        err.print(f"[bold red]rostra:[/] {error}", soft_wrap=True)
        raise typer.Exit(_NOT_GENUINE) from error
    if signer != expected:
        err.print(f"It is signed by {signer}, not by {expected or 'this machine: name its --key'}.", soft_wrap=True)
        raise typer.Exit(_NOT_GENUINE)
    found = changes(certificate.surroundings, certified.here(settings))
    if as_json:
        print_json({"holds": not found, "changes": [msgspec.to_builtins(change) for change in found]})
    else:
        for change in found:
            out.print(
                f"[red]{change.what}[/]: {change.then} when it was rehearsed, {change.now} now", soft_wrap=True
            )
        out.print("It does not hold any more: rehearse again." if found else "[green]It is genuine, and holds.[/]")
    if found:
        raise typer.Exit(_CHANGED)
