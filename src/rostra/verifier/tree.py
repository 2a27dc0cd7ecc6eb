"""The Merkle tree of a log (RFC 9162 §2.1, SHA-256): its root, and proofs that it holds an entry and only grew."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

from rostra.verifier.errors import FlawError

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\0" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\1" + left + right).digest()


class Tree:
    """A log's hashes. `levels[n][i]` is that over the leaves from `i * 2**n` up to `(i + 1) * 2**n`, all there.

    64 bytes an entry: two hours of eight edges, 57,600 entries, are 4 MB.
    """

    def __init__(self) -> None:
        self.levels: list[list[bytes]] = [[]]

    def __len__(self) -> int:
        return len(self.levels[0])

    def append(self, leaf: bytes) -> None:
        """Take the hash of the next entry."""
        node = leaf
        for row in self.levels:
            row.append(node)
            if len(row) % 2:
                return
            node = node_hash(row[-2], row[-1])
        self.levels.append([node])

    def root(self, size: int | None = None) -> bytes:
        """The root over the first `size` entries, or over all of them."""
        size = len(self) if size is None else size
        return self._span(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """PATH(index, D[size]) of RFC 9162 §2.1.3.1: what leads from an entry's hash to the root."""
        if not 0 <= index < size <= len(self):
            raise FlawError(f"There is no entry {index} among {size}.")
        path: list[bytes] = []
        begin, end = 0, size
        while end - begin > 1:
            middle = begin + _split(end - begin)
            if index < middle:
                path.append(self._span(middle, end))
                end = middle
            else:
                path.append(self._span(begin, middle))
                begin = middle
        return path[::-1]

    def consistency(self, before: int, size: int) -> list[bytes]:
        """PROOF(before, D[size]) of RFC 9162 §2.1.4.1: that the first `before` entries are still what they were."""
        if not 0 < before <= size <= len(self):
            raise FlawError(f"A log of {size} entries has not grown from one of {before}.")
        path: list[bytes] = []
        begin, end, whole = 0, size, True
        while before != end:
            middle = begin + _split(end - begin)
            if before <= middle:
                path.append(self._span(middle, end))
                end = middle
            else:
                path.append(self._span(begin, middle))
                begin, whole = middle, False
        return [*([] if whole else [self._span(begin, end)]), *path[::-1]]

    def _span(self, begin: int, end: int) -> bytes:
        count = end - begin
        level = count.bit_length() - 1
        if count == 1 << level and begin % count == 0:
            return self.levels[level][begin >> level]
        middle = begin + _split(count)
        return node_hash(self._span(begin, middle), self._span(middle, end))


def _split(count: int) -> int:
    """The largest power of two below `count`, which is at least 2."""
    return 1 << (count - 1).bit_length() - 1


def root_by_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes:
    """The root that `path` claims (RFC 9162 §2.1.3.2), to be compared with a signed one. FlawError for no path."""
    if not 0 <= index < size:
        raise FlawError(f"There is no entry {index} among {size}.")
    place, last, root = index, size - 1, leaf
    for node in path:
        if last == 0:
            raise FlawError("The proof of inclusion is too long.")
        if place & 1 or place == last:
            root = node_hash(node, root)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            root = node_hash(root, node)
        place, last = place >> 1, last >> 1
    if last:
        raise FlawError("The proof of inclusion is too short.")
    return root


def roots_by_consistency(before: int, size: int, root_before: bytes, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The two roots that `path` claims (RFC 9162 §2.1.4.2): of the first `before` entries, and of all `size`."""
    if not 0 < before <= size:
        raise FlawError(f"A log of {size} entries has not grown from one of {before}.")
    if before == size:
        if path:
            raise FlawError("The proof of consistency is too long.")
        return root_before, root_before
    nodes = [root_before, *path] if before & before - 1 == 0 else list(path)
    if not nodes:
        raise FlawError("The proof of consistency is too short.")
    place, last = before - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    former = latter = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            raise FlawError("The proof of consistency is too long.")
        if place & 1 or place == last:
            former, latter = node_hash(node, former), node_hash(node, latter)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            latter = node_hash(latter, node)
        place, last = place >> 1, last >> 1
    if last:
        raise FlawError("The proof of consistency is too short.")
    return former, latter
