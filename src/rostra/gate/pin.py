"""PINs of callers: eight digits that the gate can verify and that nothing stores. Pure.

A PIN is HMAC-SHA-256 (RFC 2104) over conversation, role and number, cut to eight digits as RFC 4226 §5.3 does. Each
invited speaker has an own one, all listeners of a conversation share one. With 13 speakers' PINs and a listeners'
one a guess opens one of n conversations with a chance of 14 n / 10^8. A source that guesses at ten conversations
for a whole day, at WRONG_PINS_PER_HOUR_MAX, gets in with a chance of 0.035 %.
"""

import hmac
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from rostra.core.limits import CONVERSATIONS_PER_EDGE_MAX, SEATS_MAX

DIGITS: Final = 8
DIGITS_MIN: Final = 6  # what a caller may have typed to be told that it is wrong
_SPACE: Final = 10**DIGITS


class CallerRole(StrEnum):
    SPEAKER = "speaker"
    LISTENER = "listener"


@dataclass(frozen=True, slots=True)
class Access:
    """What a PIN opens: `number` tells a conversation's invited speakers from one another, 1 to SEATS_MAX."""

    conversation: str
    role: CallerRole
    number: int

    @property
    def person(self) -> str:
        """The caller's name in the roster and the seat on the bus; listeners have no seat."""
        return f"phone-{self.number}"


def every_access(conversation: str) -> tuple[Access, ...]:
    """Whatever can be opened in a conversation."""
    speakers = (Access(conversation, CallerRole.SPEAKER, number) for number in range(1, SEATS_MAX + 1))
    return (*speakers, Access(conversation, CallerRole.LISTENER, 0))


def pin_of(access: Access, *, key: bytes) -> str:
    """The eight digits that open `access`."""
    message = f"pin.1\0{access.conversation}\0{access.role}\0{access.number}".encode()
    digest = hmac.digest(key, message, "sha256")
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 0x0F)
    return f"{(number & 0x7FFF_FFFF) % _SPACE:0{DIGITS}}"


@lru_cache(maxsize=CONVERSATIONS_PER_EDGE_MAX)  # one conversation's costs 40 µs
def _pins_of(conversation: str, key: bytes) -> tuple[tuple[str, Access], ...]:
    return tuple((pin_of(access, key=key), access) for access in every_access(conversation))


def access_of(pin: str, *, conversations: Iterable[str], key: bytes) -> Access | None:
    """What `pin` opens among the conversations that are open now; None if nothing, or if it is not certain what."""
    opened = [
        access
        for conversation in conversations
        for digits, access in _pins_of(conversation, key)
        if hmac.compare_digest(digits.encode(), pin.encode())
    ]
    return opened[0] if len(opened) == 1 else None
