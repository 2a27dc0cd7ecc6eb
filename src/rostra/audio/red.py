"""Redundant audio data in RTP (RFC 2198): each packet carries the ones before it once more. Pure."""

from typing import Final, NamedTuple

from rostra.core.errors import BadInputError

_MORE: Final = 0x80  # the F bit: another block header follows
_HEADER_BYTES: Final = 4
BLOCKS_MAX: Final = 8  # browsers send one or two redundant blocks; more is a waste of our time


class Block(NamedTuple):
    """One generation of sound: `offset` timestamp units (1/48,000 s for Opus) before the packet's timestamp."""

    offset: int
    payload_type: int
    payload: bytes


def blocks(payload: bytes) -> list[Block]:
    """The blocks of a RED payload, oldest first, the primary one last. BadInputError if it is none."""
    headers: list[tuple[int, int, int]] = []
    at = 0
    while at < len(payload) and payload[at] & _MORE:
        if len(headers) == BLOCKS_MAX or at + _HEADER_BYTES > len(payload):
            raise BadInputError("This is no RED payload (RFC 2198 §3): its headers do not end.")
        word = int.from_bytes(payload[at : at + _HEADER_BYTES], "big")
        headers.append((word >> 10 & 0x3FFF, word >> 24 & 0x7F, word & 0x3FF))
        at += _HEADER_BYTES
    if at >= len(payload):
        raise BadInputError("This is no RED payload (RFC 2198 §3): it has no primary block.")
    primary_type = payload[at] & 0x7F
    at += 1
    found = []
    for offset, payload_type, size in headers:
        found.append(Block(offset, payload_type, payload[at : at + size]))
        at += size
    if at > len(payload):
        raise BadInputError("This is no RED payload (RFC 2198 §3): its blocks are cut short.")
    found.append(Block(0, primary_type, payload[at:]))
    return found
