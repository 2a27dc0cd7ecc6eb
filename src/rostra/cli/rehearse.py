"""`rostra certificate`: what a rehearsal has shown, and whether it still holds."""

from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer

from rostra.cli.app import JsonFlag, app, err, out, print_json
from rostra.config import read_settings
from rostra.core.errors import BadInputError
from rostra.rehearsal.certificate import Certificate, Surroundings, changes, public_text, read

_CHANGED: Final = 1
_NOT_GENUINE: Final = 2

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
        certificate = _signed_by(key or _own_key(settings.rehearsal_key), file)
    except BadInputError as error:
        err.print(f"[bold red]rostra:[/] {error}", soft_wrap=True)
        raise typer.Exit(_NOT_GENUINE) from error
    found = changes(certificate.surroundings, here(settings.rehearsed()))
    if as_json:
        print_json({"holds": not found, "changes": [msgspec.to_builtins(change) for change in found]})
    else:
        for change in found:
            out.print(f"[red]{change.what}[/]: {change.then} when it was rehearsed, {change.now} now")
        out.print("It does not hold any more: rehearse again." if found else "[green]It is genuine, and holds.[/]")
    if found:
        raise typer.Exit(_CHANGED)


def here(configuration: dict[str, str]) -> Surroundings:
    """What a certificate of this machine would name now."""
    from rostra.rehearsal.surroundings import machine, versions  # noqa: PLC0415

    return Surroundings(machine(), versions(), configuration)


def _own_key(path: Path) -> str | None:
    from rostra.rehearsal.surroundings import signing_key  # noqa: PLC0415

    return public_text(signing_key(path).public_key()) if path.exists() else None


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
