"""RED payloads are taken apart as RFC 2198 says, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.audio.red import Block, blocks
from rostra.core.errors import BadInputError


def packed(redundant: list[Block], primary: Block) -> bytes:
    headers = b"".join(
        (1 << 31 | each.payload_type << 24 | each.offset << 10 | len(each.payload)).to_bytes(4, "big")
        for each in redundant
    )
    return headers + bytes([primary.payload_type]) + b"".join(each.payload for each in redundant) + primary.payload


BLOCK = st.builds(Block, st.integers(0, 0x3FFF), st.integers(0, 127), st.binary(max_size=0x3FF))


@given(st.lists(BLOCK, max_size=8), st.integers(0, 127), st.binary(max_size=200))
def test_what_was_packed_is_found(redundant: list[Block], payload_type: int, payload: bytes) -> None:
    primary = Block(0, payload_type, payload)
    assert blocks(packed(redundant, primary)) == [*redundant, primary]


@given(st.binary(max_size=80))
def test_garbage_is_taken_apart_or_refused(payload: bytes) -> None:
    try:
        found = blocks(payload)
    except BadInputError:
        return
    assert sum(len(block.payload) for block in found) < len(payload)


@pytest.mark.parametrize("payload", [b"", b"\x80", b"\xff" * 40, b"\xef\x00\x10\x50\x6f\x00"])
def test_what_is_cut_short_is_refused(payload: bytes) -> None:
    with pytest.raises(BadInputError):
        blocks(payload)
