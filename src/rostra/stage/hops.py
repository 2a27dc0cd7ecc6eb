"""What a stage reports of the second hop, from the gates into its mix, and of the mix itself. Pure."""

from collections.abc import Iterator, Mapping

from rostra.audio.seat import Seat
from rostra.core.messages import HopReport
from rostra.core.units import FRAME_SAMPLES
from rostra.stage.programme import Programme


def hop_reports(programme: Programme, seats: Mapping[str, Seat], *, since: int, late: int) -> Iterator[HopReport]:
    """Since sample `since`, with which this stage began; `late` frames of the programme were made too late."""
    conversation, at_ns = programme.conversation.id, programme.clock.wall_at(programme.position)
    for name, seat in seats.items():
        if seat.since_ns is not None and seat.mixed_frames:
            counts: dict[str, float] = {"frames": seat.mixed_frames, "lost": seat.lost_frames}
            counts["dropped"] = seat.dropped_frames
            yield HopReport(conversation, "stage", name, seat.since_ns, at_ns, {}, counts)
    mix: dict[str, float] = {
        "frames": (programme.position - since) // FRAME_SAMPLES,
        "late": late,
        "limited": programme.limited_frames,
        "limited_max_db": round(programme.limited_max_db, 1),
    }
    yield HopReport(conversation, "mix", "", programme.clock.wall_at(since), at_ns, {}, mix)
