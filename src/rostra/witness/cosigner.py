"""A witness of other people's logs (C2SP tlog-witness): it cosigns what follows from what it cosigned before.

What it signed last is on the disk, synced, before anybody gets the signature: so it never signs two histories of
one log, whatever it dies in.
"""

import binascii
import re
from base64 import b64decode
from collections.abc import Mapping
from contextlib import ExitStack
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rostra import disk
from rostra.core.errors import BadInputError
from rostra.verifier.errors import FlawError
from rostra.verifier.note import (
    Checkpoint,
    Note,
    NoteKey,
    cosignature,
    parse_checkpoint,
    parse_note,
    signers,
)
from rostra.verifier.tree import EMPTY_ROOT, HASH_BYTES, roots_by_consistency

PROOF_MAX: Final = 63  # hashes, as the specification has it
SIZE_TYPE: Final = "text/x.tlog.size"
_OLD: Final = re.compile(r"old (0|[1-9][0-9]{0,18})")
_LOCK: Final = "lock"


class Answer(NamedTuple):
    """What somebody who asks for a cosignature gets."""

    status: HTTPStatus
    text: str
    media_type: str = "text/plain"


class Asked(NamedTuple):
    """A request: that the log of `note` has grown from `old` entries, which `proof` shows."""

    old: int
    proof: list[bytes]
    note: Note
    checkpoint: Checkpoint


class Cosigner:
    """`logs` by their origin; what was cosigned last is kept in `folder`, which one process has at a time."""

    def __init__(self, folder: Path, name: str, private: Ed25519PrivateKey, logs: Mapping[str, NoteKey]) -> None:
        """BadInputError if another process witnesses in `folder`, or something in it cannot be read."""
        self._folder = folder
        self._name = name
        self._private = private
        self._logs = logs
        self._latest: dict[str, Checkpoint] = {}
        disk.make_folder(folder)
        self._lock = (folder / _LOCK).open("ab")
        with ExitStack() as failing:
            failing.callback(self._lock.close)
            if not disk.try_lock(self._lock):
                raise BadInputError(f"Another process witnesses in {folder}.")
            for origin in logs:
                self._read(origin)
            failing.pop_all()

    def _read(self, origin: str) -> None:
        path = self._folder / _hashed(origin)
        if path.exists():
            try:
                self._latest[origin] = parse_checkpoint(parse_note(path.read_bytes()))
            except FlawError as flaw:
                raise BadInputError(f"What was cosigned of {origin} cannot be read: {flaw}") from flaw

    def close(self) -> None:
        self._lock.close()

    def latest(self, origin_hash: str) -> bytes | None:
        """The newest checkpoint of a log that was cosigned, by the SHA-256 of its origin."""
        if origin_hash not in {_hashed(origin) for origin in self._latest}:
            return None
        return (self._folder / origin_hash).read_bytes()

    def add(self, body: bytes, *, now_s: int) -> Answer:
        """The answer to `add-checkpoint`. OSError, and nothing is signed, if the disk does not take it."""
        try:
            asked = _parse(body)
        except FlawError as flaw:
            return Answer(HTTPStatus.BAD_REQUEST, f"{flaw}\n")
        origin = asked.checkpoint.origin
        key = self._logs.get(origin)
        if key is None:
            return Answer(HTTPStatus.NOT_FOUND, "This log is not witnessed here.\n")
        try:
            signed = key in signers(asked.note, [key])
        except FlawError:
            signed = False
        if not signed:
            return Answer(HTTPStatus.FORBIDDEN, "The checkpoint is not signed by the key of its log.\n")
        return self._grown(asked, key, now_s=now_s)

    def _grown(self, asked: Asked, key: NoteKey, *, now_s: int) -> Answer:
        checkpoint = asked.checkpoint
        if asked.old > checkpoint.size:
            return Answer(HTTPStatus.BAD_REQUEST, "A log does not shrink.\n")
        latest = self._latest.get(checkpoint.origin, Checkpoint(checkpoint.origin, 0, EMPTY_ROOT))
        if asked.old != latest.size:
            return Answer(HTTPStatus.CONFLICT, f"{latest.size}\n", SIZE_TYPE)
        if not _follows(asked, latest):
            return Answer(HTTPStatus.UNPROCESSABLE_ENTITY, "The log has not grown from what was cosigned before.\n")
        line = cosignature(asked.note.text, self._name, self._private, at_s=now_s)
        note = f"{asked.note.text}\n{asked.note.lines(key)}{line}"
        disk.replace(self._folder / _hashed(checkpoint.origin), note.encode())
        self._latest[checkpoint.origin] = checkpoint
        return Answer(HTTPStatus.OK, line)


def _follows(asked: Asked, latest: Checkpoint) -> bool:
    checkpoint = asked.checkpoint
    if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
        return False
    if asked.old == 0:
        return not asked.proof
    try:
        roots = roots_by_consistency(asked.old, checkpoint.size, latest.root, asked.proof)
    except FlawError:
        return False
    return roots == (latest.root, checkpoint.root)


def _parse(body: bytes) -> Asked:
    head, separator, rest = body.partition(b"\n\n")
    try:
        first, *proof = head.decode("ascii").split("\n")
        hashes = [b64decode(line, validate=True) for line in proof]
    except (UnicodeDecodeError, binascii.Error) as error:
        raise FlawError("The proof is not base64.") from error
    old = _OLD.fullmatch(first)
    if not separator or old is None or len(hashes) > PROOF_MAX or any(len(each) != HASH_BYTES for each in hashes):
        raise FlawError("A request is `old SIZE`, at most 63 hashes, an empty line and a checkpoint.")
    note = parse_note(rest)
    return Asked(int(old[1]), hashes, note, parse_checkpoint(note))


def _hashed(origin: str) -> str:
    return sha256(origin.encode()).hexdigest()
