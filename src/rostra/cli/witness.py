"""`rostra witness`: the process that keeps ledgers, and one that cosigns other people's."""

from pathlib import Path
from typing import Annotated

import typer

from rostra import roles
from rostra.cli.app import ConversationId, app, out, run
from rostra.config import read_settings
from rostra.core.errors import BadInputError

_witness = typer.Typer(no_args_is_help=True)
app.add_typer(_witness, name="witness", help="Keep ledgers, or cosign those of others.")


@_witness.command("serve", hidden=True)
def serve_command(name: Annotated[str, typer.Option()]) -> None:
    """One witness process."""
    run(roles.witness(roles.settings_of(name), name))


@_witness.command("key")
def key_command(
    conversation: ConversationId, name: Annotated[str, typer.Option(help="Which witness keeps it.")] = "witness-1"
) -> None:
    """Print the verifier key of a conversation's ledger: cosigners and readers need it, before the doors open."""
    settings = read_settings()
    from rostra.core.conversation import parse_id  # noqa: PLC0415
    from rostra.signing import signing_key  # noqa: PLC0415
    from rostra.verifier.note import note_key  # noqa: PLC0415
    from rostra.witness.event_log import origin  # noqa: PLC0415

    private = signing_key(settings.data / "evidence" / f"{name}.key")
    out.print(str(note_key(origin(settings.log_host, parse_id(conversation)), private)), soft_wrap=True)


@_witness.command("cosign")
def cosign_command(
    name: Annotated[str, typer.Option(help="The name under which this witness signs: a domain that you own.")],
    key: Annotated[Path, typer.Option(help="Its key; made if there is none.")],
    logs: Annotated[Path, typer.Option(help="Whose logs: the `log` lines of a C2SP tlog-policy file.")],
    state: Annotated[Path, typer.Option(help="Folder for what was signed last.")] = Path("cosigned"),
    listen: Annotated[str, typer.Option(help="Address and port.")] = "127.0.0.1:8085",
) -> None:
    """Cosign the ledgers of others over HTTP (C2SP tlog-witness), and never two histories of one.

    Give them its address and the key that is printed. Put a proxy with TLS before it.
    """
    from rostra.signing import signing_key  # noqa: PLC0415
    from rostra.verifier.errors import FlawError  # noqa: PLC0415
    from rostra.verifier.note import Algorithm, note_key  # noqa: PLC0415
    from rostra.verifier.policy import parse_policy  # noqa: PLC0415
    from rostra.web.front import Front  # noqa: PLC0415
    from rostra.web.serving import serve  # noqa: PLC0415
    from rostra.witness.cosigner import Cosigner  # noqa: PLC0415
    from rostra.witness.cosigning import BODY_BYTES_MAX, Cosigning  # noqa: PLC0415

    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise BadInputError("--listen is an address and a port: 127.0.0.1:8085.")
    private = signing_key(key)
    try:
        out.print(str(note_key(name, private, Algorithm.COSIGNATURE)), soft_wrap=True)
        cosigner = Cosigner(state, name, private, parse_policy(logs.read_bytes()).logs)
    except (OSError, FlawError) as error:
        raise BadInputError(f"This cannot be witnessed: {error}") from error
    front = Front(body_bytes_max=BODY_BYTES_MAX)
    run(serve(Cosigning(cosigner).application, host.strip("[]"), int(port), front))
