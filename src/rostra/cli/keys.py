"""`rostra keys`: what signs at the door."""

import time
from typing import Annotated

import typer

from rostra.cli.app import app, bus, declare, out, run

_keys = typer.Typer(no_args_is_help=True, help="Keys that sign tickets.")
app.add_typer(_keys, name="keys")


@_keys.command("rotate")
def rotate_command(
    forget: Annotated[
        bool, typer.Option("--forget", help="Also refuse what former keys signed: one has leaked.")
    ] = False,
) -> None:
    """Let a new key sign tickets in a minute; tickets of the former ones stay valid until they run out."""

    async def work() -> None:
        from rostra.bus.state import rotate_ticket_keys  # noqa: PLC0415 # as elsewhere: `--help` needs no bus

        async with bus() as connection:
            text = "A new key signs tickets; former ones are refused." if forget else "A new key signs tickets."
            await declare(connection, "key", "edges", text=text)
            key = await rotate_ticket_keys(connection, now_s=int(time.time()), forget=forget)
        when = "in ten seconds, and no other is known then" if forget else "in a minute"
        out.print(f"Key {key.id} signs {when}. Nothing need be restarted.")

    run(work())
