"""`rostra shield`: the edges' bans in the kernel, and what the machine lacks before a crowd."""

from typing import Annotated

import typer

from rostra import roles
from rostra.cli.app import FOUND, app, err, out, run
from rostra.config import read_settings


@app.command("shield")
def shield_command(
    check: Annotated[bool, typer.Option("--check", help="Only say what the machine lacks.")] = False,
) -> None:
    """Keep the edges' bans in the kernel (nftables) until Ctrl-C; needs CAP_NET_ADMIN. Say what else is lacking."""
    from rostra.shield.server import lacking  # noqa: PLC0415

    settings = read_settings()
    found = lacking(workers=settings.edge_workers, encrypts=settings.edge_certificate is not None)
    for lack in found:
        (out if check else err).print(f"{lack.command}  # {lack.reason}", soft_wrap=True, markup=False)
    if check:
        raise typer.Exit(FOUND if found else 0)
    run(roles.shield(settings, "shield"))
