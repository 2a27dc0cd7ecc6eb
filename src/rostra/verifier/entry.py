"""Entries of a ledger: what a process said, numbered, chained to what it said before, and signed by it alone.

An entry is the canonical JSON of `{"said": {…}, "sig": …}`; the signature is Ed25519 over `PURPOSE` and the
canonical JSON of `said`. A chain is one run of one process: `run` is the wall instant of its start, `seq` counts
from 0, `prev` is the SHA-256 of the entry before. So nobody who keeps the log can invent, drop, reorder or repeat
what an edge said, and what is missing is seen.
"""

import binascii
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rostra.verifier.canonical import Json, canonical, parse_canonical
from rostra.verifier.errors import FlawError
from rostra.verifier.signatures import AtOnce, Signature, Signatures
from rostra.verifier.tiles import ENTRY_BYTES_MAX

PURPOSE: Final = b"rostra-entry/v1\n"
OPENED: Final = "opened"  # by the witness: the log begins
REGISTERED: Final = "registered"  # by the witness: processes that have come since, or have a new key
FIRST: Final = ""  # `prev` of the first entry of a run
_SAID: Final = b'{"said":'
_SIG: Final = b',"sig":"'
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


def entry_digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def parse_entry(data: bytes) -> Sealed:
    """FlawError for what is none; the signature has not been checked."""
    if len(data) > ENTRY_BYTES_MAX:
        raise FlawError(f"An entry has at most {ENTRY_BYTES_MAX} bytes; this one has {len(data)}.")
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
    signed = data[len(_SAID) : data.rindex(_SIG)]  # as it is written: what is canonical is so in all its parts
    return Sealed(Entry(**fields), signature, signed, entry_digest(data))


def signature_of(sealed: Sealed, key: bytes) -> Signature:
    """What must be true if `key` has signed it."""
    return Signature(sealed.entry.who, sealed.entry.seq, key, sealed.signature, PURPOSE + sealed.signed)


class Head(NamedTuple):
    """Where a chain is: its newest entry."""

    run: int
    seq: int
    digest: str
    mono_ms: int = 0


class Gap(NamedTuple):
    """`missing` entries of one process are not here; they belong before entry `before` of the log."""

    who: str
    before: int
    missing: int


class Chains:
    """Checks entries in the order of the log: who signed, and that each run goes on where it was.

    The witness, whose key is the log's own, says whose keys it believes and how far each chain was when the log
    was opened (`OPENED`), and who has come since (`REGISTERED`). What it knows holds when `signatures` are settled.
    """

    def __init__(self, witness: str, key: bytes, signatures: Signatures | None = None) -> None:
        self.keys = {witness: key}
        self.gaps: list[Gap] = []
        self.swapped: list[tuple[str, int]] = []  # who has another key, and the entry of the log that says so
        self._signatures = signatures or AtOnce()
        self._witness = witness
        self._heads: dict[str, Head] = {}
        self._count = 0

    def take(self, sealed: Sealed) -> None:
        """FlawError, which names what is wrong, unless this entry is signed and in its place. Gaps are noted."""
        entry = sealed.entry
        self._verify(sealed)
        head = self._heads.get(entry.who)
        if head is None or entry.run > head.run:
            if head is not None or entry.seq:
                self._note_new_run(sealed)
        else:
            self._follow(head, sealed)
        self._heads[entry.who] = Head(entry.run, entry.seq, sealed.digest, entry.mono_ms)
        if entry.who == self._witness and entry.kind in (OPENED, REGISTERED):
            self._register(entry.body)
        self._count += 1

    def _verify(self, sealed: Sealed) -> None:
        entry = sealed.entry
        key = self.keys.get(entry.who)
        if key is None:
            raise FlawError(f"{_place(entry)}: no key of {entry.who} was registered.")
        self._signatures.take(signature_of(sealed, key))

    def _note_new_run(self, sealed: Sealed) -> None:
        """What a process had not sent dies with it; a run that begins in the middle lacks what was before."""
        entry = sealed.entry
        if entry.seq == 0 and entry.prev != FIRST:
            raise FlawError(f"{_place(entry)} is the first of its run and follows another.")
        if entry.seq:
            self.gaps.append(Gap(entry.who, self._count, entry.seq))

    def _follow(self, head: Head, sealed: Sealed) -> None:
        entry, place = sealed.entry, _place(sealed.entry)
        if sealed.digest == head.digest or entry.run < head.run or entry.seq <= head.seq:
            raise FlawError(f"{place} came before already: repeated, or reordered.")
        if entry.mono_ms < head.mono_ms:
            raise FlawError(f"{place}: its clock that knows no steps went back.")
        if entry.seq > head.seq + 1:
            self.gaps.append(Gap(entry.who, self._count, entry.seq - head.seq - 1))
        elif entry.prev != head.digest:
            raise FlawError(f"{place} does not follow the one that is here: that was replaced.")

    def _register(self, body: dict[str, Json]) -> None:
        processes = body.get("processes")
        if not isinstance(processes, dict):
            raise FlawError("The witness registers processes without naming them.")
        for who, claim in processes.items():
            if not isinstance(claim, dict) or who == self._witness:
                raise FlawError(f"The witness registers {who} in a way that means nothing.")
            key, run, seq, known = (claim.get(name) for name in ("key", "run", "seq", "digest"))
            if not isinstance(key, str) or not re.fullmatch(r"[0-9a-f]{64}", key):
                raise FlawError(f"The witness registers {who} without a key.")
            if self.keys.setdefault(who, bytes.fromhex(key)).hex() != key:
                self.swapped.append((who, self._count))
                self.keys[who] = bytes.fromhex(key)
            if isinstance(run, int) and isinstance(seq, int) and isinstance(known, str):
                self._heads.setdefault(who, Head(run, seq, known))


def _place(entry: Entry) -> str:
    return f"Entry {entry.seq} of {entry.who}"
