"""Signed passes as text: base64url of fields and a MAC over them and what they are about (tickets, invitations)."""

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

_MAC_BYTES: Final = 16  # HMAC-SHA-256 (RFC 2104), truncated to 128 bits


def seal(fields: bytes, *, about: bytes, key: bytes) -> str:
    return urlsafe_b64encode(fields + _mac(about + fields, key)).decode().rstrip("=")


def unseal(text: str, *, size: int, about: bytes, key: bytes) -> bytes | None:
    """The `size` bytes of fields, or None if the text is malformed, forged, or about something else."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (UnicodeEncodeError, binascii.Error):
        return None
    if len(raw) != size + _MAC_BYTES or not hmac.compare_digest(raw[size:], _mac(about + raw[:size], key)):
        return None
    return raw[:size]


def key_of(text: str) -> int:
    """The number of the key in the second byte of a sealed text, which nothing vouches for yet; -1 without one."""
    try:
        return urlsafe_b64decode(text[:4].encode("ascii"))[1]
    except (UnicodeEncodeError, binascii.Error, IndexError):
        return -1


def _mac(signed: bytes, key: bytes) -> bytes:
    return hmac.digest(key, signed, "sha256")[:_MAC_BYTES]
