"""One seat: every frame is mixed once, in order, late rather than never."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rostra.audio.frame import frame_to_pcm16
from rostra.audio.seat import ABSENT_FRAMES, Seat
from rostra.core.limits import SEAT_FRAMES_MAX
from rostra.core.messages import FeedFrames
from rostra.core.units import FRAME_NS, FRAME_SAMPLES


def message(seq: int, *, delay: int = 2, level: float = 0.5, last: bool = False) -> FeedFrames:
    """Frame `seq`, due at `seq` frames, whose samples all say its number (when loud)."""
    value = level + seq / 10_000
    pcm = b"" if last else frame_to_pcm16(np.full(FRAME_SAMPLES, value, np.float32))
    return FeedFrames("s", seq, seq * FRAME_NS, delay, pcm, last)


def number(frame: np.ndarray | None) -> int | None:
    return None if frame is None else round((float(frame[0]) - 0.5) * 10_000)


def test_a_seat_gathers_its_delay_before_it_begins() -> None:
    seat = Seat()
    seat.offer(message(0))
    assert not seat.is_present(0)
    assert seat.pull(0) is None
    seat.offer(message(1))
    assert seat.is_present(FRAME_NS)
    assert [number(seat.pull(FRAME_NS)), number(seat.pull(2 * FRAME_NS)), seat.pull(3 * FRAME_NS)] == [0, 1, None]


def test_a_recording_waits_for_the_instant_it_is_due() -> None:
    seat = Seat()
    for seq in range(10, 20):
        seat.offer(message(seq))
    assert not seat.is_present(9 * FRAME_NS)
    seat.rest(9 * FRAME_NS)
    assert seat.is_present(10 * FRAME_NS)
    assert number(seat.pull(10 * FRAME_NS)) == 10


def test_a_live_source_before_the_start_is_not_kept_for_later() -> None:
    seat = Seat()
    for seq in range(100):
        seat.offer(message(seq))
        seat.rest(seq * FRAME_NS + 1)
    assert seat.waiting_frames <= 3
    assert number(seat.pull(100 * FRAME_NS)) == 98


def test_p7_after_a_pause_of_the_bus_nothing_is_skipped() -> None:
    seat = Seat()
    heard = []
    for tick in range(60):
        if tick < 20:
            seat.offer(message(tick))
        if tick == 45:  # the bus is back, and what it lost is sent again
            for seq in range(10, 45):
                seat.offer(message(seq))
        if tick > 45:
            seat.offer(message(tick - 1))
        heard.append(number(seat.pull(tick * FRAME_NS)))
    spoken = [seq for seq in heard if seq is not None]
    assert spoken == list(range(len(spoken)))
    assert len(spoken) > 30
    assert seat.lost_frames == 0


def test_a_seat_that_runs_late_catches_up_in_the_quiet() -> None:
    seat = Seat()
    for seq in range(40):
        seat.offer(message(seq, level=0.0))
    pulled = 0
    while seat.waiting_frames:
        seat.pull((30 + pulled) * FRAME_NS)
        pulled += 1
    assert seat.dropped_frames == 40 - pulled
    assert 15 <= seat.dropped_frames <= 20


def test_a_standby_goes_on_with_exactly_the_next_frame() -> None:
    active, standby = Seat(), Seat()
    for seq in range(10):
        active.offer(message(seq))
        standby.offer(message(seq))
    heard = [number(active.pull(seq * FRAME_NS)) for seq in range(6)]
    standby.continue_from(active.next_seq)
    heard += [number(standby.pull(seq * FRAME_NS)) for seq in range(6, 10)]
    assert heard == list(range(10))


def test_a_feed_that_is_started_again_is_heard_at_once_and_its_absence_is_no_loss() -> None:
    seat = Seat()
    for seq in range(100):
        seat.offer(message(seq))
    for seq in range(100 + ABSENT_FRAMES):
        seat.pull(seq * FRAME_NS)
    again = 100 + 3_000
    seat.offer(message(again))
    seat.offer(message(again + 1))
    assert not seat.is_present((again - 1) * FRAME_NS), "it waits for its instant, as at first"
    assert seat.is_present(again * FRAME_NS)
    assert number(seat.pull(again * FRAME_NS)) == again
    assert seat.lost_frames == 0


def test_somebody_may_sit_down_where_another_has_said_goodbye() -> None:
    seat = Seat()
    seat.offer(message(0))
    seat.offer(message(1, last=True))
    seat.pull(0)
    assert seat.has_left
    seat.offer(message(900))
    seat.offer(message(901))
    assert not seat.has_left
    assert [number(seat.pull(seq * FRAME_NS)) for seq in (900, 901)] == [900, 901]


def test_a_hole_is_waited_for_a_moment_because_what_got_lost_is_sent_again() -> None:
    seat = Seat()
    for seq in (0, 1, 4, 5):
        seat.offer(message(seq))
    assert [number(seat.pull(seq * FRAME_NS)) for seq in range(4)] == [0, 1, None, None]
    seat.offer(message(2))
    seat.offer(message(3))
    assert [number(seat.pull(seq * FRAME_NS)) for seq in range(4, 8)] == [2, 3, 4, 5]
    assert seat.lost_frames == 0


def test_a_seat_leaves_after_its_last_frame_and_not_before() -> None:
    seat = Seat()
    seat.offer(message(0))
    seat.offer(message(1, last=True))
    assert not seat.has_left
    assert number(seat.pull(0)) == 0
    assert seat.has_left
    assert not seat.is_present(FRAME_NS)


def test_p2_a_seat_that_falls_silent_is_absent_soon_so_that_the_music_comes_back() -> None:
    seat = Seat()
    for seq in range(3):
        seat.offer(message(seq))
    for tick in range(3 + ABSENT_FRAMES):
        assert seat.is_present(tick * FRAME_NS)
        seat.pull(tick * FRAME_NS)
    assert not seat.is_present(100 * FRAME_NS)


@given(st.lists(st.integers(0, 2000), max_size=400))
def test_a_seat_holds_a_bounded_number_of_frames_and_mixes_them_in_order(order: list[int]) -> None:
    seat = Seat()
    heard = []
    for tick, seq in enumerate(order):
        seat.offer(message(seq, delay=1))
        assert seat.waiting_frames <= SEAT_FRAMES_MAX
        if tick % 3 == 0:
            heard.append(number(seat.pull(10_000 * FRAME_NS)))
    spoken = [seq for seq in heard if seq is not None]
    assert spoken == sorted(set(spoken))
