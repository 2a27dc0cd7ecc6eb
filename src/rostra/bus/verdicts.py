"""What the evidence of each conversation says so far: the witness writes it, pages and commands show it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from rostra.bus.connection import Connection
from rostra.bus.state import follow_latest
from rostra.bus.subjects import STATE_STREAM, state_subject
from rostra.core.messages import LiveVerdict, decode, encode


async def put_verdict(connection: Connection, verdict: LiveVerdict) -> None:
    await connection.store(state_subject(f"verdict.{verdict.conversation}"), encode(verdict))


async def read_verdict(connection: Connection, conversation: str) -> LiveVerdict | None:
    stored = await connection.last(STATE_STREAM, state_subject(f"verdict.{conversation}"))
    message = None if stored is None else decode(stored.payload)
    return message if isinstance(message, LiveVerdict) else None


async def follow_verdicts(connection: Connection) -> AsyncGenerator[LiveVerdict, None]:
    """Each conversation's newest one now, then each change, for ever."""
    async with aclosing(follow_latest(connection, STATE_STREAM, state_subject("verdict.>"))) as changes:
        async for stored in changes:
            message = decode(stored.payload)
            if isinstance(message, LiveVerdict):
                yield message
