"""The programme clock keeps wall time without ever breaking the sound."""

from hypothesis import given
from hypothesis import strategies as st

from rostra.core.units import SECOND_NS
from rostra.stage.clock import ProgrammeClock, is_step

MS = 1_000_000


def clock_at(wall_s: int) -> ProgrammeClock:
    return ProgrammeClock.start(100 * SECOND_NS, mono_ns=5 * SECOND_NS, wall_ns=wall_s * SECOND_NS)


def test_samples_and_instants_translate_both_ways() -> None:
    clock = clock_at(100)
    assert clock.wall_at(48_000) == 101 * SECOND_NS
    assert clock.sample_at(101 * SECOND_NS) == 48_000
    assert clock.due_mono_ns(48_000) == 6 * SECOND_NS


def test_a_clock_that_starts_late_owes_the_samples_since_doors_open() -> None:
    assert clock_at(103).due_mono_ns(0) == 2 * SECOND_NS


def test_a_small_offset_is_slewed_at_no_more_than_500_ppm() -> None:
    clock = clock_at(100)
    offset = clock.discipline(mono_ns=6 * SECOND_NS, wall_ns=101 * SECOND_NS + 50 * MS)
    assert offset == 50 * MS
    assert clock.due_mono_ns(48_000) == 6 * SECOND_NS - 500_000
    assert clock.origin_wall_ns == 100 * SECOND_NS


@given(st.integers(-127, 127))
def test_an_offset_is_worked_off_in_the_end(offset_ms: int) -> None:
    clock = clock_at(100)
    for second in range(1, 300):
        clock.discipline(mono_ns=(5 + second) * SECOND_NS, wall_ns=(100 + second) * SECOND_NS + offset_ms * MS)
    now_ns = 304 * SECOND_NS
    assert abs(clock.due_mono_ns(clock.sample_at(399 * SECOND_NS + offset_ms * MS)) - now_ns) < 2 * MS


@given(st.integers(-(10**6), 10**6).filter(lambda ms: abs(ms) >= 128))
def test_when_wall_time_jumps_the_samples_go_on_and_announced_instants_follow_the_new_time(step_ms: int) -> None:
    clock = clock_at(100)
    due_before = clock.due_mono_ns(96_000)
    offset = clock.discipline(mono_ns=6 * SECOND_NS, wall_ns=101 * SECOND_NS + step_ms * MS)
    assert is_step(offset)
    assert clock.due_mono_ns(96_000) == due_before
    assert clock.wall_at(48_000) == 101 * SECOND_NS + step_ms * MS
