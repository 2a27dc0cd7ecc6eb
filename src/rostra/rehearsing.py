"""A rehearsal from script to certificate: whom it may be sent to, where it runs, what is made of what was heard."""

import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Coroutine, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from rich.table import Table

from rostra.certified import here
from rostra.config import Settings
from rostra.core.errors import BadInputError, RostraError
from rostra.core.limits import DESCRIPTORS_RESERVED
from rostra.rehearsal import findings
from rostra.rehearsal.arrivals import Famous, Surge, Trickle
from rostra.rehearsal.certificate import Certificate, read
from rostra.rehearsal.conductor import Course, conduct
from rostra.rehearsal.crowd_report import CrowdPlan, Second, sum_up
from rostra.rehearsal.incidents.campaign import Tally, campaign, plans
from rostra.rehearsal.incidents.causes import KINDS
from rostra.rehearsal.incidents.recipe import drawn
from rostra.rehearsal.muster import Joining, Muster, Word
from rostra.rehearsal.own_system import OwnSystem, free_ports, own_system
from rostra.rehearsal.plan import Plan
from rostra.rehearsal.script import OWN, Script, parse, processes_needed
from rostra.rehearsal.target import check

_SHIPPED: Final = Path(__file__).resolve().parent / "rehearsal" / "scripts"
_DOUBLINGS: Final = 10  # of a famous link: from a thousandth of the crowd to all of it
Run = Callable[[Coroutine[Any, Any, None]], None]


def shipped() -> dict[str, str]:
    """The scripts that come with the package: name and first line."""
    return {
        path.stem: path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
        for path in sorted(_SHIPPED.glob("*.toml"))
    }


def open_script(name: str) -> Script:
    path = Path(name) if Path(name).is_file() else _SHIPPED / f"{name}.toml"
    try:
        return parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        known = ", ".join(shipped())
        raise BadInputError(f"There is no script {name!r}: name a file, or one of {known}.") from error


def open_certificate(file: Path) -> tuple[Certificate, str]:
    """The certificate in a file, and who signed it. BadInputError if it is not genuine."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadInputError(f"{file} cannot be read: {error.strerror}.") from error
    return read(data)


def muster(
    settings: Settings, script: Script, allow: Collection[str], *, workers: int, bind: str, port: int, web_port: int
) -> Muster:
    """The crowd of a script. BadInputError if it must not go where it is to go."""
    elsewhere = script.target != OWN and may_go(settings, script.target, allow)
    return Muster(
        script=script,
        url=script.target,
        companies=processes_needed(script, room=_room()),
        any_host=elsewhere,
        workers=workers,
        bind=bind,
        port=port,
        web_port=web_port,
    )


def may_go(settings: Settings, url: str, allow: Collection[str]) -> bool:
    return check(url, allowed=allow, token=settings.rehearsal_token())


def _room() -> int:
    """How many connections one process of the crowd may hold."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1] - DESCRIPTORS_RESERVED


def play(settings: Settings, muster: Muster, run: Run, on_progress: Callable[[str], object]) -> Certificate:
    """Hold the rehearsal; `run` runs a coroutine to its end."""
    courses: list[Course] = []
    newest: dict[int, Second] = {}

    def progress(word: Word) -> None:
        if isinstance(word.said, Second):
            newest[word.company] = word.said
            heard, listening = sum(s.heard for s in newest.values()), sum(s.listening for s in newest.values())
            on_progress(f"{word.said.at_s:.0f} s: {heard} have heard it, {listening} listen")

    async def go(muster: Muster, system: OwnSystem | None) -> None:
        courses.append(await conduct(muster, system, progress))

    if muster.script.target != OWN:
        run(go(muster, None))
        return _certificate(settings, muster, _played(courses))
    kinds = {fault.kind for fault in muster.script.faults}
    environment = settings.elsewhere(free_ports(4 + settings.gates)).environment()
    cache = (settings.data / "cache").resolve()
    with (
        tempfile.TemporaryDirectory(prefix="rostra-rehearsal-") as folder,
        own_system(environment, Path(folder), cache=cache, disk="disk" in kinds, clock="clock" in kinds) as system,
    ):
        run(go(msgspec.structs.replace(muster, url=system.url), system))
    return _certificate(settings, muster, _played(courses))


def _played(courses: list[Course]) -> Course:
    if not courses:
        raise RostraError("The rehearsal was stopped: nothing is certified.")
    return courses[0]


def _certificate(settings: Settings, muster: Muster, course: Course) -> Certificate:
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


def incidents(
    settings: Settings, to: Path, *, count: int, seed: int, parallel: int, kinds: str, say: Callable[[str], object]
) -> Tally:
    """Make incidents. BadInputError if there is no such kind, or this machine cannot."""
    wanted = list(plans(count, seed, [kind.strip() for kind in kinds.split(",") if kind.strip()] or KINDS))
    for kind, _ in wanted:
        drawn(kind, seed)

    def progress(tally: Tally, words: str) -> None:
        done = tally.made + tally.there + tally.disturbed + tally.failed
        say(f"{done}/{count} {words}")

    return campaign(
        wanted,
        to,
        parallel=parallel,
        command=[sys.executable, "-m", "rostra.enacting"],
        cache=(settings.data / "cache").resolve(),
        on_progress=progress,
    )


def help_swarm(host: str, port: int, target: str) -> None:
    """Help a rehearsal that is led at `host`, as long as it lasts."""
    joining = msgspec.json.encode(Joining(host=host, port=port, url=target)) + b"\n"
    subprocess.run([sys.executable, "-m", "rostra.rehearsal.swarm"], input=joining, check=True)  # Rostra


def crowd_of(curve: str, listeners: int, over_s: float) -> Trickle | Surge | Famous:
    match curve:
        case "trickle":
            return Trickle(listeners=listeners, over_s=over_s)
        case "surge":
            return Surge(listeners=listeners, over_s=over_s)
        case "famous":
            return Famous(listeners=listeners, over_s=over_s, doubling_s=over_s / _DOUBLINGS)
        case _:
            raise BadInputError(f"There is no curve {curve!r}: choose trickle, surge or famous.")


# --- as lines and tables ---------------------------------------------------------------------------------


def certificate_facts(certificate: Certificate) -> Iterator[str]:
    """What it shows, one fact a sentence."""
    for stage in certificate.stages:
        limit = "the limit" if stage.known else "the most that was tried"
        yield f"{stage.name}: {stage.holds:,.0f} {stage.unit} on {stage.workers} workers ({limit})"
    for episode in (*certificate.faults, *certificate.attacks):
        yield f"{episode.kind} {episode.about}: {'survived' if episode.survived else 'not survived'}"


def certificate_lines(certificate: Certificate, key: str) -> Iterator[str]:
    yield (f"[bold]{certificate.script}[/] at {certificate.target}, {certificate.made}, signed by {key}")
    yield from (f"  {fact}" for fact in certificate_facts(certificate))
    for sentence in certificate.failed:
        yield (f"  [red]{sentence}[/]")


def plan_tables(plan: Plan) -> Iterator[Table]:
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
    yield table
    by_minute = Table("minute", "have come", "listen", "wait at most", "for (s)")
    for each in plan.minutes:
        columns = (each.minute, each.come, each.listening, each.waiting_max)
        by_minute.add_row(*(f"{value:,}" for value in columns), f"{each.wait_max_s:g}")
    yield by_minute
