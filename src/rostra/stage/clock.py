"""The programme clock: samples since doors-open, on the monotonic clock, disciplined to wall time. Pure."""

from dataclasses import dataclass

from rostra.core.limits import CLOCK_SLEW_PPM, CLOCK_STEP_MS
from rostra.core.units import ns_to_samples, samples_to_ns


@dataclass(slots=True)
class ProgrammeClock:
    """Sample 0 is at wall instant `origin_wall_ns`. Every argument is in nanoseconds.

    Small differences between monotonic and wall time are slewed at CLOCK_SLEW_PPM, so nobody hears them. When wall
    time jumps (CLOCK_STEP_MS, RFC 5905 §11.3) the programme does not: its samples go on without a break, and
    only the translation of announced instants into samples follows the new wall time.
    """

    origin_wall_ns: int
    _mono_ns: int
    _wall_ns: int  # programme wall time at _mono_ns

    @classmethod
    def start(cls, origin_wall_ns: int, *, mono_ns: int, wall_ns: int) -> "ProgrammeClock":
        return cls(origin_wall_ns, mono_ns, wall_ns)

    def wall_at(self, sample: int) -> int:
        return self.origin_wall_ns + samples_to_ns(sample)

    def sample_at(self, wall_ns: int) -> int:
        return ns_to_samples(wall_ns - self.origin_wall_ns)

    def due_mono_ns(self, sample: int) -> int:
        """The monotonic instant at which `sample` is due."""
        return self._mono_ns + self.wall_at(sample) - self._wall_ns

    def discipline(self, *, mono_ns: int, wall_ns: int) -> int:
        """Compare with wall time (call it about once a second); the offset in ns that was found.

        An offset of at least CLOCK_STEP_MS means that wall time was set.
        """
        elapsed_ns = mono_ns - self._mono_ns
        expected_ns = self._wall_ns + elapsed_ns
        offset_ns = wall_ns - expected_ns
        self._mono_ns = mono_ns
        if abs(offset_ns) >= CLOCK_STEP_MS * 1_000_000:
            self.origin_wall_ns += offset_ns
            self._wall_ns = wall_ns
        else:
            slew_ns = elapsed_ns * CLOCK_SLEW_PPM // 1_000_000
            self._wall_ns = expected_ns + max(-slew_ns, min(slew_ns, offset_ns))
        return offset_ns


def is_step(offset_ns: int) -> bool:
    return abs(offset_ns) >= CLOCK_STEP_MS * 1_000_000
