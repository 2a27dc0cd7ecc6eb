"""What every subcommand of `rostra` shares: how it is run, how it prints, its exit codes.

Exit codes: 0 done; 1 it could not be done (one sentence says why and what to do); 2 the command line is
wrong; 3 the check that was asked for has found something (`listen`, `crowd`, `fsck`).
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final

import msgspec
import structlog
import typer
from rich.console import Console

from rostra import roles
from rostra.bus.connection import Connection, connect
from rostra.bus.subjects import Role
from rostra.config import read_settings
from rostra.core.errors import RostraError
from rostra.supervisor import bus_address

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Rostra: live public audio conversations that start on time.",
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
FOUND: Final = 3

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
ConversationId = Annotated[str, typer.Argument(help="The conversation's id, as `rostra schedule` printed it.")]
At = Annotated[str, typer.Option("--at", help='"20:00", "2026-11-21 20:00", "+10m" or "now".')]
TimeZone = Annotated[str, typer.Option("--tz", help="IANA time zone of the announced instant.")]


def main() -> None:
    """Run the command line; what a person can put right is told in one sentence, never as a traceback."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=sys.stderr))
    try:
        app()
    except (RostraError, OSError, BaseExceptionGroup) as error:
        cause: BaseException = error
        while isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        told = str(cause) if isinstance(cause, RostraError) else _of_a_file(cause)
        if not told:
            raise
        err.print(f"[bold red]rostra:[/] {told}", soft_wrap=True)
        sys.exit(1)


def _of_a_file(error: BaseException) -> str:
    """What is wrong with a file that was named; empty if it is not about one."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename} cannot be used ({error.strerror})."
    return ""


def run(
    work: Coroutine[Any, Any, None], *, loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None
) -> None:
    """Do `work`; SIGINT and SIGTERM both end it in order."""

    async def stoppable() -> None:
        working = asyncio.current_task()
        assert working is not None

        def stop() -> None:
            roles.stop_within(roles.STOP_S)
            working.cancel()

        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
        await work

    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(stoppable())
    except (KeyboardInterrupt, asyncio.CancelledError):
        err.print("Stopped.")


@asynccontextmanager
async def bus(role: Role = Role.OPERATOR) -> AsyncIterator[Connection]:
    async with connect(bus_address(read_settings(), role), role=role, name=f"rostra {role}") as connection:
        yield connection


async def declare(
    connection: Connection,
    what: str,
    subject: str,
    *,
    after: str | None = None,
    text: str = "",
    claims: str = "",
    warned: str = "",
) -> None:
    """Say in the ledger what is about to be done; BusError, and it is not done, if nothing takes that."""
    from rostra.evidence.change import Change  # noqa: PLC0415 # `--help` needs no keys
    from rostra.testifying import OPERATOR  # noqa: PLC0415
    from rostra.testifying import declare as said  # noqa: PLC0415

    change = Change(what, subject, OPERATOR, after=after, text=text, claims=claims, warned=warned)
    await said(read_settings(), connection, change)


def show_progress(words: str) -> None:
    """One line that is written over; nothing where nobody looks."""
    if err.is_terminal:
        err.print(words, end="\r")


def print_json(value: object) -> None:
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
