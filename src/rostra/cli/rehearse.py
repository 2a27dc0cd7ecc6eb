"""`rostra rehearse`, `plan`, `certificate`: what holds is proved before the evening, and checked on the day."""

import subprocess
import sys
import tempfile
from collections.abc import Collection
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer
from rich.table import Table

from rostra.certified import here, own_key
from rostra.cli.app import FOUND, JsonFlag, app, err, out, print_json, run, show_progress
from rostra.config import Settings, read_settings
from rostra.core.conversation import parse_duration_s
from rostra.core.errors import BadInputError
from rostra.core.renditions import RENDITIONS
from rostra.rehearsal.arrivals import Famous, Surge, Trickle
from rostra.rehearsal.certificate import Certificate, changes, public_text, read, sign
from rostra.rehearsal.crowd_report import CrowdPlan, Second, sum_up
from rostra.rehearsal.muster import Joining, Muster, Word
from rostra.rehearsal.script import OWN, Script, parse, processes_needed

if TYPE_CHECKING:
    from rostra.rehearsal.conductor import Course
    from rostra.rehearsal.plan import Plan

_CHANGED: Final = 1
_NOT_GENUINE: Final = 2
_DOUBLINGS: Final = 10  # of a famous link: from a thousandth of the crowd to all of it
_SHIPPED: Final = Path(__file__).resolve().parents[1] / "rehearsal" / "scripts"


# --- rehearse --------------------------------------------------------------------------------------------


@app.command("rehearse")
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
    settings = read_settings()
    if join:
        _join(settings, join, port, target, allow or [])
        return
    if not script:
        for path in sorted(_SHIPPED.glob("*.toml")):
            about = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
            out.print(f"[bold]{path.stem:10}[/] {about}")
        return
    played = _script(script)
    played = msgspec.structs.replace(played, target=OWN if own else target or played.target)
    any_host = played.target != OWN and _may_go(settings, played.target, allow or [])
    muster = Muster(
        script=played,
        url=played.target,
        companies=processes_needed(played, room=_room()),
        any_host=any_host,
        workers=workers,
        bind=bind,
        port=port,
        web_port=web,
    )
    from rostra.rehearsal.surroundings import signing_key  # noqa: PLC0415

    key = signing_key(settings.rehearsal_key)
    certificate = _rehearse(settings, muster)
    to.write_bytes(sign(certificate, key))
    _print(certificate, public_text(key.public_key()))
    out.print(f"Written to {to}.", soft_wrap=True)
    if certificate.failed:
        raise typer.Exit(FOUND)


def _script(name: str) -> Script:
    path = Path(name) if Path(name).is_file() else _SHIPPED / f"{name}.toml"
    try:
        return parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        shipped = ", ".join(sorted(each.stem for each in _SHIPPED.glob("*.toml")))
        raise BadInputError(f"There is no script {name!r}: name a file, or one of {shipped}.") from error


def _may_go(settings: Settings, url: str, allow: Collection[str]) -> bool:
    from rostra.rehearsal.target import check  # noqa: PLC0415

    return check(url, allowed=allow, token=settings.rehearsal_token())


def _room() -> int:
    """How many connections one process of the crowd may hold."""
    import resource  # noqa: PLC0415

    from rostra.core.limits import DESCRIPTORS_RESERVED  # noqa: PLC0415

    return resource.getrlimit(resource.RLIMIT_NOFILE)[1] - DESCRIPTORS_RESERVED


def _rehearse(settings: Settings, muster: Muster) -> Certificate:
    from rostra.rehearsal.conductor import Course, conduct  # noqa: PLC0415
    from rostra.rehearsal.own_system import OwnSystem, free_ports, own_system  # noqa: PLC0415

    courses: list[Course] = []
    newest: dict[int, Second] = {}

    def progress(word: Word) -> None:
        if isinstance(word.said, Second):
            newest[word.company] = word.said
            heard, listening = sum(s.heard for s in newest.values()), sum(s.listening for s in newest.values())
            show_progress(f"{word.said.at_s:.0f} s: {heard} have heard it, {listening} listen")

    async def play(muster: Muster, system: OwnSystem | None) -> None:
        courses.append(await conduct(muster, system, progress))

    if muster.script.target != OWN:
        run(play(muster, None))
        return _certificate(settings, muster, courses[0])
    kinds = {fault.kind for fault in muster.script.faults}
    environment = settings.elsewhere(free_ports(4 + settings.gates)).environment()
    cache = (settings.data / "cache").resolve()
    with (
        tempfile.TemporaryDirectory(prefix="rostra-rehearsal-") as folder,
        own_system(environment, Path(folder), cache=cache, disk="disk" in kinds, clock="clock" in kinds) as system,
    ):
        run(play(msgspec.structs.replace(muster, url=system.url), system))
    return _certificate(settings, muster, courses[0])


def _certificate(settings: Settings, muster: Muster, course: "Course") -> Certificate:
    from rostra.rehearsal import findings  # noqa: PLC0415

    script, tallies = muster.script, course.tallies
    moments = findings.moments(course.words)
    plan = CrowdPlan(muster.url, sum(len(t.came_s) for t in tallies), 1.0, script.seconds, script.rendition)
    heard = sum_up(plan, tallies, seconds=course.seconds)
    stages = findings.stages(script, tallies, moments, workers=max(1, settings.edge_workers))
    faults, attacks = (
        tuple(findings.judged(episode, moments, pause_max_s=told.pause_max_s) for told, episode in episodes)
        for episodes in (course.faults, course.attacks)
    )
    return Certificate(
        made=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        script=script.title,
        script_sha256=script.sha256,
        seconds=script.seconds,
        target="a system of its own" if script.target == OWN else script.target,
        surroundings=here(settings),
        generator=f"{muster.companies} processes on {muster.workers or 1} machines",
        generator_shares_machine=muster.workers == 0 and not muster.any_host,
        arrivals=findings.arrivals(moments),
        stages=stages,
        faults=faults,
        attacks=attacks,
        heard=heard,
        failed=findings.failures(heard, stages, (*faults, *attacks)),
    )


