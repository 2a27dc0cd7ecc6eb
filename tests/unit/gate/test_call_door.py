"""A flood of calls is told when to come back; it costs those who are talking nothing."""

from rostra.core.limits import (
    CALL_BURST_MAX,
    CALL_SOURCES_MAX,
    CALLS_MAX,
    CALLS_PER_SECOND_MAX,
    CALLS_PER_SOURCE_MAX,
    WRONG_PINS_PER_HOUR_MAX,
)
from rostra.gate.call_door import BUSY, UNAVAILABLE, Bucket, CallDoor, Refused


def test_one_source_has_so_many_calls_and_a_place_that_becomes_free_may_be_taken() -> None:
    door = CallDoor()
    for second in range(CALLS_PER_SOURCE_MAX):
        assert door.admit("a", now_s=second) is None
    assert door.admit("a", now_s=10) == Refused(BUSY, 60)
    assert door.admit("b", now_s=10) is None, "another one is not busy"
    door.left("a")
    assert door.admit("a", now_s=11) is None


def test_who_dials_again_and_again_is_told_to_wait_a_minute() -> None:
    door = CallDoor()
    answers = []
    for second in range(20):
        answers.append(door.admit("a", now_s=second))
        if answers[-1] is None:
            door.left("a")
    assert answers[:10] == [None] * 10
    assert Refused(BUSY, 60) in answers[10:]


def test_the_whole_gate_takes_so_many_calls_and_so_many_a_second() -> None:
    door = CallDoor()
    answers = [door.admit(f"source-{number}", now_s=0) for number in range(100)]
    assert answers.count(None) == CALL_BURST_MAX
    assert set(answers) == {None, Refused(UNAVAILABLE, 5)}
    for second in range(1, 60):
        for number in range(100):
            door.admit(f"later-{second}-{number}", now_s=second)
    assert door.calls == CALLS_MAX
    assert door.admit("z", now_s=100) == Refused(UNAVAILABLE, 60)


def test_calls_come_in_at_the_rate_and_no_faster() -> None:
    bucket = Bucket(rate=CALLS_PER_SECOND_MAX, burst=1)
    assert sum(bucket.take(now_s=tick / 100) for tick in range(1_000)) in range(48, 52)


def test_a_clock_that_stands_still_or_goes_back_gives_nothing_away() -> None:
    bucket = Bucket(rate=1, burst=2)
    assert [bucket.take(now_s=at) for at in (10, 10, 10, 5, 5)] == [True, True, False, False, False]


def test_after_so_many_wrong_pins_none_is_looked_at_for_a_while() -> None:
    door = CallDoor()
    for _ in range(WRONG_PINS_PER_HOUR_MAX):
        assert door.may_try_pins("a", now_s=0)
        door.wrong_pin("a", now_s=0)
    assert not door.may_try_pins("a", now_s=1)
    assert door.may_try_pins("b", now_s=1)
    assert door.may_try_pins("a", now_s=3_600 / WRONG_PINS_PER_HOUR_MAX + 1)


def test_the_memory_of_sources_is_bounded_and_the_quietest_is_forgotten() -> None:
    door = CallDoor()
    for _ in range(WRONG_PINS_PER_HOUR_MAX):
        door.wrong_pin("first", now_s=0)
    for number in range(CALL_SOURCES_MAX):
        door.wrong_pin(f"source-{number}", now_s=0)
    assert door.may_try_pins("first", now_s=0), "forgotten"
