"""FLAC (RFC 9639) by FFmpeg's encoder through PyAV's codec context, as bytes that may be cut off anywhere."""

from fractions import Fraction
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from rostra.core.errors import BadInputError
from rostra.core.units import SAMPLE_RATE_HZ

# STREAMINFO as the last metadata block, 34 bytes (RFC 9639 §8.1, §8.2).
_MARKER: Final = b"fLaC\x80\x00\x00\x22"
_STREAMINFO_BYTES: Final = 34
HEADER_BYTES: Final = len(_MARKER) + _STREAMINFO_BYTES
# The last 36 bits of these eight bytes are the number of samples (RFC 9639 §8.2); 0: unknown.
_SAMPLES_AT: Final = len(_MARKER) + 10
_SAMPLES_MAX: Final = (1 << 36) - 1


class FlacEncoder:
    """16-bit little-endian mono PCM at 48 kHz, in pieces of any length, to the bytes of a FLAC file.

    A file begins with `header`. What has not filled a block of 4,608 samples (96 ms) is held back until `finish`.
    """

    def __init__(self) -> None:
        context = av.CodecContext.create("flac", "w")
        assert isinstance(context, av.AudioCodecContext)
        context.sample_rate = SAMPLE_RATE_HZ
        context.layout = "mono"
        context.format = "s16"
        context.time_base = Fraction(1, SAMPLE_RATE_HZ)
        context.open()
        assert context.frame_size
        self._context = context
        self._block_samples: int = context.frame_size
        self._held = b""
        self._position = 0

    @property
    def header(self) -> bytes:
        """Marker and STREAMINFO, the number of samples unknown as in any stream that is being written."""
        extradata = self._context.extradata
        assert extradata is not None
        return _MARKER + bytes(extradata[:_STREAMINFO_BYTES])

    def encode(self, pcm: bytes) -> bytes:
        """The FLAC frames that `pcm` completes."""
        self._held += pcm
        block_bytes = 2 * self._block_samples
        whole = len(self._held) // block_bytes * block_bytes
        samples = np.frombuffer(self._held[:whole], "<i2").reshape(-1, self._block_samples)
        self._held = self._held[whole:]
        return b"".join(self._frame(block) for block in samples)

    @property
    def held_samples(self) -> int:
        """Samples that no frame has yet."""
        return len(self._held) // 2

    def finish(self) -> bytes:
        """The last, shorter frame."""
        rest, self._held = np.frombuffer(self._held, "<i2"), b""
        last = self._frame(rest) if len(rest) else b""
        return last + b"".join(bytes(packet) for packet in self._context.encode(None))

    def _frame(self, block: NDArray[np.int16]) -> bytes:
        frame = av.AudioFrame.from_ndarray(block.astype(np.int16).reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE_HZ
        frame.pts = self._position
        self._position += len(block)
        return b"".join(bytes(packet) for packet in self._context.encode(frame))


def with_length(header: bytes, samples: int) -> bytes:
    """`header` that says how many samples follow, so that players can seek. BadInputError if it is none of ours."""
    if len(header) != HEADER_BYTES or not header.startswith(_MARKER):
        raise BadInputError("This file does not begin as a FLAC file of Rostra does.")
    number = int.from_bytes(header[_SAMPLES_AT : _SAMPLES_AT + 8], "big")
    number = number & ~_SAMPLES_MAX | min(samples, _SAMPLES_MAX)
    return header[:_SAMPLES_AT] + number.to_bytes(8, "big") + header[_SAMPLES_AT + 8 :]
