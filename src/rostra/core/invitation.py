"""Invitations: signed links to a stage, which any gate verifies without asking anyone.

Text form: base64url of `version u8, role u8, flags u8, expires u32 (Unix s), person 8 bytes, mac 16 bytes`. The MAC
is HMAC-SHA-256 (RFC 2104), truncated to 128 bits, over the conversation's id and the fields. Whoever has the key
may invite: the operator by `rostra invite`, the site for its accounts, a gate for strangers who may raise a hand.
"""

import struct
from typing import Final

import msgspec

from rostra.core.roster import StageRole
from rostra.core.seal import seal, unseal

LIFETIME_S: Final = 30 * 24 * 3600  # guests are invited weeks ahead
_VERSION: Final = 1
_FIELDS = struct.Struct(">BBBI8s")
_GREEN: Final = 1
# What an invitation lets its holder be; None may only raise a hand.
_ROLES: Final[tuple[StageRole | None, ...]] = (None, StageRole.SPEAKER, StageRole.COHOST, StageRole.HOST)


class Invitation(msgspec.Struct, frozen=True):
    """`person` (16 hexadecimal digits) is who comes with it, each time; `green` waits behind the stage first."""

    conversation: str
    person: str
    role: StageRole | None
    expires_s: int
    green: bool = False


def sign(invitation: Invitation, *, key: bytes) -> str:
    fields = _FIELDS.pack(
        _VERSION,
        _ROLES.index(invitation.role),
        _GREEN if invitation.green else 0,
        invitation.expires_s,
        bytes.fromhex(invitation.person),
    )
    return seal(fields, about=_about(invitation.conversation), key=key)


def verify(text: str, *, conversation: str, key: bytes, now_s: int) -> Invitation | None:
    """The invitation, or None if it is malformed, forged, expired or for another conversation."""
    fields = unseal(text, size=_FIELDS.size, about=_about(conversation), key=key)
    if fields is None:
        return None
    version, role, flags, expires_s, person = _FIELDS.unpack(fields)
    if version != _VERSION or role >= len(_ROLES) or expires_s < now_s:
        return None
    return Invitation(conversation, person.hex(), _ROLES[role], expires_s, green=bool(flags & _GREEN))


def _about(conversation: str) -> bytes:
    return b"stage\0" + conversation.encode() + b"\0"
