"""AAC in fragmented MP4 (ISO/IEC 14496-12 §8.8 and -14): one movie fragment per chunk.

tfdt counts samples at 48 kHz since doors-open, and the fragment's sequence number follows from it. Offsets
are relative to the fragment (default-base-is-moof), so a newcomer may begin with any of them; the same
bytes are CMAF chunks (ISO/IEC 23000-19) for LL-HLS.
"""

import struct
from collections.abc import Sequence
from typing import Final

from rostra.audio.aac import AAC_FRAME_SAMPLES
from rostra.core.units import SAMPLE_RATE_HZ

_TRACK: Final = 1
_IDENTITY_MATRIX: Final = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_INDEPENDENT: Final = 0x02000000  # sample_depends_on = 2: others are not needed (§8.8.3.1)
_DEFAULT_BASE_IS_MOOF: Final = 0x020000
_DATA_OFFSET_AND_SIZES: Final = 0x000201
_ENABLED_IN_MOVIE: Final = 0x000007
_SAME_FILE: Final = 0x000001
_UNDETERMINED_LANGUAGE: Final = 0x55C4  # "und", three letters of five bits (§8.4.2.3)


def init(*, audio_specific_config: bytes, bitrate_bps: int) -> bytes:
    """The boxes ftyp and moov of one mono AAC-LC track without samples (§4.3, §8.2)."""
    brands = b"iso6" + struct.pack(">I", 0) + b"iso6cmfcmp41"
    movie_header = _full_box(
        b"mvhd",
        struct.pack(">IIII", 0, 0, SAMPLE_RATE_HZ, 0)
        + struct.pack(">IH10x", 0x10000, 0x100)  # rate 1.0, volume 1.0
        + _IDENTITY_MATRIX
        + struct.pack(">24xI", _TRACK + 1),
    )
    track_header = _full_box(
        b"tkhd",
        struct.pack(">IIIII8x", 0, 0, _TRACK, 0, 0)
        + struct.pack(">HHHH", 0, 0, 0x100, 0)
        + _IDENTITY_MATRIX
        + bytes(8),
        flags=_ENABLED_IN_MOVIE,
    )
    defaults = _full_box(b"trex", struct.pack(">IIIII", _TRACK, 1, AAC_FRAME_SAMPLES, 0, _INDEPENDENT))
    track = _box(b"trak", track_header + _media(audio_specific_config, bitrate_bps))
    return _box(b"ftyp", brands) + _box(b"moov", movie_header + track + _box(b"mvex", defaults))


def chunk(units: Sequence[bytes], *, position: int) -> bytes:
    """One moof and mdat of access units; `position` is that of the first, a multiple of 1024."""
    assert position % AAC_FRAME_SAMPLES == 0, position
    sizes = struct.pack(f">{len(units)}I", *map(len, units))
    header = _full_box(b"mfhd", struct.pack(">I", 1 + position // AAC_FRAME_SAMPLES))
    track_header = _full_box(b"tfhd", struct.pack(">I", _TRACK), flags=_DEFAULT_BASE_IS_MOOF)
    decode_time = _full_box(b"tfdt", struct.pack(">Q", position), version=1)
    # Box headers: moof 8, traf 8, mdat 8; trun's own is 12, its count and data offset 8.
    data_offset = 8 + len(header) + 8 + len(track_header) + len(decode_time) + 20 + len(sizes) + 8
    run = _full_box(b"trun", struct.pack(">Ii", len(units), data_offset) + sizes, flags=_DATA_OFFSET_AND_SIZES)
    fragment = _box(b"moof", header + _box(b"traf", track_header + decode_time + run))
    return fragment + _box(b"mdat", b"".join(units))


def _media(audio_specific_config: bytes, bitrate_bps: int) -> bytes:
    """mdia: what the track is and how it is coded (§8.4); the sample tables are empty (§8.8.1)."""
    media_header = _full_box(b"mdhd", struct.pack(">IIIIHH", 0, 0, SAMPLE_RATE_HZ, 0, _UNDETERMINED_LANGUAGE, 0))
    handler = _full_box(b"hdlr", struct.pack(">I4s12x", 0, b"soun") + b"rostra\0")
    data_reference = _full_box(b"dref", struct.pack(">I", 1) + _full_box(b"url ", b"", flags=_SAME_FILE))
    entry = _sample_entry(audio_specific_config, bitrate_bps)
    tables = (
        _full_box(b"stsd", struct.pack(">I", 1) + entry)
        + _full_box(b"stts", bytes(4))
        + _full_box(b"stsc", bytes(4))
        + _full_box(b"stsz", bytes(8))
        + _full_box(b"stco", bytes(4))
    )
    information = _full_box(b"smhd", bytes(4)) + _box(b"dinf", data_reference) + _box(b"stbl", tables)
    return _box(b"mdia", media_header + handler + _box(b"minf", information))


def _sample_entry(audio_specific_config: bytes, bitrate_bps: int) -> bytes:
    """mp4a (§12.2.3) with its elementary stream descriptor (ISO/IEC 14496-14 §5.6, 14496-1 §7.2.6)."""
    decoder = _descriptor(
        4,  # DecoderConfigDescriptor
        struct.pack(">BB3xII", 0x40, 0x15, bitrate_bps, bitrate_bps)  # MPEG-4 audio; audio stream
        + _descriptor(5, audio_specific_config),  # DecoderSpecificInfo
    )
    stream = _descriptor(3, struct.pack(">HB", 0, 0) + decoder + _descriptor(6, b"\x02"))
    return _box(
        b"mp4a",
        struct.pack(">6xH8xHHHHI", 1, 1, 16, 0, 0, SAMPLE_RATE_HZ << 16) + _full_box(b"esds", stream),
    )


def _box(kind: bytes, content: bytes) -> bytes:
    """A box (§4.2)."""
    return struct.pack(">I", 8 + len(content)) + kind + content


def _full_box(kind: bytes, content: bytes, *, version: int = 0, flags: int = 0) -> bytes:
    """A box with version and flags (§4.2)."""
    return _box(kind, struct.pack(">I", version << 24 | flags) + content)


def _descriptor(tag: int, content: bytes) -> bytes:
    """A descriptor with a one-byte size (ISO/IEC 14496-1 §8.3.3)."""
    assert len(content) < 0x80, len(content)
    return bytes([tag, len(content)]) + content
