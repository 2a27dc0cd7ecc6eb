"""Opus (RFC 6716) by libopus through ctypes, for what PyAV hides: concealment, FEC and encoder controls.

ctypes releases the GIL during a call. A coder belongs to one thread at a time, as libopus demands.
"""

import ctypes
import weakref
from ctypes import POINTER, byref, c_char_p, c_int, c_int32, c_void_p
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np

from rostra.audio.frame import Frame, Samples
from rostra.core.errors import BadInputError, RostraError
from rostra.core.units import FRAME_SAMPLES, SAMPLE_RATE_HZ

PACKET_BYTES_MAX: Final = 1_275  # one frame of Opus cannot be longer (RFC 6716 §3.4, R2)
PACKET_SAMPLES_MAX: Final = 5_760  # a packet holds 120 ms at most (RFC 6716 §3.4, R5)

# From 7 on libopus tells speech from music (opus_encoder.c, `run_analysis`), which at 32 kbit/s is worth 0.24
# PESQ over 5; 8 to 10 cost a tenth more and gain nothing that could be measured on speech (docs/performance.md).
COMPLEXITY: Final = 7

_ANY_BPS: Final = 64_000
_OK: Final = 0
_INVALID_PACKET: Final = -4
_APPLICATION_AUDIO: Final = 2049
_SET_BITRATE: Final = 4002
_SET_VBR: Final = 4006
_SET_COMPLEXITY: Final = 4010
_SET_INBAND_FEC: Final = 4012
_SET_PACKET_LOSS_PERCENT: Final = 4014
_SET_VBR_CONSTRAINT: Final = 4020
_GET_LOOKAHEAD: Final = 4027

_FLOATS: Final = c_void_p  # a pointer to float would be an object for each call


def _candidates() -> list[str]:
    """Where libopus may be: the PyAV wheel brings a current one; then whatever the system has."""
    spec = find_spec("av")
    bundled: list[Path] = []
    if spec is not None and spec.origin is not None:
        bundled = sorted((Path(spec.origin).parent.parent / "av.libs").glob("libopus-*.so*"))
    return [*map(str, bundled), "libopus.so.0"]


@cache
def _libopus() -> ctypes.CDLL:
    for name in _candidates():
        try:
            lib = ctypes.CDLL(name)
        except OSError:
            continue  # the next candidate; if none is left, the error below says what to install
        _declare(lib)
        return lib
    raise RostraError("libopus is missing: install the wheel of PyAV (pip install av) or Debian's libopus0.")


def _declare(lib: ctypes.CDLL) -> None:
    lib.opus_strerror.argtypes, lib.opus_strerror.restype = [c_int], c_char_p
    lib.opus_get_version_string.argtypes, lib.opus_get_version_string.restype = [], c_char_p
    lib.opus_encoder_create.argtypes = [c_int32, c_int, c_int, POINTER(c_int)]
    lib.opus_encoder_create.restype = c_void_p
    lib.opus_encoder_get_size.argtypes, lib.opus_encoder_get_size.restype = [c_int], c_int
    lib.opus_encoder_destroy.argtypes, lib.opus_encoder_destroy.restype = [c_void_p], None
    lib.opus_encode_float.argtypes = [c_void_p, _FLOATS, c_int, c_char_p, c_int32]
    lib.opus_encode_float.restype = c_int32
    # A variadic function: on some platforms its arguments travel otherwise, so only the fixed ones are named.
    lib.opus_encoder_ctl.argtypes, lib.opus_encoder_ctl.restype = [c_void_p, c_int], c_int
    lib.opus_decoder_create.argtypes = [c_int32, c_int, POINTER(c_int)]
    lib.opus_decoder_create.restype = c_void_p
    lib.opus_decoder_destroy.argtypes, lib.opus_decoder_destroy.restype = [c_void_p], None
    lib.opus_decode_float.argtypes = [c_void_p, c_char_p, c_int32, _FLOATS, c_int, c_int]
    lib.opus_decode_float.restype = c_int


def version() -> str:
    """Name and version of the library in use, e.g. `libopus 1.6.1`."""
    return bytes(_libopus().opus_get_version_string()).decode()


