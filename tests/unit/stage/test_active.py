"""Listeners are told who speaks, as a person in the room would tell them."""

import numpy as np

from rostra.audio.frame import Frame
from rostra.core.units import FRAME_SAMPLES
from rostra.stage.active import ActiveSpeaker


def at(level: float) -> Frame:
    return np.full(FRAME_SAMPLES, level, np.float32)


def said(active: ActiveSpeaker, frames: int, **levels: float) -> list[str]:
    """Whom the changes of some frames name."""
    return [active.name for _ in range(frames) if active.hear({name: at(level) for name, level in levels.items()})]


def test_who_speaks_is_named_after_a_moment_and_who_answers_next() -> None:
    active = ActiveSpeaker()
    assert said(active, 100, ann=0.1, bob=0.001) == ["ann"]
    assert said(active, 100, ann=0.001, bob=0.1) == ["bob"]


def test_a_cough_and_a_breath_change_nothing() -> None:
    active = ActiveSpeaker()
    said(active, 50, ann=0.1, bob=0.0)
    assert said(active, 8, ann=0.0, bob=0.2) == []
    assert said(active, 30, ann=0.1, bob=0.0) == []
    assert said(active, 60, ann=0.0, bob=0.0) == []
    assert said(active, 50, ann=0.1, bob=0.0) == []


def test_two_who_are_equally_loud_do_not_take_turns() -> None:
    active = ActiveSpeaker()
    said(active, 50, ann=0.1, bob=0.0)
    changes = [name for turn in range(20) for name in said(active, 20, ann=0.1, bob=0.11 if turn % 2 else 0.09)]
    assert changes == []


def test_after_three_seconds_of_nobody_nobody_is_named() -> None:
    active = ActiveSpeaker()
    said(active, 50, ann=0.1)
    assert said(active, 250, ann=0.0) == [""]
    assert said(active, 50) == []
