from collections.abc import Iterable

import pytest

from rostra.rehearsal import findings
from rostra.rehearsal.arrivals import Crowd, Holds, Joins, Trickle
from rostra.rehearsal.certificate import JOINS, LISTENERS, Episode, Stage
from rostra.rehearsal.crowd_report import Second, Tally
from rostra.rehearsal.muster import Word
from rostra.rehearsal.script import Fault, Script

TRICKLE = Trickle(listeners=20, over_s=2)


def second(at_s: float, *, here: int = 10, paused: int = 0, pause_max_ms: float = 0.0, missing: int = 0) -> Second:
    return Second(at_s, here, 0, here, here, paused, pause_max_ms, 0, 0, 0, missing, [], [], 0.0)


def words(seconds: Iterable[Second], company: int = 0) -> list[Word]:
    return [Word(company, each) for each in seconds]


def stages(crowd: Crowd, seconds: Iterable[Second], tally: Tally, *faults: Fault) -> dict[str, Stage]:
    script = Script(title="T", seconds=30, crowd=(crowd,), faults=faults)
    course = findings.moments(words(seconds))
    return {stage.name: stage for stage in findings.stages(script, [tally], course, workers=2)}


def test_the_companies_are_added_up_second_by_second() -> None:
    both = words([second(1.01), second(2.0)]) + words([second(1.2, here=5), second(2.1, here=7, paused=2)], 1)
    assert [(each.at_s, each.listening, each.paused) for each in findings.moments(both)] == [(1, 15, 0), (2, 17, 2)]


def test_who_has_sound_too_late_or_never_is_not_served() -> None:
    tally = Tally(came_s=[0.1, 0.5, 1.1, 1.5], sound_after_ms=[40.0, 80.0, 3_500.0, None])
    joins = stages(Joins(rates_hz=(2, 2.5), step_s=1), [second(1.0)], tally)[JOINS]
    assert [(point.offered, point.served) for point in joins.points] == [(2, 2), (2, 0)]
    assert joins.law is None
    assert "3 different loads" in joins.remark


def test_who_hears_a_pause_is_not_served_that_second() -> None:
    crowd = Holds(listeners=(10,), rate_hz=10, step_s=4)
    held = stages(crowd, [second(at_s, paused=5 * (at_s == 4)) for at_s in range(1, 6)], Tally())[LISTENERS]
    assert (held.points[0].offered, held.points[0].served) == (10, pytest.approx(10 - 5 / 4))


def test_what_the_system_bears_is_what_it_bears_while_nobody_breaks_it() -> None:
    seconds = [second(at_s, here=20, paused=20 * (at_s >= 15)) for at_s in range(1, 20)]
    fault = Fault(kind="kill", process="edge-1", at_s=15)
    assert stages(TRICKLE, seconds, Tally(), fault)[LISTENERS].holds == 20
    assert stages(TRICKLE, seconds, Tally())[LISTENERS].holds == 0


@pytest.mark.parametrize(
    ("pause_max_ms", "missing", "survived"), [(0.0, 0, True), (400.0, 0, True), (600.0, 0, False), (0.0, 1, False)]
)
def test_a_fault_is_survived_if_nobody_misses_a_chunk_or_waits_too_long(
    pause_max_ms: float, missing: int, *, survived: bool
) -> None:
    seconds = [second(1.0), second(2.0), second(3.0, pause_max_ms=pause_max_ms, missing=missing)]
    seconds.append(second(4.0, missing=missing))
    episode = Episode("kill", "edge-1", 2.5, 0, done=True, survived=False)
    told = findings.judged(episode, findings.moments(words(seconds)), pause_max_s=0.5)
    assert told.survived is survived


def test_a_fault_that_could_not_be_done_is_not_survived_and_fails_with_its_reason() -> None:
    episode = Episode("clock", "clock", 2.0, 0, done=False, survived=False, remark="no libfaketime")
    assert findings.judged(episode, findings.moments(words([second(3.0)])), pause_max_s=9) == episode


def test_a_fault_after_which_nobody_listens_proves_nothing() -> None:
    episode = Episode("kill", "edge-1", 2.0, 0, done=True, survived=False)
    assert not findings.judged(episode, findings.moments(words([second(1.0)])), pause_max_s=9).survived