def _checked(result: int, doing: str) -> int:
    """`result` if it is no error code. BadInputError for a malformed packet, ValueError otherwise."""
    if result >= _OK:
        return result
    text = f"Opus {doing}: {bytes(_libopus().opus_strerror(result)).decode()}"
    raise BadInputError(text) if result == _INVALID_PACKET else ValueError(text)


class OpusEncoder:
    """Mono frames of 20 ms to Opus packets, application AUDIO, constrained VBR so that the rate holds.

    `bitrate_bps` 6,000 to 510,000; `complexity` 0 to 10. `loss_percent` above 0 adds in-band FEC for that
    loss (RFC 6716 §2.1.7): only where packets can be lost, never towards listeners.
    """

    def __init__(self, bitrate_bps: int, *, complexity: int = COMPLEXITY, loss_percent: int = 0) -> None:
        self._lib = _libopus()
        error = c_int()
        state = self._lib.opus_encoder_create(SAMPLE_RATE_HZ, 1, _APPLICATION_AUDIO, byref(error))
        _checked(error.value, "encoder")
        self._state = c_void_p(state)
        weakref.finalize(self, self._lib.opus_encoder_destroy, self._state)
        self._packet = ctypes.create_string_buffer(PACKET_BYTES_MAX)
        for control, value in (
            (_SET_BITRATE, bitrate_bps),
            (_SET_VBR, 1),
            (_SET_VBR_CONSTRAINT, 1),
            (_SET_COMPLEXITY, complexity),
            (_SET_INBAND_FEC, int(loss_percent > 0)),
            (_SET_PACKET_LOSS_PERCENT, loss_percent),
        ):
            _checked(self._lib.opus_encoder_ctl(self._state, control, c_int(value)), f"control {control}")

    def copy(self) -> "OpusEncoder":
        """Another encoder that goes on as this one would: a decoder does not notice that it hears the other.

        The state, settings and all, is one block that may be copied like this (opus.h, `OpusEncoder`).
        """
        copied = OpusEncoder(_ANY_BPS)
        ctypes.memmove(copied._state, self._state, self._lib.opus_encoder_get_size(1))
        return copied

    @property
    def pre_skip(self) -> int:
        """Samples by which the decoded sound lags behind the frames (RFC 7845 §4.2)."""
        lookahead = c_int()
        _checked(self._lib.opus_encoder_ctl(self._state, _GET_LOOKAHEAD, byref(lookahead)), "lookahead")
        return lookahead.value

    def encode(self, frame: Frame) -> bytes:
        """One packet of shape-(960,) `frame`; must be finite."""
        assert frame.shape == (FRAME_SAMPLES,), frame.shape
        pcm = np.ascontiguousarray(frame, np.float32)
        length = self._lib.opus_encode_float(
            self._state, pcm.ctypes.data, FRAME_SAMPLES, self._packet, PACKET_BYTES_MAX
        )
        return self._packet.raw[: _checked(length, "encoder")]


class OpusDecoder:
    """Opus packets, mono or stereo, to mono samples at 48 kHz."""

    def __init__(self) -> None:
        self._lib = _libopus()
        error = c_int()
        state = self._lib.opus_decoder_create(SAMPLE_RATE_HZ, 1, byref(error))
        _checked(error.value, "decoder")
        self._state = c_void_p(state)
        weakref.finalize(self, self._lib.opus_decoder_destroy, self._state)

    def decode(self, packet: bytes | None, *, fec: bool = False, missing: int = FRAME_SAMPLES) -> Samples:
        """The samples of `packet`, shape (n,): a Frame for a packet of 20 ms; n is up to PACKET_SAMPLES_MAX.

        None conceals `missing` lost samples (a multiple of 120: 2.5 ms). With `fec`, `packet` is the one
        *after* the `missing` lost samples, and what it tells about them is decoded (RFC 6716 §2.1.7;
        without such data, they are concealed). BadInputError for a malformed packet.
        """
        room = missing if packet is None or fec else PACKET_SAMPLES_MAX
        pcm = np.empty(room, np.float32)
        length = 0 if packet is None else len(packet)
        if packet is not None and length == 0:
            raise BadInputError("Opus decoder: empty packet")  # libopus would take it for a lost one
        count = self._lib.opus_decode_float(self._state, packet, length, pcm.ctypes.data, room, int(fec))
        return pcm[: _checked(count, "decoder")]
