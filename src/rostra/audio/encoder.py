"""The programme encoder: frames of the one mix in, every rendition's chunk out.

Opus packets are made once per bit rate. The packets of the frames at [pts, pts + 4800) are the chunk at pts;
pre-skip and CodecDelay in the init make decoded time the event clock.

AAC units lie on the grid k * 1024 of the event clock, whoever makes them, and a unit is complete when the
sound up to (k + 3) * 1024 is known (AAC_REACH_SAMPLES). **The rule:** the chunk at pts carries the units
with pts < (k + 3) * 1024 <= pts + 4800: what this chunk's own sound completes. So nothing waits for later
sound, every stage puts the same units into the same chunk, and tfdt goes on unbroken over a takeover. The
price is the AAC lag: a chunk ends 43 to 64 ms before the Opus chunk of the same number does. The timestamps
tell the truth about it, so the sound stays in sync. The first chunk of a conversation has two units, the
others four or five.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from rostra.audio.aac import AAC_FRAME_SAMPLES, AAC_REACH_SAMPLES, AacEncoder, AccessUnit
from rostra.audio.containers import fmp4, ogg, webm
from rostra.audio.frame import Frame, Samples, finite
from rostra.audio.opus import OpusEncoder
from rostra.core.renditions import RENDITIONS
from rostra.core.units import CHUNK_FRAMES, CHUNK_SAMPLES, FRAME_SAMPLES

__all__ = ["PRE_ROLL_SAMPLES", "RENDITIONS", "ProgrammeEncoder", "unit_positions"]

# A decoder converges within 80 ms (RFC 7845 §4.6), rate control and the choice of mode a little later. 200 ms are
# encoded in 6.5 ms, and a takeover with them costs 0.05 PESQ at most; without, 0.2 to 2
# (tests/conformance/test_containers.py).
PRE_ROLL_SAMPLES: Final = 2 * CHUNK_SAMPLES

_APP: Final = "rostra"
_AAC: Final = "mp4-96"
_OPUS_CONTAINERS: Final = {"webm-64": webm, "webm-32": webm, "webm-16": webm, "ogg-64": ogg}


def unit_positions(pts: int) -> range:
    """The positions of the AAC units that the chunk at `pts` carries."""
    first = (pts - AAC_REACH_SAMPLES) // AAC_FRAME_SAMPLES + 1
    end = (pts + CHUNK_SAMPLES - AAC_REACH_SAMPLES) // AAC_FRAME_SAMPLES + 1
    return range(max(0, first) * AAC_FRAME_SAMPLES, end * AAC_FRAME_SAMPLES, AAC_FRAME_SAMPLES)


class ProgrammeEncoder:
    """Encodes one programme from sample `position` on, a multiple of CHUNK_SAMPLES.

    `pre_roll`, shape (n,), is the sound just before `position`: it is encoded and thrown away, so that
    the coders' state has converged when this process goes on where another stopped. PRE_ROLL_SAMPLES are
    enough; of more than that the last are taken, and what is missing counts as silence.
    """

    def __init__(self, position: int, *, pre_roll: Samples | None = None) -> None:
        assert position % CHUNK_SAMPLES == 0, position
        self._opus = {
            bitrate_bps: OpusEncoder(bitrate_bps)
            for bitrate_bps in {RENDITIONS[name].bitrate_bps for name in _OPUS_CONTAINERS}
        }
        self._packets: dict[int, list[bytes]] = {bitrate_bps: [] for bitrate_bps in self._opus}
        before = min(PRE_ROLL_SAMPLES, position)
        first_unit = (position - before) // AAC_FRAME_SAMPLES * AAC_FRAME_SAMPLES
        self._aac = AacEncoder(RENDITIONS[_AAC].bitrate_bps, position=first_unit)
        self._block = np.zeros(position - before - first_unit, np.float32)
        self._units: list[AccessUnit] = []
        self._pts = position - before
        for frame in _padded(pre_roll, before):
            self.encode(frame)
        assert self._pts == position

    @property
    def init(self) -> dict[str, bytes]:
        """The container header of each rendition, the same from every stage."""
        headers = {
            name: container.init(pre_skip=self._opus[RENDITIONS[name].bitrate_bps].pre_skip, application=_APP)
            for name, container in _OPUS_CONTAINERS.items()
        }
        headers[_AAC] = fmp4.init(
            audio_specific_config=self._aac.extradata, bitrate_bps=RENDITIONS[_AAC].bitrate_bps
        )
        return headers

    @property
    def pts(self) -> int:
        """The position of the chunk that is being made: of the next that `encode` returns."""
        return self._pts

    def encode(self, frame: Frame) -> dict[str, bytes] | None:
        """The chunk that `frame` completes: each rendition's bytes for [pts, pts + CHUNK_SAMPLES).

        Every fifth frame completes one; the others give None. NaN and infinities are silence.
        """
        sound = finite(frame)
        for bitrate_bps, encoder in self._opus.items():
            self._packets[bitrate_bps].append(encoder.encode(sound))
        self._encode_aac(sound)
        if len(next(iter(self._packets.values()))) < CHUNK_FRAMES:
            return None
        return self._take_chunk()

    def _encode_aac(self, sound: Frame) -> None:
        self._block = np.concatenate((self._block, sound))
        if len(self._block) >= AAC_FRAME_SAMPLES:
            self._units += self._aac.encode(self._block[:AAC_FRAME_SAMPLES])
            self._block = self._block[AAC_FRAME_SAMPLES:]

    def _take_chunk(self) -> dict[str, bytes]:
        pts = self._pts
        chunk = {
            name: container.chunk(self._packets[RENDITIONS[name].bitrate_bps], pts=pts)
            for name, container in _OPUS_CONTAINERS.items()
        }
        # The encoder's first unit is that of the block before: priming, or another stage's business.
        positions = unit_positions(pts)
        units = [unit for unit in self._units if unit.position >= positions.start]
        chunk[_AAC] = fmp4.chunk([unit.payload for unit in units], position=positions.start)
        for packets in self._packets.values():
            packets.clear()
        self._units.clear()
        self._pts += CHUNK_SAMPLES
        return chunk


def _padded(pre_roll: Samples | None, samples: int) -> NDArray[np.float32]:
    """The last `samples` of `pre_roll`, silence before what is too short, as frames of shape (n, 960)."""
    sound = np.zeros(samples, np.float32)
    given = sound[:0] if pre_roll is None else pre_roll[-samples:] if samples else pre_roll[:0]
    sound[samples - len(given) :] = given
    return sound.reshape(-1, FRAME_SAMPLES)
