"""P9: what anybody may say, and what any evening has, turns no verdict."""

from one_edge import Counts, evening, people
from rostra.verdict.verdict import Verdict

CAPACITY = {"joins_hz": 60, "listeners": 400}


def attacked(saying: float) -> Verdict:
    """Two people a second, half of them with a pass; then 100 bots a second, some of whom say they ask again."""

    def second(at: int) -> Counts:
        bots = 100 if 90 <= at < 150 else 0
        again = round(saying * bots)
        did = people(1 + bots - again, 2 if not bots else 0, asked_first_registered=1, accepts=2 + bots)
        did |= {"asked_again": again, "asked_again_unproven": again, "told_to_wait": bots, "answers_4xx": 0}
        waiting = 100 * (at - 89) if bots else 0
        return {"did": did, "now": {"playing": 100, "waiting": waiting, "room": 300, "sources_networks_v4": 200}}

    return evening(second, capacity=CAPACITY)


def test_bots_that_say_that_they_ask_again_become_no_more_people_than_passes_bear_out() -> None:
    found, honest = attacked(0.1), attacked(0.0)
    assert honest.label == "attack"
    assert found.split.shares[0].value >= 0.5
    assert found.span.asked <= 3 * honest.span.asked


def lacking(at_each: int, said: int) -> Verdict:
    """A hundred listen well; `said` of those who go on say each `at_each` seconds that they lacked sound."""

    def second(at: int) -> Counts:
        saying = said if at and at % at_each == 0 else 0
        did = people(2, 2, resumed=saying, interrupted=saying, paused_listener_ms=0)
        return {"did": did, "now": {"playing": 100, "room": 300}}

    return evening(second, capacity=CAPACITY)


def test_tunnels_and_closed_lids_are_nobodys_fault() -> None:
    assert lacking(20, 1).label == "none"


def test_more_than_listened_cannot_have_been_cut() -> None:
    assert lacking(1, 50).span.cut <= 100


def test_a_little_late_each_minute_is_no_incident_however_long_it_goes_on() -> None:
    def second(at: int) -> Counts:
        late = {"paused_listener_ms": 100 * 60 if at % 60 == 30 else 0}
        return {"did": people(2, 2, **late), "now": {"playing": 100, "room": 300}}

    assert evening(second, capacity=CAPACITY, seconds=3_600).label == "none"


def test_people_of_either_version_of_ip_are_people() -> None:
    """More come, nine of ten by IPv6, each from a network of their own, half with a pass: nobody asks anew."""

    def second(at: int) -> Counts:
        each = 5 if at >= 100 else 1
        minute = 10 * min(60, at - 100) if at >= 100 else 0
        networks = {"sources_networks_v4": 60 + minute // 10, "sources_networks_v6": 60 + 9 * minute // 10}
        did = people(each, 2 * each, asked_first_registered=each)
        return {"did": did, "now": {"playing": 100, "room": 300, **networks}}

    verdict = evening(second, capacity=CAPACITY)
    assert verdict.span.asked >= 0.9 * sum(10 if at >= 100 else 2 for at in range(verdict.span.begin, 170))
