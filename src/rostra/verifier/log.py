"""A log as its owner signed it: the newest checkpoint, and the entries beneath its root."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from rostra.verifier.errors import FlawError
from rostra.verifier.note import Checkpoint, Note, NoteKey, parse_checkpoint, parse_key, parse_note, signers
from rostra.verifier.source import Source
from rostra.verifier.tiles import CHECKPOINT, TILE_WIDTH, bundle_path, unbundled, widths
from rostra.verifier.tree import Tree, leaf_hash

KEY: Final = "key"
ENTRIES_MAX: Final = 1_000_000  # twelve hours of twenty processes; 200 MB of hashes


class Log(NamedTuple):
    """What `key` signed, and where its entries are read."""

    source: Source
    key: NoteKey
    checkpoint: Checkpoint
    note: Note

    def entries(self) -> Iterator[bytes]:
        """Each entry, in order, from the source. FlawError if one is missing."""
        return entries(self.source, self.checkpoint.size)

    def tree(self) -> Tree:
        """The hashes of every entry. FlawError unless they have the root that was signed."""
        tree = Tree()
        for entry in self.entries():
            tree.append(leaf_hash(entry))
        if tree.root() != self.checkpoint.root:
            raise FlawError("The entries have not the root that was signed: one was changed, put in or left out.")
        return tree


def entries(source: Source, size: int, *, since: int = 0) -> Iterator[bytes]:
    """Entries `since` to before `size`, of a log that has as many. FlawError if one is missing."""
    for index, width in widths(size):
        first = index * TILE_WIDTH
        if first + width <= since:
            continue
        path = bundle_path(index, width)
        found = unbundled(source.read(path))
        if len(found) != width:
            raise FlawError(f"{path} has {len(found)} entries where {width} belong.")
        yield from found[max(0, since - first) :]


def named_key(source: Source) -> NoteKey:
    """The key that the log itself names: who trusts it trusts the log's word."""
    try:
        return parse_key(source.read(KEY).decode())
    except UnicodeDecodeError as error:
        raise FlawError("The log's key is no text.") from error


def open_log(source: Source, key: NoteKey) -> Log:
    """FlawError unless the log's checkpoint is signed by `key`, and is that of the log which `key` names."""
    note = parse_note(source.read(CHECKPOINT))
    checkpoint = signed_by(note, key)
    if checkpoint.size > ENTRIES_MAX:
        raise FlawError(f"A log of {checkpoint.size} entries is more than any evening: {ENTRIES_MAX} are read.")
    return Log(source, key, checkpoint, note)


def signed_by(note: Note, key: NoteKey) -> Checkpoint:
    """The checkpoint in `note`. FlawError unless `key` signed it, and it is of the log that `key` names."""
    if key not in signers(note, [key]):
        raise FlawError(f"The checkpoint is not signed by {key}.")
    checkpoint = parse_checkpoint(note)
    if checkpoint.origin != key.name:
        raise FlawError(f"This is the log of {checkpoint.origin!r}, not of {key.name!r}.")
    return checkpoint