def _join(settings: Settings, host: str, port: int, target: str, allow: Collection[str]) -> None:
    """Help a rehearsal that is led elsewhere; at which target, this machine's operator says too."""
    if target:
        _may_go(settings, target, allow)
    joining = msgspec.json.encode(Joining(host=host, port=port, url=target)) + b"\n"
    subprocess.run([sys.executable, "-m", "rostra.rehearsal.swarm"], input=joining, check=True)  # Rostra


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
    from rostra.rehearsal.plan import Terms, plan  # noqa: PLC0415

    if rendition not in RENDITIONS:
        raise BadInputError(f"There is no rendition {rendition!r}: choose one of {', '.join(RENDITIONS)}.")
    shown, _ = _open(certificate)
    found = plan(
        _crowd(curve, listeners, parse_duration_s(over)),
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
    _print_plan(found)


def _print_plan(plan: "Plan") -> None:
    table = Table(show_header=False, title=f"{plan.listeners:,} listeners")
    lines = [
        ("machines", f"{plan.machines:,} of {plan.cores // plan.machines} cores, bound by {plan.bound_by}"),
        ("joins", f"{plan.joins_peak_hz:,.0f} a second at most; the doors let in {plan.joins_hz:,.0f}"),
        ("places", f"{plan.places:,}"),
        ("line", f"{plan.egress_bps / 1e9:,.2f} Gbit/s, {plan.machine_egress_bps / 1e9:.2f} of each machine"),
        (
            "NATS",
            f"{plan.nats_servers} servers, {plan.nats_leaves} leaf nodes, {plan.nats_egress_bps / 1e6:,.1f} Mbit/s",
        ),
        ("waiting", f"{plan.waiting_max:,} at most, {plan.wait_max_s:g} s at most"),
        ("cost", f"{plan.cost_eur_h:,.2f} euros an hour"),
    ]
    for line in lines:
        table.add_row(*line)
    out.print(table)
    by_minute = Table("minute", "have come", "listen", "wait at most", "for (s)")
    for each in plan.minutes:
        columns = (each.minute, each.come, each.listening, each.waiting_max)
        by_minute.add_row(*(f"{value:,}" for value in columns), f"{each.wait_max_s:g}")
    out.print(by_minute)
    for sentence in plan.assumes:
        out.print(f"  [dim]{sentence}[/]")


def _crowd(curve: str, listeners: int, over_s: float) -> Trickle | Surge | Famous:
    match curve:
        case "trickle":
            return Trickle(listeners=listeners, over_s=over_s)
        case "surge":
            return Surge(listeners=listeners, over_s=over_s)
        case "famous":
            return Famous(listeners=listeners, over_s=over_s, doubling_s=over_s / _DOUBLINGS)
        case _:
            raise BadInputError(f"There is no curve {curve!r}: choose trickle, surge or famous.")


# --- certificates ----------------------------------------------------------------------------------------

certificate_app = typer.Typer(no_args_is_help=True, help="Certificates of capacity: look at one, check one.")
app.add_typer(certificate_app, name="certificate")
CertificateFile = Annotated[Path, typer.Argument(help="The file that `rostra rehearse` wrote.")]


@certificate_app.command("show")
def show_command(file: CertificateFile, as_json: JsonFlag = False) -> None:
    """Print what a certificate says."""
    certificate, key = _open(file)
    if as_json:
        print_json(certificate)
        return
    _print(certificate, key)


def _print(certificate: Certificate, key: str) -> None:
    out.print(f"[bold]{certificate.script}[/] at {certificate.target}, {certificate.made}, signed by {key}")
    for stage in certificate.stages:
        limit = "the limit" if stage.known else "the most that was tried"
        out.print(f"  {stage.name}: {stage.holds:,.0f} {stage.unit} on {stage.workers} workers ({limit})")
    for episode in (*certificate.faults, *certificate.attacks):
        out.print(f"  {episode.kind} {episode.about}: {'survived' if episode.survived else 'not survived'}")
    for sentence in certificate.failed:
        out.print(f"  [red]{sentence}[/]")


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
    settings = read_settings()
    try:
        certificate = _signed_by(key or own_key(settings), file)
    except BadInputError as error:
        err.print(f"[bold red]rostra:[/] {error}", soft_wrap=True)
        raise typer.Exit(_NOT_GENUINE) from error
    found = changes(certificate.surroundings, here(settings))
    if as_json:
        print_json({"holds": not found, "changes": [msgspec.to_builtins(change) for change in found]})
    else:
        for change in found:
            out.print(f"[red]{change.what}[/]: {change.then} when it was rehearsed, {change.now} now")
        out.print("It does not hold any more: rehearse again." if found else "[green]It is genuine, and holds.[/]")
    if found:
        raise typer.Exit(_CHANGED)


def _signed_by(expected: str | None, file: Path) -> Certificate:
    certificate, signer = _open(file)
    if signer != expected:
        raise BadInputError(f"It is signed by {signer}, not by {expected or 'this machine: name its --key'}.")
    return certificate


def _open(file: Path) -> tuple[Certificate, str]:
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadInputError(f"{file} cannot be read: {error.strerror}.") from error
    return read(data)
