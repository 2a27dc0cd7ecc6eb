"""`rostra ledger` and `rostra verify`: what was witnessed, as one file, and checking it anywhere."""

from pathlib import Path
from typing import Annotated, Final

import typer

from rostra.cli.app import ConversationId, app, out
from rostra.config import read_settings
from rostra.core.errors import BadInputError

_EXIT: Final = {"PASS": 0, "FAIL": 1, "INCOMPLETE": 2}
_COLOURS: Final = {"PASS": "green", "FAIL": "red", "INCOMPLETE": "yellow"}
_ledger = typer.Typer(no_args_is_help=True)
app.add_typer(_ledger, name="ledger", help="What was witnessed of a conversation.")


@_ledger.command("export")
def export_command(conversation: ConversationId, file: Annotated[Path, typer.Argument()]) -> None:
    """Write the ledger of a conversation, up to its newest checkpoint, into one file (.tar.xz)."""
    from rostra.witness.bundle import export  # noqa: PLC0415

    ledger = read_settings().ledgers / conversation
    if not ledger.is_dir():
        raise BadInputError(f"Nothing was witnessed of {conversation!r}.")
    out.print(f"{export(ledger, file)} entries in {file}.")


@app.command("verify")
def verify_command(
    log: Annotated[Path, typer.Argument(help="A file that `rostra ledger export` made, or a ledger's folder.")],
    key: Annotated[
        str | None, typer.Option(help="The verifier key of the log, from somebody whom you believe.")
    ] = None,
    seen: Annotated[
        list[Path] | None, typer.Option(help="A checkpoint of this log that somebody kept elsewhere.")
    ] = None,
) -> None:
    """Check a ledger step by step. Exit code 0: all of it holds; 1: something is false; 2: something is missing."""
    from rostra.verifier.errors import FlawError  # noqa: PLC0415
    from rostra.verifier.note import parse_key  # noqa: PLC0415
    from rostra.verifier.source import source  # noqa: PLC0415
    from rostra.verifier.step import Outcome, Step  # noqa: PLC0415
    from rostra.verifier.verify import Trust, verify  # noqa: PLC0415

    if not log.exists():
        raise BadInputError(f"There is no {log}.")
    try:
        trust = Trust(None if key is None else parse_key(key), [path.read_bytes() for path in seen or ()])
        steps = list(verify(source(log), trust))
    except FlawError as flaw:
        steps = [Step(Outcome.FAIL, "file", str(flaw))]
    for step in steps:
        word = step.outcome.value
        out.print(f"[{_COLOURS[word]}]{word:10}[/] {step.name}: {step.found}", soft_wrap=True, highlight=False)
    outcomes = {step.outcome for step in steps}
    worst = next(each for each in (Outcome.FAIL, Outcome.INCOMPLETE, Outcome.PASS) if each in outcomes)
    raise typer.Exit(_EXIT[worst.value])
