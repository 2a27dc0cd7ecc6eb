import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.rehearsal.playout import PLAYER_MARGIN_S, Playout


def player(*, cadence_s: float = 1.0) -> Playout:
    playout = Playout()
    playout.cadence_s = cadence_s
    return playout


@given(st.lists(st.floats(-PLAYER_MARGIN_S / 2.2, PLAYER_MARGIN_S / 2.2), min_size=1, max_size=60))
def test_writes_that_are_late_by_less_than_the_margin_are_not_heard(lateness_s: list[float]) -> None:
    """P3: the jitter of a network is not a gap."""
    playout = player()
    playout.hear(15, now_s=0.0)
    for index, late_s in enumerate(lateness_s):
        playout.hear(10, now_s=1.0 + index + late_s)
    assert playout.paused_s == 0


def test_a_write_that_is_later_than_the_margin_is_a_pause_of_the_difference() -> None:
    playout = player()
    playout.hear(15, now_s=0.0)
    playout.hear(10, now_s=1.0 + PLAYER_MARGIN_S + 0.25)
    assert playout.paused_s == pytest.approx(0.25)
    assert playout.longest_pause_s == pytest.approx(0.25)


def test_a_listener_who_hears_nothing_more_has_a_pause_until_the_end() -> None:
    playout = player()
    playout.hear(15, now_s=0.0)
    for now_s in (5.0, 10.0, 20.0):
        playout.until(now_s)
    assert playout.longest_pause_s == playout.paused_s == pytest.approx(20 - 1 - PLAYER_MARGIN_S)


def test_two_pauses_are_not_one() -> None:
    playout = player()
    playout.hear(15, now_s=0.0)
    playout.hear(11, now_s=2.15)
    playout.hear(11, now_s=4.55)
    assert playout.longest_pause_s < playout.paused_s
    assert playout.longest_pause_s == pytest.approx(1.25, abs=0.1)


def test_before_the_first_chunk_there_is_no_pause() -> None:
    playout = player()
    playout.until(100.0)
    assert playout.paused_s == 0


def test_sound_that_comes_in_bulk_is_no_stock_for_later() -> None:
    """A player that has fallen far behind catches up: ten seconds at once do not cover nine seconds of silence."""
    playout = player()
    playout.hear(15, now_s=0.0)
    playout.hear(100, now_s=1.0)
    playout.hear(10, now_s=10.0)
    assert playout.paused_s == pytest.approx(9 - 1 - PLAYER_MARGIN_S)


@pytest.mark.parametrize(("before_s", "after_s"), [(0.1, 0.2), (0.5, 1.0), (1.0, 2.0), (2.0, 4.0)])
def test_a_cadence_announced_as_the_protocol_says_is_not_heard(before_s: float, after_s: float) -> None:
    """P4: the buffer grows at 0.95 of full speed between the warning and the first longer pause."""
    playout = player(cadence_s=before_s)
    playout.hear(round((before_s + 0.5) * 10), now_s=0.0)
    now_s = 0.0
    playout.cadence_s = after_s
    while now_s < (after_s - before_s) / 0.05:
        now_s += before_s
        playout.hear(round(before_s * 10), now_s=now_s)
    for _ in range(20):
        now_s += after_s
        playout.hear(round(after_s * 10), now_s=now_s)
    assert playout.paused_s == 0


def test_a_longer_cadence_without_warning_is_heard() -> None:
    playout = player(cadence_s=0.1)
    playout.hear(6, now_s=0.0)
    playout.cadence_s = 1.0
    playout.hear(10, now_s=1.0)
    assert playout.paused_s == pytest.approx(1.0 - 0.1 - PLAYER_MARGIN_S)
