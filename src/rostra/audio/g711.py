"""G.711 (ITU-T G.711, 11/1988), the codec of every telephone: companding, resampling and concealment. Pure.

Eight bits a sample at 8 kHz. µ-law is spoken in North America and Japan, A-law elsewhere; every trunk knows both.
"""

from enum import StrEnum
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from rostra.audio.frame import Samples, finite
from rostra.audio.resample import FACTOR, TELEPHONE_HZ, Downsampler, Upsampler
from rostra.core.errors import BadInputError
from rostra.core.units import FRAME_SAMPLES

PACKET_BYTES_MAX: Final = TELEPHONE_HZ // 5  # 200 ms, the longest packet that RFC 3551 §4.2 wants to be received
_FULL_SCALE: Final = 32_768.0


class Law(StrEnum):
    """Names as SDP has them (RFC 3551 §4.5.14)."""

    MU = "PCMU"
    A = "PCMA"


@cache
def _levels(law: Law) -> NDArray[np.float32]:
    """What each of the 256 octets sounds like, -1 to +1 (G.711 tables 1a to 2b, as 16-bit numbers)."""
    octets = np.arange(256)
    match law:
        case Law.MU:
            code = octets ^ 0xFF
            magnitude = ((((code & 0x0F) << 3) + 0x84) << (code >> 4 & 7)) - 0x84
            level = np.where(code & 0x80, -magnitude, magnitude)
        case Law.A:
            code = octets ^ 0x55
            segment = code >> 4 & 7
            magnitude = ((code & 0x0F) << 4) + np.where(segment > 0, 0x108, 8)
            magnitude <<= np.maximum(segment - 1, 0)
            level = np.where(code & 0x80, magnitude, -magnitude)
    return (level / _FULL_SCALE).astype(np.float32)


@cache
def _nearest(law: Law) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """The bounds between neighbouring levels, and the octet of each level from the lowest to the highest."""
    levels, octets = np.unique(_levels(law)[::-1], return_index=True)  # of µ-law's two zeros the positive one
    bounds = ((levels[1:] + levels[:-1]) / 2).astype(np.float32)
    return bounds, (255 - octets).astype(np.uint8)


def compand(sound: Samples, law: Law) -> bytes:
    """Samples at 8 kHz, shape (n,), as n octets. Overshoot saturates; NaN and infinities are silence."""
    bounds, octets = _nearest(law)
    return octets[np.searchsorted(bounds, finite(sound))].tobytes()


def expand(octets: bytes, law: Law) -> Samples:
    """Samples at 8 kHz, shape (n,), of n octets."""
    return _levels(law)[np.frombuffer(octets, np.uint8)]


class G711Encoder:
    """48 kHz to packets of G.711: a frame of 20 ms is 160 octets."""

    def __init__(self, law: Law) -> None:
        self._law = law
        self._downsampler = Downsampler()

    def encode(self, frame: Samples) -> bytes:
        return compand(self._downsampler.process(frame), self._law)


class G711Decoder:
    """Packets of G.711 to 48 kHz, as `audio.jitter` asks of a decoder."""

    def __init__(self, law: Law) -> None:
        self._law = law
        self._concealer = Concealer()
        self._upsampler = Upsampler()

    def decode(self, packet: bytes | None, *, fec: bool = False, missing: int = FRAME_SAMPLES) -> Samples:
        """The samples of `packet`, shape (6 x its octets,). None conceals `missing` samples, a multiple of 6.

        BadInputError for a packet that is empty or too long, and for `fec`: G.711 tells nothing of lost packets.
        """
        if fec:
            raise BadInputError("G.711 carries no forward error correction.")
        if packet is None:
            return self._upsampler.process(self._concealer.conceal(missing // FACTOR))
        if not 0 < len(packet) <= PACKET_BYTES_MAX:
            raise BadInputError(f"A packet of G.711 has 1 to {PACKET_BYTES_MAX} octets.")
        return self._upsampler.process(self._concealer.hear(expand(packet, self._law)))


# --- concealment ------------------------------------------------------------------------------------------

_PERIOD_MIN, _PERIOD_MAX = TELEPHONE_HZ // 200, TELEPHONE_HZ // 66  # Appendix I §I.2.2: 66 to 200 Hz
_LIKENESS: Final = 160  # samples, 20 ms, that are compared with those a period before
_HISTORY: Final = _LIKENESS + 2 * _PERIOD_MAX
_MS: Final = TELEPHONE_HZ // 1_000
_HOLD: Final = 10 * _MS  # §I.2.7: the first 10 ms are as loud as before,
_FADE: Final = 50 * _MS  # then 20 % less every 10 ms: silence after 60 ms


class Concealer:
    """Lost pieces of a telephone's sound as the voice would have gone on (after ITU-T G.711 Appendix I, 09/1999).

    The last pitch period is repeated and fades; what comes next is cross-faded in. Unlike there nothing is delayed
    by 3.75 ms for a fade into the first repetition: the period itself is made to join its own beginning.
    """

    def __init__(self) -> None:
        self._history = np.zeros(_HISTORY, np.float32)
        self._period: Samples | None = None  # what is repeated; None while nothing is lost
        self._invented = 0  # samples in a row

    def hear(self, sound: Samples) -> Samples:
        """A piece that has come, at 8 kHz: joined to what was invented before it."""
        if self._period is not None:
            # §I.2.6: a quarter of a period, and 4 ms more for each 10 ms that were lost, 10 ms at most.
            wanted = len(self._period) // 4 + 4 * _MS * (self._invented // (10 * _MS))
            overlap = min(len(sound), wanted, 10 * _MS)
            fade = np.linspace(0.0, 1.0, overlap, dtype=np.float32)
            sound = sound.copy()
            sound[:overlap] = sound[:overlap] * fade + self._go_on(overlap) * (1 - fade)
            self._period, self._invented = None, 0
        self._history = np.concatenate((self._history, sound))[-_HISTORY:]
        return sound

    def conceal(self, count: int) -> Samples:
        """`count` samples in place of those that were lost."""
        if self._period is None:
            self._period = last_period(self._history)
        sound = self._go_on(count)
        self._history = np.concatenate((self._history, sound))[-_HISTORY:]
        return sound

    def _go_on(self, count: int) -> Samples:
        assert self._period is not None
        at = np.arange(self._invented, self._invented + count)
        self._invented += count
        loudness = np.clip(1 - (at - _HOLD) / _FADE, 0, 1)
        sound: Samples = (self._period[at % len(self._period)] * loudness).astype(np.float32)
        return sound


def last_period(history: Samples) -> Samples:
    """The last pitch period of `history`, shape (_HISTORY,), made to join its own beginning without a click."""
    newest = history[-_LIKENESS:]
    candidates = np.arange(_PERIOD_MIN, _PERIOD_MAX + 1)
    windows = np.stack([history[-_LIKENESS - period : -period] for period in candidates])
    energy = np.sqrt((windows**2).sum(axis=1)) + 1e-6
    period = int(candidates[np.argmax(windows @ newest / energy)])
    repeated = history[-period:].copy()
    overlap = period // 4
    fade = np.linspace(0.0, 1.0, overlap, dtype=np.float32)
    before = history[-period - overlap : -period]  # what came before the period is what leads into it
    repeated[-overlap:] = repeated[-overlap:] * (1 - fade) + before * fade
    return repeated
