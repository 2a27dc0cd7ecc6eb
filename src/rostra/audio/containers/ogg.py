"""Opus in Ogg (RFC 3533, RFC 7845): one page per chunk.

A page's granule position is absolute and its sequence number follows from it, so that a page is the same
whoever makes it. A newcomer's first audio page has a granule position far above the samples in it: that is
how RFC 7845 §4.5 tells where a live stream was joined.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from rostra.core.units import CHUNK_SAMPLES, FRAME_SAMPLES, SAMPLE_RATE_HZ

SERIAL: Final = 0x524F5354  # "ROST": one for all, since one stream has one logical bitstream (RFC 3533 §4)

_PAGE_HEADER: Final = struct.Struct("<4sBBqIIIB")  # RFC 3533 §6
_FIRST_PAGE: Final = 0x02
_LAST_PAGE: Final = 0x04
_HEADER_PAGES: Final = 2
_POSITION: Final = struct.Struct("<BqII")  # flags, granule position, serial, sequence number
_POSITION_AT: Final = 5
_CHECKSUM_AT: Final = 22
_GAIN_STEPS_PER_DB: Final = 256  # Q7.8 (RFC 7845 §5.1)
_SEGMENT_BYTES_MAX: Final = 255
_SEGMENTS_MAX: Final = 255
_PAGE_BYTES_MAX: Final = _PAGE_HEADER.size + _SEGMENTS_MAX + _SEGMENTS_MAX * _SEGMENT_BYTES_MAX
_BITS_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def init(
    *, pre_skip: int, application: str, gain_db: float = 0.0, comments: Mapping[str, str] | None = None
) -> bytes:
    """The identification and the comment page (RFC 7845 §3). `pre_skip` in samples at 48 kHz.

    `gain_db` is applied by every decoder (§5.1); `comments` are Vorbis comments (§5.2), `{"TITLE": "…"}`.
    """
    said = [_counted(f"{name}={text}".encode()) for name, text in (comments or {}).items()]
    tags = b"OpusTags" + _counted(application.encode()) + struct.pack("<I", len(said)) + b"".join(said)
    head = opus_head(pre_skip=pre_skip, gain_db=gain_db)
    return _page([head], granule=0, sequence=0, flags=_FIRST_PAGE) + _page([tags], granule=0, sequence=1)


def opus_head(*, pre_skip: int, gain_db: float = 0.0) -> bytes:
    """The identification header of mono Opus, mapping family 0 (RFC 7845 §5.1)."""
    gain = round(gain_db * _GAIN_STEPS_PER_DB)
    return b"OpusHead" + struct.pack("<BBHIhB", 1, 1, pre_skip, SAMPLE_RATE_HZ, gain, 0)


def chunk(packets: Sequence[bytes], *, pts: int) -> bytes:
    """One page of 20 ms packets; `pts` is the position of the first, a multiple of CHUNK_SAMPLES.

    The granule position counts the samples up to the page's end, pre-skip included (RFC 7845 §4), so
    that decoded time (granule position - pre-skip) is the event clock.
    """
    assert pts % CHUNK_SAMPLES == 0, pts
    granule = pts + len(packets) * FRAME_SAMPLES
    return _page(packets, granule=granule, sequence=_HEADER_PAGES + pts // CHUNK_SAMPLES)


def packets(page: bytes) -> list[bytes]:
    """The packets of a page that `chunk` made (RFC 3533 §6: segments of 255 go on, a shorter one ends a packet)."""
    count = page[_PAGE_HEADER.size - 1]
    lengths, body = page[_PAGE_HEADER.size : _PAGE_HEADER.size + count], _PAGE_HEADER.size + count
    found, start = [], body
    for length in lengths:
        body += length
        if length < _SEGMENT_BYTES_MAX:
            found.append(page[start:body])
            start = body
    return found


def pages(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The whole pages at the beginning of a file that is read in `blocks`, up to the first that is damaged."""
    held = b""
    for block in blocks:
        held += block
        at = 0
        while (length := _page_length(held, at)) is not None:
            page = held[at : at + length]
            if not _is_whole(page):
                return
            yield page
            at += length
        held = held[at:]
        if len(held) > _PAGE_BYTES_MAX:
            return


def number(page: bytes) -> int | None:
    """Which chunk the page carries; None for the header's pages."""
    _, _, _, sequence = _POSITION.unpack_from(page, _POSITION_AT)
    return None if sequence < _HEADER_PAGES else int(sequence) - _HEADER_PAGES


def moved(page: bytes, *, pts: int, last: bool = False) -> bytes:
    """A page that `chunk` made, at another position: its packets begin at `pts`. `last` ends the stream."""
    assert pts % CHUNK_SAMPLES == 0, pts
    granule = pts + len(packets(page)) * FRAME_SAMPLES
    place = _POSITION.pack(_LAST_PAGE if last else 0, granule, SERIAL, _HEADER_PAGES + pts // CHUNK_SAMPLES)
    unsigned = page[:_POSITION_AT] + place + bytes(4) + page[_CHECKSUM_AT + 4 :]
    return unsigned[:_CHECKSUM_AT] + struct.pack("<I", _checksum(unsigned)) + unsigned[_CHECKSUM_AT + 4 :]


def _page_length(data: bytes, at: int) -> int | None:
    """The length of the page at `at`, None as long as it is not known or not all there."""
    if len(data) < at + _PAGE_HEADER.size:
        return None
    count = data[at + _PAGE_HEADER.size - 1]
    table = data[at + _PAGE_HEADER.size : at + _PAGE_HEADER.size + count]
    length = _PAGE_HEADER.size + count + sum(table)
    return length if len(table) == count and len(data) >= at + length else None


def _is_whole(page: bytes) -> bool:
    unsigned = page[:_CHECKSUM_AT] + bytes(4) + page[_CHECKSUM_AT + 4 :]
    stored = page[_CHECKSUM_AT : _CHECKSUM_AT + 4]
    return page.startswith(b"OggS") and stored == struct.pack("<I", _checksum(unsigned))


def _page(packets: Sequence[bytes], *, granule: int, sequence: int, flags: int = 0) -> bytes:
    lacing = b"".join(_lacing(len(packet)) for packet in packets)
    assert len(lacing) <= _SEGMENTS_MAX, len(lacing)
    header = _PAGE_HEADER.pack(b"OggS", 0, flags, granule, SERIAL, sequence, 0, len(lacing)) + lacing
    body = b"".join(packets)
    checksum = struct.pack("<I", _checksum(header + body))
    return header[:_CHECKSUM_AT] + checksum + header[_CHECKSUM_AT + 4 :] + body


def _lacing(length: int) -> bytes:
    """The segment table's entries of one packet (RFC 3533 §5)."""
    full, rest = divmod(length, _SEGMENT_BYTES_MAX)
    return b"\xff" * full + bytes([rest])


def _checksum(page: bytes) -> int:
    """CRC-32 with polynomial 0x04C11DB7, unreflected, from 0 (RFC 3533 §6).

    zlib's is the same polynomial with reflected bits, from 0xFFFFFFFF: reflecting the bytes before and the
    result after makes it fit, 40 times faster than a table in Python.
    """
    reflected = zlib.crc32(page.translate(_BITS_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(reflected.to_bytes(4, "big").translate(_BITS_REVERSED), "little")


def _counted(text: bytes) -> bytes:
    return struct.pack("<I", len(text)) + text
