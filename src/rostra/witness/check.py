"""What `rostra fsck` says of a ledger: whether each file is what the signed root says, and what the end lacks."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rostra.bus.fsck import Finding
from rostra.verifier.errors import FlawError
from rostra.verifier.log import KEY
from rostra.verifier.note import NoteKey, parse_key
from rostra.verifier.tiles import CHECKPOINT, TILE_HEIGHT, TILE_WIDTH, bundle_path, tile_path, unbundled, widths
from rostra.verifier.tree import HASH_BYTES, Tree, leaf_hash
from rostra.witness.ledger import signed_checkpoint, tails, unframed

_LOOKS: Final = 5


def check_ledgers(folder: Path) -> tuple[int, list[Finding]]:
    """How many entries all ledgers in `folder` have, and what is wrong with them."""
    read, findings = 0, []
    for ledger in sorted(path.parent for path in folder.glob(f"*/{KEY}")):
        try:
            key = parse_key((ledger / KEY).read_text(encoding="utf-8"))
        except (FlawError, UnicodeDecodeError) as error:
            findings.append(Finding(f"{ledger.name}/{KEY}", str(error)))
            continue
        size, found = check_ledger(ledger, origin=key.name, key=key)
        read += size
        findings += [Finding(f"{ledger.name}/{each.where}", each.what) for each in found]
    return read, findings


def check_ledger(folder: Path, *, origin: str, key: NoteKey) -> tuple[int, list[Finding]]:
    """How many entries the ledger in `folder` has, and what is wrong with it. Nothing is changed.

    What is wrong while its witness writes is looked at again.
    """
    for _ in range(_LOOKS):
        before = _written(folder)
        size, findings = _looked(folder, origin=origin, key=key)
        if not findings or _written(folder) == before:
            break
    return size, findings


def _written(folder: Path) -> list[tuple[str, int]]:
    files = [folder / CHECKPOINT, *(path for _, path in tails(folder))]
    return [(path.name, path.stat().st_size) for path in files if path.exists()]


def _looked(folder: Path, *, origin: str, key: NoteKey) -> tuple[int, list[Finding]]:
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
        try:
            entries, torn = unframed(path.read_bytes())
        except FileNotFoundError:  # the witness has just gone on with another one
            continue
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
