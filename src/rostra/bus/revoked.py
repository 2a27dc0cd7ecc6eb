"""Tickets that are withdrawn before they run out: a short list for each conversation, which every edge follows."""

from contextlib import aclosing

from rostra.bus.connection import Connection
from rostra.bus.state import follow_latest
from rostra.bus.subjects import STATE_STREAM, state_subject
from rostra.core.errors import ConflictError
from rostra.core.limits import REVOKED_MAX
from rostra.core.messages import Revoked, decode, encode
from rostra.core.ticket import LIFETIME_S

Revocations = dict[str, dict[str, int]]  # conversation → listener, 16 hexadecimal digits → until (Unix s)


async def revoke(connection: Connection, conversation: str, listener: bytes, *, now_s: int) -> None:
    """Refuse `listener`'s tickets and passes until all that were signed have run out. Safe to repeat."""
    subject = state_subject(f"revoked.{conversation}")
    while True:
        stored = await connection.last(STATE_STREAM, subject)
        message = None if stored is None else decode(stored.payload)
        kept = message.listeners if isinstance(message, Revoked) else {}
        listeners = {name: until_s for name, until_s in kept.items() if until_s > now_s}
        listeners.pop(listener.hex(), None)
        listeners[listener.hex()] = now_s + LIFETIME_S
        newest = dict(list(listeners.items())[-REVOKED_MAX:])
        try:
            revision = 0 if stored is None else stored.revision
            await connection.store(subject, encode(Revoked(conversation, newest)), expected_revision=revision)
        except ConflictError:
            continue  # somebody else has revoked another one
        return


async def keep_revoked(connection: Connection, revoked: Revocations) -> None:
    """Put what is revoked into `revoked`, for ever."""
    async with aclosing(follow_latest(connection, STATE_STREAM, state_subject("revoked.>"))) as changes:
        async for stored in changes:
            message = decode(stored.payload)
            if isinstance(message, Revoked):
                revoked[message.conversation] = message.listeners
