"""Whether a stage can carry one more programme now: proved by making a second of one, not by a promise."""

import asyncio
import time
from dataclasses import dataclass
from itertools import islice
from typing import Final

from rostra.audio.encoder import ProgrammeEncoder
from rostra.audio.frame import Samples
from rostra.core.units import FRAME_SAMPLES, SAMPLE_RATE_HZ

_SHARE_MAX: Final = 0.5  # of a core for all programmes: the other half is for mixing, the bus, and a bad moment
_WORST_FRAME_MS: Final = 20.0  # a turn of the loop that takes longer is a late frame of every programme


@dataclass(frozen=True, slots=True)
class Trial:
    """Milliseconds that one second of a programme took to encode, and the longest that the loop kept us waiting."""

    encode_ms: float
    wait_max_ms: float


async def trial(sound: Samples) -> Trial:
    """Encode a second of `sound` (48 kHz) in every rendition, a frame at a time between whatever else is done."""
    encoder = ProgrammeEncoder(0)
    spent_s, waited_s = 0.0, 0.0
    for start in islice(range(0, len(sound), FRAME_SAMPLES), SAMPLE_RATE_HZ // FRAME_SAMPLES):
        began_s = time.perf_counter()
        encoder.encode(sound[start : start + FRAME_SAMPLES])
        spent_s += (ended_s := time.perf_counter()) - began_s
        await asyncio.sleep(0)
        waited_s = max(waited_s, time.perf_counter() - ended_s)
    return Trial(encode_ms=1000 * spent_s, wait_max_ms=1000 * waited_s)


def lacks_room(measured: Trial, *, active: int) -> str:
    """Why there is no room for one more beside `active` programmes; empty if there is."""
    share = (active + 1) * measured.encode_ms / 1000
    if share > _SHARE_MAX:
        return f"{active + 1} programmes would take {share:.0%} of a core; {_SHARE_MAX:.0%} is the most."
    if measured.wait_max_ms > _WORST_FRAME_MS:
        return (
            f"its loop kept a frame waiting for {measured.wait_max_ms:.0f} ms; {_WORST_FRAME_MS:.0f} is the most."
        )
    return ""
