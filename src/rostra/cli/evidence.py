"""`rostra ledger` and `rostra verify`: what was witnessed, as one file, and checking it anywhere."""

from pathlib import Path
from typing import Annotated

import typer

from rostra.cli.app import ConversationId, app, out
from rostra.config import read_settings
from rostra.core.errors import BadInputError

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


@app.command(
    "verify",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    add_help_option=False,  # its own tells more
)
def verify_command(context: typer.Context) -> None:
    """Check a ledger step by step, as anybody can: a bundle, a folder or an address (`rostra verify --help`)."""
    from rostra.verifying import main  # noqa: PLC0415

    raise typer.Exit(main(context.args))
