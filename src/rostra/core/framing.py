"""The listener stream: frames of `kind, length, payload` in one endless response (docs/protocol.md).

Header: one big-endian u32, kind in the top byte, payload length in the low 24 bits. Integers are big-endian.

kind 1 INIT:  the container header of the rendition
kind 2 MEDIA: u32 sequence number, then the chunk's container bytes
kind 3 EVENT: UTF-8 JSON object with a `type`
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from rostra.core.errors import BadInputError

INIT: Final = 1
MEDIA: Final = 2
EVENT: Final = 3
CONTENT_TYPE: Final = "application/vnd.rostra.stream"
FRAME_BYTES_MAX: Final = 1 << 20  # a chunk is 1 kB; a peer that announces more is not one of ours

_HEADER = struct.Struct(">I")
_MEDIA = struct.Struct(">II")


def frame(kind: int, payload: bytes) -> bytes:
    return _HEADER.pack(kind << 24 | len(payload)) + payload


def media_frame(seq: int, chunk: bytes) -> bytes:
    return _MEDIA.pack(MEDIA << 24 | len(chunk) + 4, seq) + chunk


@dataclass(frozen=True, slots=True)
class Frame:
    kind: int
    payload: bytes

    @property
    def seq(self) -> int:
        """The sequence number of a MEDIA frame."""
        return int.from_bytes(self.payload[:4], "big")


class FrameReader:
    """Cuts received bytes into frames. Holds at most one unfinished frame (FRAME_BYTES_MAX)."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield each frame that `data` completes. BadInputError if this is no Rostra stream."""
        self._buffer += data
        while len(self._buffer) >= 4:
            (head,) = _HEADER.unpack_from(self._buffer)
            kind, length = head >> 24, head & 0xFFFFFF
            if kind not in (INIT, MEDIA, EVENT) or length > FRAME_BYTES_MAX or (kind == MEDIA and length < 4):
                raise BadInputError(f"This is no Rostra stream: frame kind {kind}, length {length}.")
            if len(self._buffer) < 4 + length:
                return
            payload = bytes(self._buffer[4 : 4 + length])
            del self._buffer[: 4 + length]
            yield Frame(kind, payload)
