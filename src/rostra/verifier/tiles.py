"""A log as plain files (C2SP tlog-tiles v0.1): where a tile is, and the entries that one bundle holds."""

import struct
from collections.abc import Iterable, Iterator
from typing import Final

from rostra.verifier.errors import FlawError

TILE_WIDTH: Final = 256
TILE_HEIGHT: Final = 8  # levels of the tree in one tile
ENTRY_BYTES_MAX: Final = 65_535  # a bundle says the length in two bytes
CHECKPOINT: Final = "checkpoint"
_LENGTH: Final = struct.Struct(">H")


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """The tile `index` of hashes at tile level `level`; narrower than 256 while the log has not filled it."""
    return f"tile/{level}/{_numbered(index)}{_partial(width)}"


def bundle_path(index: int, width: int = TILE_WIDTH) -> str:
    """The entries from `256 * index` on."""
    return f"tile/entries/{_numbered(index)}{_partial(width)}"


def widths(size: int, level: int = 0) -> Iterator[tuple[int, int]]:
    """Index and width of each tile that a log of `size` entries has at tile level `level`."""
    nodes = size >> TILE_HEIGHT * level
    full, rest = divmod(nodes, TILE_WIDTH)
    yield from ((index, TILE_WIDTH) for index in range(full))
    if rest:
        yield full, rest


def bundled(entries: Iterable[bytes]) -> bytes:
    """The entries as a bundle has them. Each has at most ENTRY_BYTES_MAX bytes."""
    return b"".join(_LENGTH.pack(len(entry)) + entry for entry in entries)


def unbundled(bundle: bytes) -> list[bytes]:
    """The entries of a bundle. FlawError if it is cut off in the middle of one."""
    entries = []
    place = 0
    while place < len(bundle):
        if place + _LENGTH.size > len(bundle):
            raise FlawError("A bundle ends in the middle of a length.")
        (length,) = _LENGTH.unpack_from(bundle, place)
        place += _LENGTH.size
        if place + length > len(bundle):
            raise FlawError("A bundle ends in the middle of an entry.")
        entries.append(bundle[place : place + length])
        place += length
    return entries


def _numbered(index: int) -> str:
    """1234067 is x001/x234/067."""
    text = f"{index % 1000:03}"
    while index >= 1000:  # tlog-tiles §Merkle Tree: three digits to a folder
        index //= 1000
        text = f"x{index % 1000:03}/{text}"
    return text


def _partial(width: int) -> str:
    return "" if width == TILE_WIDTH else f".p/{width}"
