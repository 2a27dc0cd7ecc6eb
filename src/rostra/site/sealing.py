"""Secrets that must be read again (TOTP keys, letters that wait): AES-256-GCM under a key made of the site's."""

import binascii
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_NONCE_BYTES: Final = 12  # NIST SP 800-38D §8.2.2: random ones do for 2^32 messages under one key


def sealed(content: bytes, *, about: bytes, key: bytes) -> str:
    """`about` says what it is: what is sealed as one thing cannot be opened as another."""
    nonce = os.urandom(_NONCE_BYTES)
    return urlsafe_b64encode(nonce + _cipher(key).encrypt(nonce, content, about)).decode()


def opened(text: str, *, about: bytes, key: bytes) -> bytes | None:
    """What was sealed, or None if the text is not from us, is about something else, or was changed."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii"))
        return _cipher(key).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], about)
    except (UnicodeEncodeError, binascii.Error, InvalidTag, ValueError):
        return None


def _cipher(key: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), length=32, salt=None, info=b"rostra site sealing").derive(key))
