"""A live source is heard at once, a recording whole."""

import asyncio
from collections.abc import Iterator

import numpy as np
import pytest

from rostra.audio.frame import Frame
from rostra.core.units import FRAME_SAMPLES
from rostra.stage.feed import first_of_live


class Source:
    """Frames that tell their number, each after a pause; its clock stands still meanwhile."""

    def __init__(self, *, stored: int, hiccup_at: int = -1) -> None:
        self.now_s = 0.0
        self._stored = stored
        self._hiccup_at = hiccup_at

    def frames(self, count: int = 1_000) -> Iterator[Frame]:
        for number in range(count):
            if number >= self._stored:
                self.now_s += 0.02
            elif number == self._hiccup_at:
                self.now_s += 0.05
            yield np.full(FRAME_SAMPLES, number, np.float32)


def first(source: Source, count: int = 1_000) -> tuple[list[int], bool]:
    held, live = asyncio.run(first_of_live(source.frames(count), now_s=lambda: source.now_s))
    return [int(frame[0]) for frame in held], live


@pytest.mark.parametrize("stored", [0, 10, 50, 80])
@pytest.mark.parametrize("hiccup_at", [-1, 5, 45])
def test_what_had_gathered_before_a_live_source_is_not_heard_late_for_ever(stored: int, hiccup_at: int) -> None:
    ((begins_with,), live) = first(Source(stored=stored, hiccup_at=hiccup_at))
    assert live
    assert stored <= begins_with <= stored + 16


def test_a_pipe_with_two_seconds_in_store_is_a_recording_and_loses_nothing() -> None:
    held, live = first(Source(stored=500))
    assert not live
    assert held == list(range(len(held)))


def test_a_short_source_is_heard_whole() -> None:
    assert first(Source(stored=5), count=5) == ([0, 1, 2, 3, 4], False)
