from hypothesis import given
from hypothesis import strategies as st

from rostra.rehearsal.incidents.truth import classes, is_disturbed, label, shares, worlds

NOTHING = frozenset[str]()
ATTACK, CROWD = frozenset({"A3"}), frozenset({"D1"})
BOTH = ATTACK | CROWD
harms = st.floats(0, 1)


def test_every_world_of_two_causes_is_there_once() -> None:
    assert worlds(["D1", "A3"]) == [BOTH, ATTACK, CROWD, NOTHING]


def test_a_cause_alone_has_all_of_the_harm() -> None:
    assert shares({ATTACK: 0.4, NOTHING: 0.0}) == {"A3": 1.0}


def test_a_cause_without_which_all_would_have_been_the_same_has_none_of_it() -> None:
    assert shares({BOTH: 0.4, CROWD: 0.4, ATTACK: 0.0, NOTHING: 0.0}) == {"A3": 0.0, "D1": 1.0}


def test_two_causes_that_harm_only_together_share_it() -> None:
    assert shares({BOTH: 0.4, CROWD: 0.0, ATTACK: 0.0, NOTHING: 0.0}) == {"A3": 0.5, "D1": 0.5}


@given(harms, harms, harms)
def test_shares_are_of_the_whole_and_never_negative(both: float, attack: float, crowd: float) -> None:
    given_ = shares({BOTH: both, ATTACK: attack, CROWD: crowd, NOTHING: 0.0})
    assert all(share >= 0 for share in given_.values())
    assert abs(sum(given_.values()) - 1) < 1e-6 or set(given_.values()) == {0.0}


def test_less_than_three_in_a_hundred_is_nothing_whoever_did_it() -> None:
    assert label(0.029, {"A3": 1.0}) == "none"
    assert classes(0.029, {"A3": 1.0}) == []


def test_who_has_three_quarters_is_the_cause() -> None:
    assert label(0.5, {"A3": 0.75, "D1": 0.25}) == "attack"
    assert label(0.5, {"A3": 0.74, "D1": 0.26}) == "mixture"
    assert label(0.5, {"X1": 0.9, "D1": 0.1}) == "external"


def test_causes_of_one_side_stand_together() -> None:
    assert label(0.5, {"D1": 0.5, "D2": 0.5}) == "demand"


def test_a_class_that_hardly_mattered_is_not_named() -> None:
    assert classes(0.5, {"A3": 0.05, "D1": 0.95}) == ["D1"]


def test_an_incident_on_a_busy_machine_is_thrown_away() -> None:
    assert is_disturbed(0.03, [0.01], lag_max_s=0.25)
    assert is_disturbed(0.0, [0.01, 0.3], lag_max_s=0.25)
    assert not is_disturbed(0.02, [0.2], lag_max_s=0.25)
