"""The ring of keys that sign passes: the newest signs once everybody has it, former ones verify while they must."""

import struct
from typing import Final

import msgspec

from rostra.core.errors import BadInputError, ConflictError
from rostra.core.limits import TICKET_KEYS_MAX

KEY_BYTES: Final = 32
KEYS_EVERY_S: Final = 10.0  # how often whoever verifies looks for new keys
_SETTLES_S: Final = 60  # before a key signs: six looks, so that nobody meets a signature before its key
_ENTRY = struct.Struct(f">BI{KEY_BYTES}s")


class Key(msgspec.Struct, frozen=True):
    """`id` stands in what the key has signed; `made_s` is when it came into the ring (Unix s)."""

    id: int
    made_s: int
    secret: bytes


class KeyRing:
    """The keys, newest first. Whoever holds the ring sees what its owner puts into `keys`."""

    __slots__ = ("keys",)

    def __init__(self, *keys: Key) -> None:
        self.keys = keys

    def signing(self, *, now_s: int) -> Key:
        """The newest key that everybody has; the oldest one if none has settled."""
        return next((key for key in self.keys if key.made_s + _SETTLES_S <= now_s), self.keys[-1])

    def find(self, key_id: int) -> Key | None:
        for key in self.keys:
            if key.id == key_id:
                return key
        return None


def rotate(keys: tuple[Key, ...], secret: bytes, *, now_s: int, lifetime_s: int) -> tuple[Key, ...]:
    """The ring with a new first key, without those of which no signature is valid any more.

    Signatures last `lifetime_s`. ConflictError if so many keys are still needed that the ring would be too long.
    """
    needed = tuple(
        key
        for key, successor in zip(keys, (None, *keys), strict=False)
        if successor is None or successor.made_s + _SETTLES_S + lifetime_s > now_s
    )
    if len(needed) >= TICKET_KEYS_MAX:
        raise ConflictError(
            f"{TICKET_KEYS_MAX} keys are still needed for tickets that are not over: rotate again in a day."
        )
    return (Key((keys[0].id + 1) % 256, now_s, secret), *needed)


def encode_keys(keys: tuple[Key, ...]) -> bytes:
    return b"".join(_ENTRY.pack(key.id, key.made_s, key.secret) for key in keys)


def decode_keys(payload: bytes) -> tuple[Key, ...]:
    """The keys in `payload`; one alone is from before there were rings. BadInputError for anything else."""
    if len(payload) == KEY_BYTES:
        return (Key(0, 0, payload),)
    if not payload or len(payload) % _ENTRY.size:
        raise BadInputError("This is no ring of keys.")
    return tuple(Key(*fields) for fields in _ENTRY.iter_unpack(payload))
