"""`rostra ledger`, `rostra verify`, `rostra verdict`: what was witnessed, checking it, and what it says."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rostra.cli.app import ConversationId, app, bus, declare, err, out, run
from rostra.config import read_settings
from rostra.core.conversation import parse_id
from rostra.core.errors import BadInputError
from rostra.core.limits import STATEMENT_LENGTH_MAX

if TYPE_CHECKING:
    from rostra.verdict.verdict import Verdict
    from rostra.verifier.canonical import Json

_ledger = typer.Typer(no_args_is_help=True)
app.add_typer(_ledger, name="ledger", help="What was witnessed of a conversation.")


@_ledger.command("export")
def export_command(
    conversation: ConversationId,
    file: Annotated[Path | None, typer.Argument(help="Else ID.rostra.tar.xz.")] = None,
) -> None:
    """Write the ledger of a conversation, up to its newest checkpoint, with its report into one file (.tar.xz)."""
    from rostra.reporting import report  # noqa: PLC0415 # `--help` needs none of this
    from rostra.verifier.source import Folder  # noqa: PLC0415
    from rostra.witness.bundle import export  # noqa: PLC0415

    ledger = read_settings().ledgers / conversation
    if not ledger.is_dir():
        raise BadInputError(f"Nothing was witnessed of {conversation!r}.")
    file = file or Path(f"{conversation}.rostra.tar.xz")
    try:
        files = report(Folder(ledger), address="").files
    except BadInputError as error:  # evidence is given away however false it is
        err.print(f"It goes without a report: {error}", soft_wrap=True)
        files = {}
    count = export(ledger, file, also=files)
    out.print(f"{count} entries in {file}.")


@app.command("say")
def say_command(
    conversation: ConversationId,
    text: Annotated[str, typer.Argument(help="What was said, in its own words.")],
    claims: Annotated[str, typer.Option(help="What it says was the cause: attack, demand, own, dependency, none.")],
    nevertheless: Annotated[
        bool, typer.Option(help="Say it though it claims more than the evidence shows; the ledger has that, too.")
    ] = False,
) -> None:
    """Keep in the ledger what an official says about an evening, beside the evidence."""
    from rostra.core.claims import CLAIMS, warning  # noqa: PLC0415

    if claims not in CLAIMS:
        raise BadInputError(f"{claims!r} is no claim: choose one of {', '.join(CLAIMS)}.")
    if not 0 < len(text.strip()) <= STATEMENT_LENGTH_MAX:
        raise BadInputError(f"A statement has 1 to {STATEMENT_LENGTH_MAX} characters.")

    async def work() -> None:
        from rostra.bus.state import read_conversation  # noqa: PLC0415
        from rostra.bus.verdicts import read_verdict  # noqa: PLC0415

        async with bus() as connection:
            if await read_conversation(connection, parse_id(conversation)) is None:
                raise BadInputError(f"There is no conversation {conversation!r}: see `rostra status`.")
            warned = warning(claims, await read_verdict(connection, conversation))
            if warned and not nevertheless:
                raise BadInputError(f"More than the evidence shows ({warned}): say it with --nevertheless, or not.")
            await declare(connection, "statement", conversation, text=text.strip(), claims=claims, warned=warned)
        out.print("It is in the ledger, and stays there.")

    run(work())


@app.command("correct")
def correct_command(
    conversation: ConversationId,
    entry: Annotated[int, typer.Argument(help="The number of the entry in the ledger that was wrong.", min=0)],
    text: Annotated[str, typer.Argument(help="What was wrong with it, and what is right.")],
) -> None:
    """Say in the ledger that something in it was wrong: that stays, and this stands beside it."""
    if not 0 < len(text.strip()) <= STATEMENT_LENGTH_MAX:
        raise BadInputError(f"A correction has 1 to {STATEMENT_LENGTH_MAX} characters.")

    async def work() -> None:
        from rostra.bus.state import read_conversation  # noqa: PLC0415
        from rostra.testifying import say  # noqa: PLC0415
        from rostra.verifier.checks.judgement import CORRECTION  # noqa: PLC0415

        async with bus() as connection:
            if await read_conversation(connection, parse_id(conversation)) is None:
                raise BadInputError(f"There is no conversation {conversation!r}: see `rostra status`.")
            body: dict[str, Json] = {"conversation": conversation, "entry": entry, "text": text.strip()}
            await say(read_settings(), connection, CORRECTION, body)
        out.print("It is in the ledger, and stays there.")

    run(work())


@app.command(
    "verify",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    add_help_option=False,  # its own tells more
)
def verify_command(context: typer.Context) -> None:
    """Check a ledger step by step, as anybody can: a bundle, a folder or an address (`rostra verify --help`)."""
    from rostra.verifying import main  # noqa: PLC0415

    raise typer.Exit(main(context.args))


@app.command("verdict")
def verdict_command(
    log: Annotated[
        str, typer.Argument(help="A conversation, a file of `rostra ledger export`, or a ledger's folder.")
    ],
    what_if: Annotated[
        str | None,
        typer.Option(help="no-attack, no-crowd, no-fault, no-dependency, limit=N, joins_hz=N: with commas."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything that was found.")] = False,
) -> None:
    """Say what happened, as the evidence has it; `rostra verify` says whether the evidence is whole."""
    from rostra.verdict.evening import read  # noqa: PLC0415
    from rostra.verdict.verdict import judge  # noqa: PLC0415
    from rostra.verdict.what_if import WhatIfError, parse  # noqa: PLC0415
    from rostra.verifier.entry import parse_entry  # noqa: PLC0415
    from rostra.verifier.errors import FlawError  # noqa: PLC0415
    from rostra.verifier.log import named_key, open_log  # noqa: PLC0415
    from rostra.verifier.source import source  # noqa: PLC0415

    path = _ledger_of(log)
    try:
        question = None if what_if is None else parse(what_if)
        witnessed = source(str(path))
        entries = open_log(witnessed, named_key(witnessed)).entries()
        found = judge(read(parse_entry(each).entry for each in entries), what_if=question)
    except (FlawError, WhatIfError) as error:
        raise BadInputError(str(error)) from error
    if as_json:
        out.print_json(data=found.as_json())
        return
    out.print("\n".join(lines(found)), soft_wrap=True, highlight=False, markup=False)


@app.command("report")
def report_command(
    log: Annotated[str, typer.Argument(help="A conversation, a bundle, a ledger's folder or its address.")],
    language: Annotated[str, typer.Option(help="en or nl.")] = "en",
    file: Annotated[Path | None, typer.Option("--out", help="Else ID.LANGUAGE.html.")] = None,
) -> None:
    """Write the truth report: one page, for anybody, of what happened and how sure that is."""
    from rostra.report.wording import LANGUAGES  # noqa: PLC0415 # `--help` needs no words
    from rostra.reporting import report  # noqa: PLC0415
    from rostra.verifier.errors import FlawError  # noqa: PLC0415
    from rostra.verifier.source import source  # noqa: PLC0415

    if language not in LANGUAGES:
        raise BadInputError(f"There is no language {language!r}: choose one of {', '.join(LANGUAGES)}.")
    is_address = log.startswith(("http://", "https://"))
    try:
        made = report(
            source(log if is_address else _ledger_of(log)),
            address=f"{log.rstrip('/')}/" if is_address else None,
            languages=[language],
        )
    except FlawError as error:
        raise BadInputError(str(error)) from error
    file = file or Path(f"{made.verdict['conversation'] or 'report'}.{language}.html")
    file.write_text(made.pages[language], encoding="utf-8")
    out.print(f"{made.verdict['label']}: {file}")


def _ledger_of(log: str) -> Path:
    """What has this name, or the ledger of a conversation of this machine. BadInputError if nothing has."""
    path = Path(log) if Path(log).exists() else read_settings().ledgers / log
    if not path.exists():
        raise BadInputError(f"There is neither a file {log} nor a ledger of {log!r}.")
    return path


def lines(found: "Verdict") -> Iterator[str]:
    """The verdict for a terminal."""
    told = found.as_json()
    harm = told["harm"]
    counted = "estimated" if harm["estimated"] else "counted"
    yield f"Harmed: {_percent(harm)} of {harm['asked']} who asked, {counted}; {harm['unheard']} heard nothing."
    yield f"Verdict: {told['label']}{' (firm)' if told['firm'] else ''} {' '.join(told['classes'])}".rstrip()
    for name, cause in told["causes"].items():
        necessary = cause["necessary_u"] / 10_000
        yield f"  {name:9} {_percent(cause)}; necessary in {necessary:.0f} % of the replays"
    evidence = told["attack_evidence"]
    yield f"Signals for an attack: {evidence['decibans']} dB ({evidence['word']})"
    yield f"Evidence that is here: {told['coverage_u'] / 10_000:.0f} %"
    if told["attack_absorbed"]:
        yield "Hostile load was there, and changed nothing."
    if "what_if" in told:
        yield f"Had it been {told['what_if']['asked']}: {_percent(told['what_if'])} harmed."
    for unknown in told["unknowns"]:
        yield f"Unknown: {unknown['code']} {unknown['subject']}"
    yield f"Digest: {found.digest}"


def _percent(of: Mapping[str, int]) -> str:
    share, low, high = (of[name] / 10_000 for name in ("share_u", "low_u", "high_u"))
    return f"{share:.0f} % ({low:.0f}-{high:.0f})"
