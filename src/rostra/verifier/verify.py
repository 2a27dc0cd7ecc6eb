"""Checks a log step by step, as a stranger would; each step says what was found and whether it is as it must be."""

from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

from rostra.verifier.entry import OPENED, Chains, Sealed, parse_entry
from rostra.verifier.errors import FlawError
from rostra.verifier.note import Checkpoint, NoteKey, parse_checkpoint, parse_key, parse_note, signers
from rostra.verifier.source import Source
from rostra.verifier.tiles import CHECKPOINT, bundle_path, unbundled, widths
from rostra.verifier.tree import Tree, leaf_hash

KEY: Final = "key"
CLOCK_STEP_MS: Final = 1_000  # a wall clock that is slewed moves 0.5 ms a second (RFC 5905 §11.3); this is a step


class Outcome(Enum):
    PASS = "PASS"  # noqa: S105 # a word on a page
    INCOMPLETE = "INCOMPLETE"  # nothing is wrong with what is here, and something is missing
    FAIL = "FAIL"


class Step(NamedTuple):
    outcome: Outcome
    name: str
    found: str


def verify(log: Source, *, key: NoteKey | None = None) -> Iterator[Step]:
    """Every step until one fails. Without a `key` that came another way, the log's own word is taken for it."""
    name = "signature"
    try:
        checkpoint, believed = _signed(log, key)
        whose = f"{believed.name}, {believed.id.hex()}"
        if key is None:
            yield Step(Outcome.INCOMPLETE, name, f"signed by the key that the log itself names ({whose})")
        else:
            yield Step(Outcome.PASS, name, f"signed by {whose}")
        name = "root"
        sealed = _entries(log, checkpoint)
        yield Step(Outcome.PASS, name, f"{checkpoint.size} entries have the root that was signed")
        name = "chains"
        chains = _chained(sealed, believed)
        yield Step(Outcome.PASS, name, f"{len(chains.keys)} processes signed what they said, in order")
    except FlawError as flaw:
        yield Step(Outcome.FAIL, name, str(flaw))
        return
    yield from _missing(chains)
    yield from _clocks(sealed)


def _signed(log: Source, key: NoteKey | None) -> tuple[Checkpoint, NoteKey]:
    try:
        named = parse_key(log.read(KEY).decode())
    except UnicodeDecodeError as error:
        raise FlawError("The log's key is no text.") from error
    believed = key or named
    note = parse_note(log.read(CHECKPOINT))
    if believed not in signers(note, [believed]):
        raise FlawError(f"The checkpoint is not signed by {believed}.")
    checkpoint = parse_checkpoint(note)
    if checkpoint.origin != believed.name:
        raise FlawError(f"This is the log of {checkpoint.origin!r}, not of {believed.name!r}.")
    return checkpoint, believed


def _entries(log: Source, checkpoint: Checkpoint) -> list[Sealed]:
    tree, sealed = Tree(), []
    for index, width in widths(checkpoint.size):
        entries = unbundled(log.read(bundle_path(index, width)))
        if len(entries) != width:
            raise FlawError(f"{bundle_path(index, width)} has {len(entries)} entries where {width} belong.")
        for entry in entries:
            tree.append(leaf_hash(entry))
            sealed.append(parse_entry(entry))
    if tree.root() != checkpoint.root:
        raise FlawError("The entries have not the root that was signed: one was changed, put in or left out.")
    return sealed


def _chained(sealed: list[Sealed], key: NoteKey) -> Chains:
    if not sealed or sealed[0].entry.kind != OPENED:
        raise FlawError("The log does not begin with what its witness says of it.")
    chains = Chains(sealed[0].entry.who, key.key)
    for each in sealed:
        chains.take(each)
    return chains


def _missing(chains: Chains) -> Iterator[Step]:
    if not chains.gaps:
        yield Step(Outcome.PASS, "gaps", "no entry is missing")
    for gap in chains.gaps:
        found = f"{gap.missing} entries of {gap.who} are missing before entry {gap.before} of the log"
        yield Step(Outcome.INCOMPLETE, "gaps", found)


def _clocks(sealed: list[Sealed]) -> Iterator[Step]:
    """Whose wall clock jumped against the one that knows no steps."""
    ahead_ms: dict[tuple[str, int], int] = {}
    steps = 0
    for entry in (each.entry for each in sealed):
        lead_ms = entry.wall_ms - entry.run - entry.mono_ms
        before_ms = ahead_ms.get((entry.who, entry.run), lead_ms)
        ahead_ms[entry.who, entry.run] = lead_ms
        if abs(lead_ms - before_ms) > CLOCK_STEP_MS:
            steps += 1
            found = f"the clock of {entry.who} jumped by {lead_ms - before_ms} ms before its entry {entry.seq}"
            yield Step(Outcome.INCOMPLETE, "clocks", found)
    if not steps:
        yield Step(Outcome.PASS, "clocks", "no clock was moved")
