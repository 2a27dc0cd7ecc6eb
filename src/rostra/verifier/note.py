"""Signed notes, checkpoints and cosignatures (C2SP signed-note, tlog-checkpoint, tlog-cosignature, all v1)."""

import binascii
import hashlib
import re
import struct
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rostra.verifier.errors import FlawError
from rostra.verifier.tree import HASH_BYTES

NOTE_BYTES_MAX: Final = 1_000_000  # as tlog-checkpoint's clients have it
SIGNATURES_MAX: Final = 100  # a quorum is a handful; more is somebody who wants us to work
_SIGNATURE: Final = re.compile(r"— (\S+) (\S+)")
_NAME: Final = re.compile(r"[^\s+]+")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_TIME: Final = struct.Struct(">Q")


class Algorithm(IntEnum):
    """The type byte of a signature (signed-note §Signature types)."""

    ED25519 = 1  # a log's own
    COSIGNATURE = 4  # a witness's, with the time at which it saw the checkpoint


class NoteKey(NamedTuple):
    """Whose signatures are believed: the public half, and what is signed with it."""

    name: str
    algorithm: Algorithm
    key: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that lead from a signature to its key."""
        hashed = self.name.encode() + b"\n" + bytes([self.algorithm]) + self.key
        return hashlib.sha256(hashed).digest()[:4]

    def __str__(self) -> str:
        """The verifier key, as it is published."""
        return f"{self.name}+{self.id.hex()}+{b64encode(bytes([self.algorithm]) + self.key).decode()}"


class Checkpoint(NamedTuple):
    """What a log commits to: so many entries have this root."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"


class Note(NamedTuple):
    """A text, and the signatures beneath it: name, key id, signature; nobody has checked them yet."""

    text: str
    signatures: tuple[tuple[str, bytes, bytes], ...]

    def lines(self, key: NoteKey) -> str:
        """What is beneath it in the name of `key`, as it was written."""
        return "".join(
            f"— {name} {b64encode(id_ + signed).decode()}\n"
            for name, id_, signed in self.signatures
            if (name, id_) == (key.name, key.id)
        )


# --- keys ------------------------------------------------------------------------------------------------


def note_key(name: str, private: Ed25519PrivateKey, algorithm: Algorithm = Algorithm.ED25519) -> NoteKey:
    if not _NAME.fullmatch(name):
        raise FlawError(f"{name!r} is no name of a key: it has spaces or a plus.")
    return NoteKey(name, algorithm, private.public_key().public_bytes_raw())


def parse_key(text: str) -> NoteKey:
    """A published verifier key. FlawError if it is malformed or its id is not that of its bytes."""
    name, _, rest = text.strip().partition("+")
    id_, _, encoded = rest.partition("+")
    raw = _decoded(encoded)
    if not _NAME.fullmatch(name) or len(raw) != 1 + HASH_BYTES or raw[0] not in set(Algorithm):
        raise FlawError(f"{text[:100]!r} is no verifier key.")
    key = NoteKey(name, Algorithm(raw[0]), raw[1:])
    if key.id.hex() != id_:
        raise FlawError(f"The id {id_[:20]!r} is not that of the key of {name}.")
    return key


# --- notes -----------------------------------------------------------------------------------------------


def signature(text: str, name: str, private: Ed25519PrivateKey) -> str:
    """The line by which the owner of a log signs."""
    return _line(note_key(name, private), private.sign(text.encode()))


def cosignature(text: str, name: str, private: Ed25519PrivateKey, *, at_s: int) -> str:
    """The line by which a witness says that it saw this checkpoint, and none that contradicts it, at `at_s`."""
    signed = private.sign(_cosigned(text, at_s))
    return _line(note_key(name, private, Algorithm.COSIGNATURE), _TIME.pack(at_s) + signed)


def parse_note(data: bytes) -> Note:
    """FlawError for what is no signed note."""
    if len(data) > NOTE_BYTES_MAX:
        raise FlawError("A note has at most a megabyte.")
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise FlawError("The note is not UTF-8.") from error
    text, separator, lines = whole.rpartition("\n\n")
    if not separator or not lines.endswith("\n") or re.search(r"[\x00-\x09\x0b-\x1f]", whole):
        raise FlawError("A note is a text, an empty line and signatures.")
    found = [_SIGNATURE.fullmatch(line) for line in lines[:-1].split("\n")]
    if len(found) > SIGNATURES_MAX:
        raise FlawError(f"A note with more than {SIGNATURES_MAX} signatures.")
    signatures = []
    for match in found:
        raw = _decoded(match[2]) if match else b""
        if match is None or len(raw) <= len(b"keyi"):
            raise FlawError("A line under the note is no signature.")
        signatures.append((match[1], raw[:4], raw[4:]))
    return Note(text + "\n", tuple(signatures))


def signers(note: Note, keys: Iterable[NoteKey]) -> Mapping[NoteKey, int | None]:
    """Those of `keys` that have signed, and when (Unix seconds; None for a log, whose signature tells no time).

    FlawError for a signature in the name of one of them that is not theirs: a failure, not an absence.
    """
    known = {(key.name, key.id): key for key in keys}
    found: dict[NoteKey, int | None] = {}
    for name, id_, signed in note.signatures:
        key = known.get((name, id_))
        if key is None:
            continue
        at_s = None
        message = note.text.encode()
        raw = signed
        if key.algorithm is Algorithm.COSIGNATURE:
            if len(signed) <= _TIME.size:
                raise FlawError(f"The cosignature of {name} has no time.")
            (at_s,) = _TIME.unpack(signed[: _TIME.size])
            message, raw = _cosigned(note.text, at_s), signed[_TIME.size :]
        try:
            Ed25519PublicKey.from_public_bytes(key.key).verify(raw, message)
        except InvalidSignature as error:
            raise FlawError(f"The signature of {name} is not theirs.") from error
        found[key] = at_s
    return found


def parse_checkpoint(note: Note) -> Checkpoint:
    """FlawError for a note that is none. Extension lines are let pass (tlog-checkpoint §Note text)."""
    lines = note.text.split("\n")
    if len(lines) < len(("origin", "size", "root", "")) or not lines[0] or not _SIZE.fullmatch(lines[1]):
        raise FlawError("The note is no checkpoint.")
    root = _decoded(lines[2])
    if len(root) != HASH_BYTES:
        raise FlawError("The checkpoint has no root.")
    return Checkpoint(lines[0], int(lines[1]), root)


def _cosigned(text: str, at_s: int) -> bytes:
    return f"cosignature/v1\ntime {at_s}\n{text}".encode()


def _line(key: NoteKey, signed: bytes) -> str:
    return f"— {key.name} {b64encode(key.id + signed).decode()}\n"


def _decoded(text: str) -> bytes:
    try:
        return b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise FlawError("Something that should be base64 is not.") from error
