"""What `rostra fsck` says of a ledger: whether each file is what the signed root says, and what the end lacks."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from rostra.verifier.errors import FlawError
from rostra.verifier.note import NoteKey
from rostra.verifier.tiles import TILE_HEIGHT, TILE_WIDTH, bundle_path, tile_path, unbundled, widths
from rostra.verifier.tree import HASH_BYTES, Tree, leaf_hash
from rostra.witness.ledger import signed_checkpoint, tails, unframed


class Finding(NamedTuple):
    """Something that is not as it has to be; `where` is a file, `what` a sentence."""

    where: str
    what: str


def check_ledger(folder: Path, *, origin: str, key: NoteKey) -> tuple[int, list[Finding]]:
    """How many entries the ledger in `folder` has, and what is wrong with it. Nothing is changed."""
    findings: list[Finding] = []
    tree = Tree()
    try:
        checkpoint = signed_checkpoint(folder, origin=origin, key=key)
    except FlawError as error:
        return 0, [Finding("checkpoint", str(error))]
    size = 0 if checkpoint is None else checkpoint.size
    findings += _bundles(folder, size, tree)
    if not findings:
        findings += _tiles(folder, size, tree)
        if checkpoint is not None and tree.root() != checkpoint.root:
            findings.append(Finding("checkpoint", "the entries have not the root that was signed"))
        findings += _tail(folder, tree)
    return len(tree), findings


def _bundles(folder: Path, size: int, tree: Tree) -> Iterator[Finding]:
    for index, width in widths(size):
        path = bundle_path(index, width)
        try:
            entries = unbundled((folder / path).read_bytes())
        except FileNotFoundError:
            yield Finding(path, "the file is gone")
            continue
        except FlawError as error:
            yield Finding(path, str(error))
            continue
        if len(entries) != width:
            yield Finding(path, f"it has {len(entries)} entries where {width} belong")
        for entry in entries:
            tree.append(leaf_hash(entry))


def _tiles(folder: Path, size: int, tree: Tree) -> Iterator[Finding]:
    level = 0
    while tiles := list(widths(size, level)):
        row = tree.levels[level * TILE_HEIGHT]
        for index, width in tiles:
            path = tile_path(level, index, width)
            expected = row[index * TILE_WIDTH : index * TILE_WIDTH + width]
            try:
                data = (folder / path).read_bytes()
            except FileNotFoundError:
                yield Finding(path, "the file is gone")
                continue
            if len(data) != width * HASH_BYTES or data != b"".join(expected):
                yield Finding(path, "its hashes are not those of the entries")
        level += 1


def _tail(folder: Path, tree: Tree) -> Iterator[Finding]:
    """Entries behind the checkpoint are counted; half an entry at the end is what a kill leaves, and is told."""
    for first, path in tails(folder):
        entries, torn = unframed(path.read_bytes())
        for index, entry in enumerate(entries, first):
            leaf = leaf_hash(entry)
            if index > len(tree):
                yield Finding(path.name, f"entry {len(tree)} is missing before it")
                return
            if index == len(tree):
                tree.append(leaf)
            elif tree.levels[0][index] != leaf:
                yield Finding(path.name, f"entry {index} is not what the checkpoint has")
                return
        if torn:
            yield Finding(path.name, f"its last {torn} bytes are an entry that was never written whole")
