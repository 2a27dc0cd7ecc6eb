"""How loud the programme is, chunk by chunk while it is recorded: the replay need not be decoded once more."""

from collections.abc import Iterable
from typing import Final

from rostra.audio.containers import ogg
from rostra.audio.loudness import ABSOLUTE_GATE_LUFS, TARGET_LUFS, GatedLoudness, LoudnessMeter, mean_square
from rostra.audio.opus import OpusDecoder
from rostra.core.errors import BadInputError
from rostra.core.units import FRAME_SAMPLES

PEAK_MAX_DBTP: Final = -1.0  # EBU R 128: what decoders and resamplers add must not clip


class LevelMeter:
    """Hears chunks as pages. Every 100 ms it tells the momentary loudness, which is a gating block (BS.1770-5)."""

    def __init__(self) -> None:
        self._decoder = OpusDecoder()
        self._meter = LoudnessMeter()

    def add(self, page: bytes) -> float:
        """LUFS of the 400 ms up to the page's end, not below the absolute gate. A damaged packet is silence."""
        for packet in ogg.packets(page):
            try:
                sound = self._decoder.decode(packet)
            except BadInputError:
                sound = self._decoder.decode(None)
            for at in range(0, len(sound) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
                self._meter.add(sound[at : at + FRAME_SAMPLES])
        return max(ABSOLUTE_GATE_LUFS, self._meter.momentary_lufs)

    @property
    def true_peak_dbtp(self) -> float:
        return max(ABSOLUTE_GATE_LUFS, self._meter.true_peak_dbtp)


def integrated_lufs(blocks_lufs: Iterable[float]) -> float:
    """Integrated loudness of gating blocks; minus infinity if nothing passes the gates."""
    gated = GatedLoudness()
    for block in blocks_lufs:
        gated.add(mean_square(block))
    return gated.integrated_lufs


def gain_db(loudness_lufs: float, peak_dbtp: float) -> float:
    """What brings sound to TARGET_LUFS without its peaks above PEAK_MAX_DBTP; 0 for silence."""
    if loudness_lufs <= ABSOLUTE_GATE_LUFS:
        return 0.0
    return min(TARGET_LUFS - loudness_lufs, PEAK_MAX_DBTP - peak_dbtp)
