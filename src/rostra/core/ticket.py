"""Tickets, passes and places in the waiting room: signed texts that any edge verifies without asking anyone.

Text form: base64url of the fields and a MAC of 16 bytes, HMAC-SHA-256 (RFC 2104) truncated to 128 bits, over what
it is, the conversation's id and the fields. Nothing in them is bound to an address: a phone that changes networks
keeps what it has.
"""

import enum
import struct
from typing import Final

import msgspec

from rostra.core.keys import KeyRing
from rostra.core.seal import opened, seal, vouched

LIFETIME_S: Final = 24 * 3600  # longer than any conversation: who is in stays in
NO_CAP: Final = 0
_VERSION: Final = 3
# With its MAC a ticket is a multiple of three bytes: base64 has no spare bits then, and one ticket is one text.
_TICKET = struct.Struct(">BBBBII8s6s")  # version, key, class, cap in kbit/s, issued, expires, listener, asked in ms
_PLACE = struct.Struct(
    ">BBB8sQIIQ"
)  # version, key, class, listener, tag in ms, seen, back by (Unix s), asked in ms


class TicketClass(enum.IntEnum):
    """Order of service at the door, first served first."""

    SPEAKER = 0
    REGISTERED = 1
    SIGNED_IN = 2
    ANONYMOUS = 3


class Ticket(msgspec.Struct, frozen=True, gc=False):
    """Who was let in. A *pass* has the same fields and lets nobody in: it says whom the site knows."""

    conversation: str
    listener: bytes  # 8 random bytes: tells one listener from another, says nothing about the person
    ticket_class: TicketClass
    issued_s: int
    expires_s: int
    cap_kbps: int = NO_CAP  # no rendition above this
    asked_ms: int = 0  # when they first asked to be let in


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where somebody stands in the waiting room: by class, then by `tag_ms` (edge/line.py).

    They asked at `seen_s`, were told to ask again, and lose the place if they have not by `back_by_s`. The first
    time was `asked_ms`.
    """

    conversation: str
    listener: bytes
    ticket_class: TicketClass
    tag_ms: int
    seen_s: int
    back_by_s: int
    asked_ms: int


def sign(ticket: Ticket, *, keys: KeyRing) -> str:
    return _sign_ticket(b"ticket", ticket, keys)


def sign_pass(known: Ticket, *, keys: KeyRing) -> str:
    return _sign_ticket(b"pass", known, keys)


def verify(text: str, *, conversation: str, keys: KeyRing, now_s: int) -> Ticket | None:
    """The ticket, or None if it is malformed, forged, expired or for another conversation."""
    return _verify_ticket(b"ticket", text, conversation, keys, now_s)


def verify_pass(text: str, *, conversation: str, keys: KeyRing, now_s: int) -> Ticket | None:
    return _verify_ticket(b"pass", text, conversation, keys, now_s)


def sign_place(place: Place, *, keys: KeyRing) -> str:
    key = keys.signing(now_s=place.seen_s)
    fields = _PLACE.pack(
        _VERSION,
        key.id,
        place.ticket_class,
        place.listener,
        place.tag_ms,
        place.seen_s,
        place.back_by_s,
        place.asked_ms,
    )
    return seal(fields, about=_about(b"place", place.conversation), key=key.secret)


def verify_place(text: str, *, conversation: str, keys: KeyRing, now_s: int) -> Place | None:
    """The place, or None if it is malformed, forged, given up or in another line."""
    fields = _unsealed(text, _PLACE.size, _about(b"place", conversation), keys)
    if fields is None:
        return None
    version, _, ticket_class, listener, tag_ms, seen_s, back_by_s, asked_ms = _PLACE.unpack(fields)
    if version != _VERSION or back_by_s < now_s:
        return None
    return Place(conversation, listener, TicketClass(ticket_class), tag_ms, seen_s, back_by_s, asked_ms)


def _sign_ticket(kind: bytes, ticket: Ticket, keys: KeyRing) -> str:
    key = keys.signing(now_s=ticket.issued_s)
    fields = _TICKET.pack(
        _VERSION,
        key.id,
        ticket.ticket_class,
        ticket.cap_kbps,
        ticket.issued_s,
        ticket.expires_s,
        ticket.listener,
        ticket.asked_ms.to_bytes(6, "big"),
    )
    return seal(fields, about=_about(kind, ticket.conversation), key=key.secret)


def _verify_ticket(kind: bytes, text: str, conversation: str, keys: KeyRing, now_s: int) -> Ticket | None:
    fields = _unsealed(text, _TICKET.size, _about(kind, conversation), keys)
    if fields is None:
        return None
    version, _, ticket_class, cap_kbps, issued_s, expires_s, listener, asked = _TICKET.unpack(fields)
    if version != _VERSION or expires_s < now_s:
        return None
    asked_ms = int.from_bytes(asked, "big")
    return Ticket(conversation, listener, TicketClass(ticket_class), issued_s, expires_s, cap_kbps, asked_ms)


def _unsealed(text: str, size: int, about: bytes, keys: KeyRing) -> bytes | None:
    """The fields, whose second byte is the number of the key."""
    sealed = opened(text, size=size)
    key = None if sealed is None else keys.find(sealed[1])
    return None if sealed is None or key is None else vouched(sealed, about=about, key=key.secret)


def _about(kind: bytes, conversation: str) -> bytes:
    return kind + b"\0" + conversation.encode() + b"\0"
