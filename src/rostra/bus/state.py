"""The shared state in the key-value bucket: conversations, leases, container headers, the ticket key."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from typing import Final

from rostra.bus.connection import Connection, Stored
from rostra.bus.subjects import (
    ACT_STREAM,
    BAN_STREAM,
    CERTIFICATE_STREAM,
    EVIDENCE_STREAM,
    INVITATION_KEY,
    PROGRAMME_STREAM,
    SECRET_STREAM,
    SITE_KEY,
    STATE_STREAM,
    TICKET_KEY,
    act_subject,
    ban_subject,
    certificate_subject,
    chunk_subject,
    evidence_subject,
    state_subject,
)
from rostra.core.conversation import Conversation
from rostra.core.errors import BusError, ConflictError
from rostra.core.keys import KEY_BYTES, KEYS_EVERY_S, Key, KeyRing, decode_keys, encode_keys, rotate
from rostra.core.limits import (
    ACT_RETENTION_S,
    BANS_MAX,
    CERTIFICATES_BYTES_MAX,
    EVIDENCE_BYTES_MAX,
    EVIDENCE_RETENTION_S,
    PROGRAMME_BYTES_MAX,
    PROGRAMME_RETENTION_S,
)
from rostra.core.messages import (
    ConversationRecord,
    Init,
    Lease,
    decode,
    encode,
)
from rostra.core.records import from_record, to_record
from rostra.core.shield import BAN_MAX_S
from rostra.core.ticket import LIFETIME_S
from rostra.core.units import SECOND_NS

# Subscribers hear of a write before the stream has it, and not at all while the bus is away: so after each sign
# the bucket is read again soon, then less and less often.
_SOON_S: Final = 0.05
_RETRY_S: Final = 0.2
_RECONCILE_S: Final = 5.0


async def provision(connection: Connection, *, replicas: int = 1) -> None:
    """Create streams, bucket and ticket key where they are missing. Safe to repeat and to race."""
    streams = {
        PROGRAMME_STREAM: {
            "subjects": [chunk_subject("*", "*")],
            "max_age": PROGRAMME_RETENTION_S * SECOND_NS,
            "max_bytes": PROGRAMME_BYTES_MAX,
            "max_msgs_per_subject": 1,
            "duplicate_window": PROGRAMME_RETENTION_S * SECOND_NS,
        },
        ACT_STREAM: {
            "subjects": [act_subject("*", "*")],
            "max_age": ACT_RETENTION_S * SECOND_NS,
            "max_msgs_per_subject": 1,
            "deny_delete": True,
        },
        BAN_STREAM: {
            "subjects": [ban_subject("*")],
            "max_age": round(BAN_MAX_S) * SECOND_NS,
            "max_msgs": BANS_MAX,
            "max_msgs_per_subject": 1,
        },
        EVIDENCE_STREAM: {
            "subjects": [evidence_subject("*")],
            "max_age": EVIDENCE_RETENTION_S * SECOND_NS,
            "max_bytes": EVIDENCE_BYTES_MAX,
        },
        SECRET_STREAM: {
            "subjects": [TICKET_KEY, INVITATION_KEY, SITE_KEY],
            "max_msgs_per_subject": 1,
            "deny_delete": True,
        },
        STATE_STREAM: {
            "subjects": [state_subject(">")],
            "max_msgs_per_subject": 1,
            "deny_delete": True,
        },
        CERTIFICATE_STREAM: {
            "subjects": [certificate_subject("*")],
            "max_msgs_per_subject": 1,
            "max_bytes": CERTIFICATES_BYTES_MAX,
        },
    }
    for name, config in streams.items():
        await connection.management(
            f"STREAM.CREATE.{name}",
            {
                "name": name,
                "storage": "file",
                "discard": "old",
                "allow_direct": True,
                "num_replicas": replicas,
            }
            | config,
        )
    for subject in (TICKET_KEY, INVITATION_KEY, SITE_KEY):
        if await connection.last(SECRET_STREAM, subject) is None:
            secret = secrets.token_bytes(KEY_BYTES)
            # Somebody else may provision at the same moment: one key is what we want.
            with suppress(ConflictError):
                payload = encode_keys((Key(0, 0, secret),)) if subject == TICKET_KEY else secret
                await connection.store(subject, payload, expected_revision=0)


async def ticket_keys(connection: Connection) -> KeyRing:
    return KeyRing(*decode_keys(await _secret(connection, TICKET_KEY)))


async def keep_ticket_keys(connection: Connection, keys: KeyRing) -> None:
    """Put each new key into `keys`, for ever. While the bus is away those that it has are used."""
    while True:
        await asyncio.sleep(KEYS_EVERY_S)
        with suppress(BusError):
            keys.keys = (await ticket_keys(connection)).keys


async def rotate_ticket_keys(connection: Connection, *, now_s: int, forget: bool = False) -> Key:
    """Let a new key sign, once everybody has it; returns it. ConflictError if that was done too often.

    With `forget` nothing that was signed before is valid any more, once everybody has the new key.
    """
    while (stored := await connection.last(SECRET_STREAM, TICKET_KEY)) is not None:
        former, secret = decode_keys(stored.payload), secrets.token_bytes(KEY_BYTES)
        if forget:
            keys: tuple[Key, ...] = (Key((former[0].id + 1) % 256, 0, secret),)
        else:
            keys = rotate(former, secret, now_s=now_s, lifetime_s=LIFETIME_S)
        try:
            await connection.store(TICKET_KEY, encode_keys(keys), expected_revision=stored.revision)
        except ConflictError:
            continue  # somebody else has rotated at this moment
        return keys[0]
    raise BusError(f"The bus has no {TICKET_KEY} yet: start `rostra serve` once, it provisions the bus.")


async def invitation_key(connection: Connection) -> bytes:
    return await _secret(connection, INVITATION_KEY)


async def site_key(connection: Connection) -> bytes:
    return await _secret(connection, SITE_KEY)


async def _secret(connection: Connection, subject: str) -> bytes:
    stored = await connection.last(SECRET_STREAM, subject)
    if stored is None:
        raise BusError(f"The bus has no {subject} yet: start `rostra serve` once, it provisions the bus.")
    return stored.payload


# --- conversations -----------------------------------------------------------------------------------


def _key(conversation: str) -> str:
    return state_subject(f"conversation.{conversation}")


async def create_conversation(connection: Connection, conversation: Conversation) -> None:
    """Announce a conversation. ConflictError if its id is taken."""
    await connection.store(_key(conversation.id), encode(to_record(conversation)), expected_revision=0)


async def read_conversation(connection: Connection, conversation: str) -> Conversation | None:
    stored = await connection.last(STATE_STREAM, _key(conversation))
    return None if stored is None else from_record(_record(stored))


async def change_conversation(
    connection: Connection, conversation: str, change: Callable[[Conversation], Conversation]
) -> Conversation | None:
    """Apply `change` to the stored value by compare-and-set; None if there is no such conversation."""
    while (stored := await connection.last(STATE_STREAM, _key(conversation))) is not None:
        before = from_record(_record(stored))
        after = change(before)
        if after == before:
            return after
        try:
            await connection.store(_key(conversation), encode(to_record(after)), expected_revision=stored.revision)
        except ConflictError:
            continue
        return after
    return None


async def conversations_now(connection: Connection) -> list[ConversationRecord]:
    return [_record(stored) for stored in await connection.last_of_each(STATE_STREAM, [_key(">")])]


async def follow_conversations(connection: Connection) -> AsyncGenerator[ConversationRecord, None]:
    """All conversations known now, then each change, for ever. A change may be told twice, never missed."""
    async with aclosing(follow_latest(connection, STATE_STREAM, _key(">"))) as latest:
        async for stored in latest:
            yield _record(stored)


async def follow_latest(connection: Connection, stream: str, pattern: str) -> AsyncGenerator[Stored, None]:
    """The newest message of each subject like `pattern` now, then each change, for ever."""
    revisions: dict[str, int] = {}
    pause_s = _SOON_S
    async with connection.notified(pattern) as changed:
        while True:
            changed.clear()
            try:
                found = await connection.last_of_each(stream, [pattern])
            except BusError:
                found, pause_s = [], _RETRY_S
            else:
                revisions = {each.subject: revisions.get(each.subject, 0) for each in found}
            for stored in found:
                if revisions[stored.subject] != stored.revision:
                    revisions[stored.subject] = stored.revision
                    yield stored
            try:
                async with asyncio.timeout(pause_s):
                    await changed.wait()
                pause_s = _SOON_S
            except TimeoutError:
                pause_s = min(2 * pause_s, _RECONCILE_S)


def _record(stored: Stored) -> ConversationRecord:
    message = decode(stored.payload)
    if not isinstance(message, ConversationRecord):
        raise BusError(f"{stored.subject} holds no conversation.")
    return message


# --- leases and container headers ----------------------------------------------------------------------


async def read_lease(connection: Connection, conversation: str) -> tuple[Lease | None, int]:
    """The lease as it stands, and its revision (0: there has been none)."""
    stored = await connection.last(STATE_STREAM, state_subject(f"lease.{conversation}"))
    if stored is None:
        return None, 0
    message = decode(stored.payload)
    return (message if isinstance(message, Lease) else None), stored.revision


async def take_lease(connection: Connection, lease: Lease, *, expected_revision: int) -> None:
    """Write `lease`. ConflictError if another stage wrote since `expected_revision` was read."""
    await connection.store(
        state_subject(f"lease.{lease.conversation}"), encode(lease), expected_revision=expected_revision
    )


async def put_init(connection: Connection, init: Init) -> None:
    await connection.store(state_subject(f"init.{init.conversation}"), encode(init))


async def read_init(connection: Connection, conversation: str) -> Init | None:
    stored = await connection.last(STATE_STREAM, state_subject(f"init.{conversation}"))
    message = None if stored is None else decode(stored.payload)
    return message if isinstance(message, Init) else None
