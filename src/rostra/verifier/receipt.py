"""Receipts: what a listener signed of a minute that was heard, and what an edge signed in answer.

A receipt is the canonical JSON of `{"heard": {…}, "key": …, "sig": …}`, signed by a key that a player made for one
conversation; so it names nobody. The promise is the edge's: that the receipt will be in the log.
"""

import binascii
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from rostra.verifier.canonical import canonical, parse_canonical
from rostra.verifier.errors import FlawError
from rostra.verifier.signatures import is_signed

RECEIPTS: Final = "receipts"  # an entry of an edge: those of one minute
RECEIPT_BYTES_MAX: Final = 800  # one has 450; forty of these and a thousand digests fit into an entry of a log
DIGEST_BYTES: Final = 16  # of SHA-256: nobody finds two receipts that share them
PURPOSE: Final = b"rostra-receipt/v1\n"
PROMISE: Final = b"rostra-promise/v1\n"
MINUTE_MS: Final = 60_000
KEPT_MAX: Final = 40  # of a minute as they are, 18 kB: those with the smallest digests, whom nobody can choose
_ED25519_BYTES: Final = 32  # RFC 8032
_P256_BYTES: Final = 65  # SEC 1 §2.3.3, uncompressed
_SIGNATURE_BYTES: Final = 64  # of both, as WebCrypto writes them
_COUNTS: Final = ("at_ms", "from_seq", "to_seq", "chunks", "gaps", "silent_ms", "first_sound_ms", "refused")


class Receipt(NamedTuple):
    """What the holder of `key` heard until `heard["at_ms"]`, by its own clock and count."""

    heard: dict[str, Any]
    key: bytes
    digest: str


class Promise(NamedTuple):
    """By edge `who`, in its run `run`: the receipt with this digest will be among those of `minute`."""

    who: str
    run: int
    conversation: str
    minute: int
    digest: str

    def signed(self) -> bytes:
        return PROMISE + canonical(self._asdict())


def digest(text: bytes) -> str:
    return b64encode(sha256(text).digest()[:DIGEST_BYTES]).decode()


def parse_receipt(text: bytes) -> Receipt:
    """FlawError for what is none, or is not signed by the key that it names."""
    if len(text) > RECEIPT_BYTES_MAX:
        raise FlawError(f"A receipt has at most {RECEIPT_BYTES_MAX} bytes.")
    if b"\\" in text:
        raise FlawError("A receipt holds nothing that needs an escape: in an entry it would be twice as long.")
    value = parse_canonical(text)
    if not isinstance(value, dict) or value.keys() != {"heard", "key", "sig"}:
        raise FlawError("A receipt has what was heard, a key and a signature.")
    heard, key, sig = value["heard"], raw(value["key"]), raw(value["sig"])
    if not isinstance(heard, dict) or heard.keys() != {"conversation", "edge", *_COUNTS}:
        raise FlawError("A receipt lacks a field, or has one too many.")
    if not isinstance(heard["conversation"], str) or not isinstance(heard["edge"], str):
        raise FlawError("A receipt names a conversation and an edge.")
    if any(type(count := heard[name]) is not int or count < 0 for name in _COUNTS):
        raise FlawError("What a receipt counts is whole numbers.")
    if not _is_signed(key, sig, PURPOSE + canonical(heard)):
        raise FlawError("A receipt is not signed by the key that it names.")
    return Receipt(heard, key, digest(text))


def raw(text: object) -> bytes:
    """What is base64 there. FlawError for anything else."""
    if not isinstance(text, str):
        raise FlawError("A key or a signature is no text.")
    try:
        return b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise FlawError("A key or a signature is not base64.") from error


def _is_signed(key: bytes, signature: bytes, signed: bytes) -> bool:
    """By Ed25519 or, where browsers have only that, by ECDSA on P-256 with SHA-256."""
    if len(signature) != _SIGNATURE_BYTES or len(key) not in {_ED25519_BYTES, _P256_BYTES}:
        return False
    if len(key) == _ED25519_BYTES:
        return is_signed(key, signature, signed)
    r, s = (int.from_bytes(half) for half in (signature[:32], signature[32:]))
    try:
        point = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), key)
        point.verify(encode_dss_signature(r, s), signed, ECDSA(SHA256()))
    except (InvalidSignature, ValueError):
        return False
    return True
