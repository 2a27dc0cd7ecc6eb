"""Tickets: signed passes that any edge verifies without asking anyone (DESIGN §5).

Text form: base64url of `version u8, class u8, expires u32 (Unix s), listener 8 bytes, mac 16 bytes`.
The MAC is HMAC-SHA-256 (RFC 2104), truncated to 128 bits, over the conversation's id and the fields.
"""

import enum
import struct
from typing import Final

import msgspec

from rostra.core.seal import seal, unseal

LIFETIME_S: Final = 24 * 3600  # longer than any conversation: who is in stays in
KEY_BYTES: Final = 32
_VERSION: Final = 1
_FIELDS = struct.Struct(">BBI8s")


class TicketClass(enum.IntEnum):
    """Order of service at the door, first served first."""

    SPEAKER = 0
    REGISTERED = 1
    SIGNED_IN = 2
    ANONYMOUS = 3


class Ticket(msgspec.Struct, frozen=True, gc=False):
    conversation: str
    listener: bytes  # 8 random bytes: tells one listener from another, says nothing about the person
    ticket_class: TicketClass
    expires_s: int


def sign(ticket: Ticket, *, key: bytes) -> str:
    fields = _FIELDS.pack(_VERSION, ticket.ticket_class, ticket.expires_s, ticket.listener)
    return seal(fields, about=_about(ticket.conversation), key=key)


def verify(text: str, *, conversation: str, key: bytes, now_s: int) -> Ticket | None:
    """The ticket, or None if it is malformed, forged, expired or for another conversation."""
    fields = unseal(text, size=_FIELDS.size, about=_about(conversation), key=key)
    if fields is None:
        return None
    version, ticket_class, expires_s, listener = _FIELDS.unpack(fields)
    if version != _VERSION or expires_s < now_s:
        return None
    return Ticket(conversation, listener, TicketClass(ticket_class), expires_s)


def _about(conversation: str) -> bytes:
    return conversation.encode() + b"\0"
