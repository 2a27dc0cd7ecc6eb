"""What a stage measures of its own work."""

from dataclasses import dataclass
from typing import Final

from rostra.core.conversation import Held, Live, State
from rostra.core.units import FRAME_NS
from rostra.stage.clock import is_step

DONE: Final = ("frames_made", "frames_late", "silent_frames", "ingest_gap_ms")
_SILENT_POWER: Final = 1e-6  # -60 dBFS: hold music and breath are louder
_FRAME_MS: Final = FRAME_NS // 1_000_000


@dataclass(slots=True)
class Measures:
    """What a stage says of its clock: the worst lateness since the last report, and counts since its start."""

    frames_late: int = 0
    lateness_max_ns: int = 0
    clock_offset_ns: int = 0
    clock_steps: int = 0
    frames_made: int = 0
    silent_frames: int = 0  # of a conversation that has begun
    ingest_gap_ms: int = 0  # interrupted: begun, and nobody is on the stage
    level_cb: int = 0  # of the newest chunk, in tenths of a decibel over full scale

    def late(self, late_ns: int) -> None:
        """A frame was made this long after it was due."""
        self.lateness_max_ns = max(self.lateness_max_ns, late_ns)
        self.frames_late += late_ns > FRAME_NS

    def disciplined(self, offset_ns: int) -> None:
        """The clock was held against the wall's."""
        self.clock_offset_ns = offset_ns
        self.clock_steps += is_step(offset_ns)

    def done(self) -> dict[str, int]:
        """What only grows, for evidence."""
        return {name: getattr(self, name) for name in DONE}

    def heard(self, state: State, power: float) -> None:
        """A frame of the programme, and its mean square."""
        self.frames_made += 1
        if isinstance(state, Live) or (isinstance(state, Held) and state.begun):
            self.silent_frames += power < _SILENT_POWER
            self.ingest_gap_ms += _FRAME_MS * isinstance(state, Held)
