"""P7: of sound that comes twice, out of order or with holes, each number is kept once and each hole is seen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.core.units import FRAME_NS
from rostra.recorder.tracks import HOLE_PATIENCE_S, Cursor, Piece, Placement, ReorderBuffer, after, place

PAUSE_NS = 10 * FRAME_NS
PIECES_MAX = 100


def piece(number: int, *, count: int = 1, later_ns: int = 0) -> Piece:
    return Piece(number, count, number * FRAME_NS + later_ns, b"")


def kept(pieces: list[Piece]) -> list[list[int]]:
    """The numbers of each segment that `pieces` make."""
    cursor: Cursor | None = None
    segments: list[list[int]] = []
    for each in pieces:
        placement = place(each, cursor, paused_matters=True)
        if placement is Placement.DROP:
            continue
        if placement is Placement.OPEN:
            segments.append([])
        segments[-1] += range(each.number, each.number + each.count)
        cursor = after(each, None if placement is Placement.OPEN else cursor, unit_ns=FRAME_NS)
    return segments


@given(st.lists(st.builds(piece, st.integers(0, 40), count=st.integers(1, 4)), max_size=60))
def test_whatever_comes_segments_are_contiguous_and_no_number_is_kept_twice(pieces: list[Piece]) -> None:
    segments = kept(pieces)
    numbers = [number for segment in segments for number in segment]
    assert numbers == sorted(set(numbers))
    assert all(segment == list(range(segment[0], segment[0] + len(segment))) for segment in segments)


@given(st.lists(st.integers(0, 30), max_size=60))
def test_what_comes_in_order_with_repetitions_is_kept_whole(repeated: list[int]) -> None:
    came = [piece(number) for number in range(31)]
    for at in repeated:
        came.insert(at + 1 + repeated.index(at), piece(max(0, at - 3)))
    assert kept(sorted(came, key=lambda each: each.number)) == [list(range(31))]


def test_a_source_that_paused_begins_a_new_segment_though_its_numbers_go_on() -> None:
    assert kept([piece(1), piece(2), piece(3, later_ns=PAUSE_NS)]) == [[1, 2], [3]]


def test_a_gate_that_stalled_and_makes_up_for_it_is_no_pause() -> None:
    late_ns = [0, 0, 150, 130, 110, 90, 70, 50, 30, 10, 0]
    assert len(kept([piece(n, later_ns=late * 1_000_000) for n, late in enumerate(late_ns)])) == 1


def test_pauses_that_are_short_but_many_do_not_add_up_unseen() -> None:
    segments = kept([piece(n, later_ns=n * 15_000_000) for n in range(40)])
    assert [len(segment) for segment in segments] == [14, 14, 12]


def test_the_programmes_clock_are_its_numbers() -> None:
    cursor = after(piece(2), None, unit_ns=FRAME_NS)
    late = piece(3, later_ns=PAUSE_NS)
    assert place(late, cursor, paused_matters=False) is Placement.APPEND


# --- putting in order --------------------------------------------------------------------------------


def numbers(pieces: list[Piece]) -> list[int]:
    return [each.number for each in pieces]


@given(st.permutations(range(20)), st.integers(1, 7))
def test_what_comes_in_any_order_within_the_patience_is_written_in_order_and_whole(
    order: list[int], at_once: int
) -> None:
    buffer = ReorderBuffer(0, pieces_max=PIECES_MAX)
    written: list[int] = []
    for at in range(0, len(order), at_once):
        for number in order[at : at + at_once]:
            buffer.offer(piece(number))
        written += numbers(buffer.take(0.0))
    assert written == list(range(20))


def test_what_lies_behind_a_hole_waits_for_what_the_seat_repeats() -> None:
    buffer = ReorderBuffer(None, pieces_max=PIECES_MAX)
    for number in (0, 1):
        buffer.offer(piece(number))
    assert numbers(buffer.take(0.0)) == [], "even the first may have been preceded by others"
    assert numbers(buffer.take(HOLE_PATIENCE_S)) == [0, 1]
    buffer.offer(piece(5))
    assert buffer.take(10.0) == []
    for number in (1, 2, 3, 4):
        buffer.offer(piece(number))
    assert numbers(buffer.take(11.0)) == [2, 3, 4, 5]


def test_a_hole_that_nobody_fills_is_not_waited_for_longer_than_the_patience() -> None:
    buffer = ReorderBuffer(0, pieces_max=PIECES_MAX)
    buffer.offer(piece(7))
    assert buffer.take(0.0) == []
    assert buffer.take(HOLE_PATIENCE_S - 0.1) == []
    assert numbers(buffer.take(HOLE_PATIENCE_S)) == [7]
    buffer.offer(piece(3))
    assert buffer.take(9.0, patience_s=0.0) == []


@pytest.mark.parametrize("later", [[], [3, 4]])
def test_what_could_not_be_written_is_written_the_next_time(later: list[int]) -> None:
    buffer = ReorderBuffer(0, pieces_max=PIECES_MAX)
    for number in range(3):
        buffer.offer(piece(number))
    buffer.put_back(buffer.take(0.0))
    for number in later:
        buffer.offer(piece(number))
    assert numbers(buffer.take(0.0)) == [0, 1, 2, *later]


def test_a_full_buffer_lets_the_oldest_go_and_counts_it() -> None:
    buffer = ReorderBuffer(0, pieces_max=PIECES_MAX)
    for number in range(PIECES_MAX + 2):
        buffer.offer(piece(number))
    assert (len(buffer), buffer.dropped_pieces) == (PIECES_MAX, 2)


def test_the_hole_before_the_first_piece_is_known_so_that_somebody_may_fill_it() -> None:
    buffer = ReorderBuffer(3, pieces_max=PIECES_MAX)
    assert buffer.hole is None
    assert buffer.offer(piece(5))
    assert not buffer.offer(piece(5))
    assert not buffer.offer(piece(2))
    assert buffer.hole == range(3, 5)
    buffer.offer(piece(3))
    buffer.offer(piece(4))
    assert buffer.hole is None
