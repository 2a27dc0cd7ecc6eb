"""How loud the programme is, chunk by chunk while it is recorded."""

from collections.abc import Iterable
from typing import Final

from rostra.audio.containers import ogg
from rostra.audio.dynamics import LEVELLER_GAIN_MAX_DB
from rostra.audio.frame import finite
from rostra.audio.loudness import ABSOLUTE_GATE_LUFS, TARGET_LUFS, GatedLoudness, LoudnessMeter, mean_square
from rostra.audio.opus import OpusDecoder
from rostra.audio.true_peak import PeakEnvelope, to_db
from rostra.core.errors import BadInputError
from rostra.core.units import FRAME_SAMPLES
from rostra.recorder.journal import Level

PEAK_MAX_DBTP: Final = -1.0  # EBU R 128 §4 g, and every podcast directory


class LevelMeter:
    """Hears chunks as pages."""

    def __init__(self) -> None:
        self._decoder = OpusDecoder()
        self._meter = LoudnessMeter()
        self._envelope = PeakEnvelope()

    def add(self, page: bytes) -> Level:
        """The level of one page; neither value is below the absolute gate. A damaged packet is concealed."""
        peak = 0.0
        for packet in ogg.packets(page):
            try:
                sound = self._decoder.decode(packet)
            except BadInputError:
                sound = self._decoder.decode(None)
            for at in range(0, len(sound) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
                frame = finite(sound[at : at + FRAME_SAMPLES])
                self._meter.add(frame)
                peak = max(peak, float(self._envelope.advance(frame).max()))
        lufs, peak_db = self._meter.momentary_lufs, to_db(peak)
        return Level(round(max(ABSOLUTE_GATE_LUFS, lufs), 2), round(max(ABSOLUTE_GATE_LUFS, peak_db), 2))


def integrated_lufs(blocks_lufs: Iterable[float]) -> float:
    """Integrated loudness of gating blocks; minus infinity if nothing passes the gates."""
    gated = GatedLoudness()
    for block in blocks_lufs:
        gated.add(mean_square(block))
    return gated.integrated_lufs


def unlimited_gain_db(recorded: Level) -> float:
    """What brings sound towards TARGET_LUFS without a limiter: no peak exceeds PEAK_MAX_DBTP. 0 for silence."""
    if recorded.lufs <= ABSOLUTE_GATE_LUFS:
        return 0.0
    return min(TARGET_LUFS - recorded.lufs, PEAK_MAX_DBTP - recorded.peak_dbtp, LEVELLER_GAIN_MAX_DB)
