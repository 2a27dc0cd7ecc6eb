"""What the gate's sound costs without sockets: CPU time of one tick of a room with thirteen speakers."""

import asyncio
import time
from typing import Any

from benchmarks.record import keep
from rostra.audio.jitter import JitterBuffer
from rostra.audio.opus import OpusDecoder
from rostra.audio.voice import Sound
from rostra.core.limits import SEATS_MAX
from rostra.core.units import FRAME_NS, FRAME_SAMPLES
from rostra.gate.arrival import Arrival
from rostra.gate.room import Room
from speaking import murmured, spoken

WARM_UP_TICKS = 100
WINDOWS, WINDOW_TICKS = 12, 75


class _Bus:
    """Takes what it is given: what the bus costs is measured by `conversation:thirteen`."""

    connected_since = 0.0

    async def publish(self, subject: str, payload: bytes) -> None:
        del subject, payload


class _Speaker:
    is_lossy = False

    def __init__(self, number: int, *, talks: bool) -> None:
        self._packets = spoken() if talks else murmured()
        self._at = number * 150
        self.buffer = JitterBuffer(OpusDecoder())

    @property
    def arrival(self) -> Arrival:
        return Arrival("webrtc", "opus", self.buffer)

    def pull(self) -> Any:
        packet = self._packets[self._at % len(self._packets)]
        self.buffer.add(self._at * FRAME_SAMPLES, packet, arrived_s=self._at * FRAME_NS / 1e9)
        self._at += 1
        return self.buffer.pull()

    def offer(self, payload: bytes) -> None:
        del payload


def main() -> None:
    figures: dict[str, object] = {}
    for talking, sound in ((SEATS_MAX, Sound.RAW), (SEATS_MAX, Sound.CLEAN), (3, Sound.CLEAN)):
        best_s, median_s = asyncio.run(_tick_s(talking, sound))
        figures[f"{talking} of {SEATS_MAX} speak, {sound}: least and median (ms), least as a share of 20 ms"] = (
            f"{best_s * 1e3:.2f}, {median_s * 1e3:.2f}, {best_s * 1e9 / FRAME_NS:.1%}"
        )
    keep("tick", figures)


async def _tick_s(talking: int, sound: Sound) -> tuple[float, float]:
    """The least and the median of some windows' CPU seconds a tick: the least is what other work disturbs least."""
    bus: Any = _Bus()
    room = Room(bus, "tick")
    for number in range(SEATS_MAX):
        room.enter(f"seat-{number}", _Speaker(number, talks=number < talking), sound=sound)
    ticks = [0.0] * WINDOWS
    for number in range(WARM_UP_TICKS):
        await room._tick(number * FRAME_NS)  # noqa: SLF001 # without its clock
    for window in range(WINDOWS):
        began_s = time.process_time()
        for number in range(WINDOW_TICKS):
            await room._tick((WARM_UP_TICKS + window * WINDOW_TICKS + number) * FRAME_NS)  # noqa: SLF001
        ticks[window] = (time.process_time() - began_s) / WINDOW_TICKS
    ticks.sort()
    return ticks[0], ticks[WINDOWS // 2]
