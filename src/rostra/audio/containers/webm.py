"""Opus in WebM, the Matroska subset (RFC 9559; WebM Container Guidelines): one cluster per chunk.

The segment has no known end (RFC 8794 §6.2), as a live stream has none. A cluster carries its own absolute
timestamp and its blocks are all key frames, so a newcomer may begin with any of them.
"""

import struct
from collections.abc import Sequence
from typing import Final

from rostra.audio.containers.ogg import opus_head
from rostra.core.units import CHUNK_SAMPLES, FRAME_SAMPLES, SAMPLE_RATE_HZ, samples_to_ns

_TICK_NS: Final = 1_000_000  # Matroska's usual TimestampScale (RFC 9559 §5.1.2.9): 1 ms
_TICK_SAMPLES: Final = SAMPLE_RATE_HZ // 1_000
_FRAME_TICKS: Final = FRAME_SAMPLES // _TICK_SAMPLES
_SEEK_PRE_ROLL_NS: Final = 80_000_000  # RFC 7845 §4.6: Opus converges within 80 ms
_TRACK: Final = 1

_EBML: Final = 0x1A45DFA3
_SEGMENT: Final = 0x18538067
_INFO: Final = 0x1549A966
_TRACKS: Final = 0x1654AE6B
_CLUSTER: Final = 0x1F43B675
_TIMESTAMP: Final = 0xE7
_SIMPLE_BLOCK: Final = 0xA3
_KEY_FRAME: Final = 0x80
_UNKNOWN_LENGTH: Final = b"\x01" + b"\xff" * 7


def init(*, pre_skip: int, application: str) -> bytes:
    """EBML header, open-ended segment, Info and Tracks. `pre_skip` in samples at 48 kHz.

    CodecDelay is subtracted from every timestamp by the player (RFC 9559 §5.1.4.1.25), so that decoded
    time is the event clock.
    """
    header = _element(
        _EBML,
        _unsigned(0x4286, 1)  # EBMLVersion
        + _unsigned(0x42F7, 1)  # EBMLReadVersion
        + _unsigned(0x42F2, 4)  # EBMLMaxIDLength
        + _unsigned(0x42F3, 8)  # EBMLMaxSizeLength
        + _element(0x4282, b"webm")  # DocType
        + _unsigned(0x4287, 4)  # DocTypeVersion: CodecDelay needs 4
        + _unsigned(0x4285, 2),  # DocTypeReadVersion: SimpleBlock needs 2
    )
    app = application.encode()
    info = _element(
        _INFO,
        _unsigned(0x2AD7B1, _TICK_NS)  # TimestampScale
        + _element(0x4D80, app)  # MuxingApp
        + _element(0x5741, app),  # WritingApp
    )
    audio = _element(0xB5, struct.pack(">d", SAMPLE_RATE_HZ)) + _unsigned(0x9F, 1)  # frequency, channels
    track = _element(
        0xAE,  # TrackEntry
        _unsigned(0xD7, _TRACK)  # TrackNumber
        + _unsigned(0x73C5, _TRACK)  # TrackUID
        + _unsigned(0x83, 2)  # TrackType: audio
        + _unsigned(0x9C, 0)  # FlagLacing: none, browsers refuse it
        + _element(0x86, b"A_OPUS")  # CodecID
        + _unsigned(0x56AA, samples_to_ns(pre_skip))  # CodecDelay
        + _unsigned(0x56BB, _SEEK_PRE_ROLL_NS)  # SeekPreRoll
        + _element(0x63A2, opus_head(pre_skip=pre_skip))  # CodecPrivate
        + _element(0xE1, audio),  # Audio
    )
    return header + _id(_SEGMENT) + _UNKNOWN_LENGTH + info + _element(_TRACKS, track)


def chunk(packets: Sequence[bytes], *, pts: int) -> bytes:
    """One cluster of 20 ms packets; `pts` is the position of the first, a multiple of CHUNK_SAMPLES.

    A multiple of CHUNK_SAMPLES is a whole number of milliseconds, so no timestamp is ever rounded.
    """
    assert pts % CHUNK_SAMPLES == 0, pts
    blocks = b"".join(
        _element(_SIMPLE_BLOCK, struct.pack(">BhB", 0x80 | _TRACK, index * _FRAME_TICKS, _KEY_FRAME) + packet)
        for index, packet in enumerate(packets)
    )
    return _element(_CLUSTER, _unsigned(_TIMESTAMP, pts // _TICK_SAMPLES) + blocks)


def _element(identifier: int, content: bytes) -> bytes:
    return _id(identifier) + _length(len(content)) + content


def _unsigned(identifier: int, value: int) -> bytes:
    """An unsigned integer element in as few bytes as it takes (RFC 8794 §7.2)."""
    return _element(identifier, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def _id(identifier: int) -> bytes:
    """An element's ID, which carries its own length marker (RFC 8794 §5)."""
    return identifier.to_bytes((identifier.bit_length() + 7) // 8, "big")


def _length(value: int) -> bytes:
    """An element's size in as few bytes as it takes; all ones would mean unknown (RFC 8794 §6)."""
    width = 1
    while value >= (1 << 7 * width) - 1:
        width += 1
    return (1 << 7 * width | value).to_bytes(width, "big")
