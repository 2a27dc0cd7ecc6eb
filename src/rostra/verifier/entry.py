"""Entries of a ledger: what a process said, numbered, chained to what it said before, and signed by it alone.

An entry is the canonical JSON of `{"said": {…}, "sig": …}`; the signature is Ed25519 over `PURPOSE` and the
canonical JSON of `said`. A chain is one run of one process: `run` is the wall instant of its start, `seq` counts
from 0, `prev` is the SHA-256 of the entry before. So nobody who keeps the log can invent, drop, reorder or repeat
what an edge said, and what is missing is seen.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from rostra.verifier.canonical import Json, canonical, parse_canonical
from rostra.verifier.errors import FlawError

PURPOSE: Final = b"rostra-entry/v1\n"
FIRST: Final = ""  # `prev` of the first entry of a run
_FIELDS: Final = {"who": str, "run": int, "seq": int, "prev": str, "kind": str, "wall_ms": int, "mono_ms": int}


class Entry(NamedTuple):
    """What `who` said at `wall_ms`, by its own clock; `mono_ms` has run since `run` and knows no steps."""

    who: str
    run: int
    seq: int
    prev: str
    kind: str
    wall_ms: int
    mono_ms: int
    body: dict[str, Json]


class Sealed(NamedTuple):
    """An entry as it is in the log, and its hash: the next one's `prev`."""

    entry: Entry
    signature: bytes
    signed: bytes
    digest: str


def seal(entry: Entry, private: Ed25519PrivateKey) -> bytes:
    """The entry as it goes into the log. FlawError for a body that evidence must not have."""
    said = entry._asdict()
    signature = private.sign(PURPOSE + canonical(said))
    return canonical({"said": said, "sig": b64encode(signature).decode()})


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def parse_entry(data: bytes) -> Sealed:
    """FlawError for what is none; the signature has not been checked."""
    value = parse_canonical(data)
    if not isinstance(value, dict) or value.keys() != {"said", "sig"}:
        raise FlawError("An entry has what was said and a signature.")
    said, sig = value["said"], value["sig"]
    if not isinstance(said, dict) or said.keys() != {*_FIELDS, "body"} or not isinstance(sig, str):
        raise FlawError("An entry lacks a field, or has one too many.")
    for name, kind in _FIELDS.items():
        if type(said[name]) is not kind:
            raise FlawError(f"The field {name} of an entry is no {kind.__name__}.")
    body = said["body"]
    if not isinstance(body, dict):
        raise FlawError("The body of an entry is no object.")
    fields: dict[str, Any] = said
    try:
        signature = b64decode(sig.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise FlawError("The signature of an entry is not base64.") from error
    return Sealed(Entry(**fields), signature, canonical(said), digest(data))


@dataclass(slots=True)
class Chains:
    """Checks entries in the order of the log: who signed, and that each run goes on where it was.

    `keys` are the public keys of the processes by name, as they were registered before the doors opened.
    """

    keys: Mapping[str, bytes]
    _heads: dict[str, Sealed] = field(default_factory=dict)

    def take(self, sealed: Sealed) -> None:
        """FlawError, which names what is wrong, unless this entry is signed and follows the one before."""
        entry = sealed.entry
        place = f"Entry {entry.seq} of {entry.who}"
        key = self.keys.get(entry.who)
        if key is None:
            raise FlawError(f"{place}: no key of {entry.who} was registered.")
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(sealed.signature, PURPOSE + sealed.signed)
        except InvalidSignature as error:
            raise FlawError(f"{place} is not signed by {entry.who}: edited, or another key.") from error
        head = self._heads.get(entry.who)
        self._heads[entry.who] = sealed
        if head is None or entry.run > head.entry.run:
            if entry.seq or entry.prev != FIRST:
                raise FlawError(f"{place} is the first of its run that is here: those before it were dropped.")
            return
        self._follow(head, sealed, place)

    def _follow(self, head: Sealed, sealed: Sealed, place: str) -> None:
        before, entry = head.entry, sealed.entry
        if sealed.digest == head.digest or entry.run < before.run or entry.seq <= before.seq:
            raise FlawError(f"{place} came before already: repeated, or reordered.")
        if entry.seq > before.seq + 1:
            raise FlawError(f"{place} follows {before.seq}: {entry.seq - before.seq - 1} were dropped.")
        if entry.prev != head.digest:
            raise FlawError(f"{place} does not follow the one that is here: that was replaced.")
        if entry.mono_ms < before.mono_ms:
            raise FlawError(f"{place}: its clock that knows no steps went back.")
