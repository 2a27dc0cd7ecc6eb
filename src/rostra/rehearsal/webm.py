"""Whether a plain WebM stream goes on without a gap. Pure."""

from typing import Final

from rostra.core.errors import BadInputError

_EBML: Final = 0x1A45DFA3
_CLUSTER: Final = 0x1F43B675
_TIMESTAMP: Final = 0xE7
_SIMPLE_BLOCK: Final = 0xA3
_ENTERED: Final = frozenset({0x18538067, _CLUSTER})  # their elements are read, all others are taken whole
_ELEMENT_BYTES_MAX: Final = 1 << 20
_BLOCK_MS: Final = 20


class WebmContinuity:
    """Checks that the blocks of a WebM stream follow each other without a gap (RFC 9559).

    `blocks` of 20 ms, in order; `missing` of them were left out, `repeated` came again or too late.
    """

    def __init__(self) -> None:
        self.blocks = 0
        self.missing = 0
        self.repeated = 0
        self.first_ms: int | None = None
        self.next_ms = 0
        self._cluster_ms: int | None = None
        self._begun = False
        self._rest = b""

    def feed(self, data: bytes) -> int:
        """The number of new blocks in `data`. BadInputError if this is no WebM."""
        before = self.blocks
        data, at = self._rest + data, 0
        while (element := _element_head(data, at)) is not None:
            identifier, content, length = element
            if not self._begun and identifier != _EBML:
                raise BadInputError("This is no WebM: it does not begin with an EBML header.")
            self._begun = True
            if identifier in _ENTERED:
                at = content
                continue
            if length is None or length > _ELEMENT_BYTES_MAX:
                raise BadInputError(f"This is no live WebM: element {identifier:#x} of length {length}.")
            if content + length > len(data):
                break
            at = content + length
            if identifier == _TIMESTAMP:
                self._cluster_ms = int.from_bytes(data[content:at], "big")
            elif identifier == _SIMPLE_BLOCK:
                self._block(data[content:at])
        self._rest = data[at:]
        return self.blocks - before

    def _block(self, block: bytes) -> None:
        if self._cluster_ms is None or len(block) < 4:
            raise BadInputError("This is no live WebM: a block without a time.")
        at_ms = self._cluster_ms + int.from_bytes(block[1:3], "big", signed=True)
        if self.first_ms is None:
            self.first_ms = self.next_ms = at_ms
        if at_ms < self.next_ms:
            self.repeated += 1
            return
        self.missing += (at_ms - self.next_ms) // _BLOCK_MS
        self.blocks += 1
        self.next_ms = at_ms + _BLOCK_MS


def _element_head(data: bytes, at: int) -> tuple[int, int, int | None] | None:
    """ID, where the content begins and its length (None: unknown) of the element at `at` (RFC 8794 §4).

    None if it is not there whole.
    """
    if at >= len(data):
        return None
    id_bytes = 9 - data[at].bit_length()
    if id_bytes > 4:
        raise BadInputError("This is no WebM: an element without an ID.")
    size_at = at + id_bytes
    if size_at >= len(data):
        return None
    size_bytes = 9 - data[size_at].bit_length()
    if size_bytes > 8:
        raise BadInputError("This is no WebM: an element without a length.")
    content = size_at + size_bytes
    if content > len(data):
        return None
    bits = 7 * size_bytes
    length = int.from_bytes(data[size_at:content], "big") & ((1 << bits) - 1)
    identifier = int.from_bytes(data[at:size_at], "big")
    return identifier, content, None if length == (1 << bits) - 1 else length
