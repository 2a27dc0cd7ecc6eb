"""How somebody's sound comes to this gate, and what became of it on the way: the first hop. Pure."""

from dataclasses import dataclass
from typing import Literal

from rostra.audio.jitter import JitterBuffer
from rostra.audio.voice import Treatment
from rostra.core.units import SAMPLE_RATE_HZ

_SAMPLES_PER_MS = SAMPLE_RATE_HZ // 1_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """What carries the sound, as which codec, and the buffer that counts what came of it."""

    transport: Literal["webrtc", "whip", "telephone"]
    codec: str
    buffer: JitterBuffer

    def counts(self, treatment: Treatment) -> dict[str, float]:
        """Since the beginning; `jitter_ms`, `held_ms`, `packet_ms` and `gain_db` as they are now."""
        return {
            **self.buffer.provenance.as_dict(),
            **treatment.as_dict(),
            "jitter_ms": round(self.buffer.spread / _SAMPLES_PER_MS, 1),
            "held_ms": round(self.buffer.target / _SAMPLES_PER_MS, 1),
            "packet_ms": self.buffer.duration / _SAMPLES_PER_MS,
        }
