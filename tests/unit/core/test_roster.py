"""P8: only who was let up speaks; and a stage without its host is still a stage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.core.limits import COHOSTS_MAX, HANDS_MAX, HOST_MISSED_S, SEAT_KEPT_S, SEATS_MAX
from rostra.core.roster import (
    Act,
    Appoint,
    Declined,
    Enter,
    Expel,
    HandOver,
    Leave,
    LetUp,
    Lose,
    LowerHand,
    Mute,
    RaiseHand,
    Remove,
    Roster,
    SendBack,
    StageRole,
    Unmute,
    act,
    tick,
)
from rostra.core.units import SECOND_NS

HOST, COHOST, SPEAKER = StageRole.HOST, StageRole.COHOST, StageRole.SPEAKER


def after(*acts: tuple[str, Act], roster: Roster | None = None) -> Roster:
    """The roster after acts a second apart, none of which may be declined."""
    roster = roster or Roster()
    for second, (by, what) in enumerate(acts):
        done = act(roster, by, what, now_ns=second * SECOND_NS)
        assert isinstance(done, Roster), done
        roster = done
    return roster


STAGE = after(
    ("ann", Enter("Ann", HOST)),
    ("bob", Enter("Bob", COHOST)),
    ("cat", Enter("Cat", SPEAKER)),
)


def declined(by: str, what: Act, roster: Roster = STAGE) -> str:
    done = act(roster, by, what, now_ns=99 * SECOND_NS)
    assert isinstance(done, Declined), done
    return done.reason


def role(roster: Roster, person: str) -> StageRole:
    seated = roster.seat(person)
    assert seated is not None
    return seated.role


def test_a_hand_that_a_host_lets_up_is_heard() -> None:
    asked = after(("dan", RaiseHand("Dan")), roster=STAGE)
    assert "dan" not in asked.heard
    up = after(("bob", LetUp("dan")), roster=asked)
    assert up.hands == ()
    assert "dan" not in up.heard, "who does not come within SEAT_KEPT_S loses the seat again"
    assert "dan" in after(("dan", Enter("Dan", SPEAKER)), roster=up).heard


@pytest.mark.parametrize(
    "what",
    [LetUp("dan"), SendBack("bob"), Remove("bob"), Appoint("cat", cohost=True), HandOver("cat"), Mute("bob")],
)
def test_p8_a_speaker_or_a_stranger_cannot_lead(what: Act) -> None:
    for by in ("cat", "eve"):
        assert declined(by, what)


def test_nobody_takes_the_stage_from_its_host() -> None:
    for what in (Remove("ann"), SendBack("ann"), Appoint("ann", cohost=False), HandOver("bob")):
        assert declined("bob", what)


def test_a_muted_speaker_is_not_heard_and_unmutes_nobody_but_oneself() -> None:
    muted = after(("ann", Mute("cat")), roster=STAGE)
    assert muted.heard == {"ann", "bob"}
    assert after(("ann", Unmute()), roster=muted).heard == {"ann", "bob"}
    assert after(("cat", Unmute()), roster=muted).heard == {"ann", "bob", "cat"}


def test_the_green_room_is_behind_the_stage() -> None:
    waiting = after(("dan", Enter("Dan", SPEAKER, green=True)), roster=STAGE)
    assert "dan" not in waiting.heard
    on_air = after(("ann", LetUp("dan")), roster=waiting)
    assert "dan" in on_air.heard
    assert "dan" not in after(("ann", SendBack("dan")), roster=on_air).heard


def test_who_is_removed_stays_out_of_this_conversation() -> None:
    out = after(("ann", Remove("cat")), roster=STAGE)
    assert "cat" not in out.heard
    assert "removed" in declined("cat", Enter("Cat", SPEAKER), out)
    assert "removed" in declined("cat", RaiseHand("Cat"), out)


def test_a_moderator_expels_anybody_and_nobody_else_does() -> None:
    gone = after(("moderator:7", Expel("ann")), roster=STAGE)
    assert gone.seat("ann") is None
    assert "removed" in declined("ann", Enter("Ann", HOST), gone)
    for by in ("ann", "bob", "cat", ""):
        assert "moderator" in declined(by, Expel("cat"))


def test_another_device_takes_over_the_same_seat_and_the_old_one_can_no_longer_lose_it() -> None:
    again = after(("cat", Enter("Cat", SPEAKER)), roster=STAGE)
    seated = again.seat("cat")
    assert seated is not None
    assert (len(again.seats), seated.generation) == (3, 2)
    assert "cat" in after(("cat", Lose(1)), roster=again).heard
    assert "cat" not in after(("cat", Lose(2)), roster=again).heard


def test_a_lost_speaker_finds_the_seat_kept_and_after_two_minutes_taken() -> None:
    lost = after(("cat", Lose(1)), roster=STAGE)
    assert tick(lost, now_ns=(SEAT_KEPT_S - 1) * SECOND_NS).seat("cat") is not None
    assert tick(lost, now_ns=SEAT_KEPT_S * SECOND_NS).seat("cat") is None


def test_a_host_who_vanishes_is_succeeded_and_comes_back_as_a_cohost_who_can_be_handed_the_stage() -> None:
    lost = after(("ann", Lose(1)), roster=STAGE)
    assert role(tick(lost, now_ns=(HOST_MISSED_S - 1) * SECOND_NS), "ann") is HOST
    succeeded = tick(lost, now_ns=HOST_MISSED_S * SECOND_NS)
    assert (role(succeeded, "bob"), role(succeeded, "ann")) == (HOST, COHOST)
    back = after(("ann", Enter("Ann", HOST)), ("bob", HandOver("ann")), roster=succeeded)
    assert (role(back, "ann"), role(back, "bob")) == (HOST, COHOST)


def test_a_host_who_left_for_good_comes_back_beside_the_new_one() -> None:
    gone = tick(after(("ann", Leave()), roster=STAGE), now_ns=9 * SECOND_NS)
    assert role(gone, "bob") is HOST
    assert role(after(("ann", Enter("Ann", HOST)), roster=gone), "ann") is COHOST


def test_without_host_and_cohost_the_seats_stay_and_whoever_comes_as_host_leads() -> None:
    alone = after(("ann", Leave()), ("bob", Leave()), roster=STAGE)
    alone = tick(alone, now_ns=99 * SECOND_NS)
    assert alone.heard == {"cat"}
    assert role(after(("ann", Enter("Ann", HOST)), roster=alone), "ann") is HOST


def test_seats_and_hands_are_bounded_and_say_so() -> None:
    full = after(*((f"p{n}", Enter(f"P{n}", SPEAKER)) for n in range(SEATS_MAX)))
    assert str(SEATS_MAX) in declined("late", Enter("Late", SPEAKER), full)
    asking = after(*((f"q{n}", RaiseHand("Q")) for n in range(HANDS_MAX)), roster=STAGE)
    assert "try again" in declined("late", RaiseHand("Late"), asking)


@pytest.mark.parametrize("name", ["", "   ", "x" * 61, "a\nb"])
def test_names_are_names(name: str) -> None:
    assert "name" in declined("dan", Enter(name, SPEAKER))


PEOPLE = st.sampled_from(["ann", "bob", "cat", "dan", "eve"])
ACTS = st.one_of(
    st.builds(Enter, st.just("Somebody"), st.sampled_from(StageRole), green=st.booleans()),
    st.builds(Lose, st.integers(1, 3)),
    st.just(Leave()),
    st.just(RaiseHand("Somebody")),
    st.builds(LowerHand, PEOPLE),
    st.builds(LetUp, PEOPLE),
    st.builds(SendBack, PEOPLE),
    st.builds(Mute, PEOPLE),
    st.just(Unmute()),
    st.builds(Remove, PEOPLE),
    st.builds(Expel, PEOPLE),
    st.builds(Appoint, PEOPLE, cohost=st.booleans()),
    st.builds(HandOver, PEOPLE),
)


@given(st.lists(st.tuples(PEOPLE, ACTS, st.integers(0, 20)), max_size=60))
def test_whatever_people_do_a_roster_stays_whole(history: list[tuple[str, Act, int]]) -> None:
    roster, now_s = Roster(), 0
    for by, what, pause_s in history:
        now_s += pause_s
        done = act(roster, by, what, now_ns=now_s * SECOND_NS)
        roster = tick(roster if isinstance(done, Declined) else done, now_ns=now_s * SECOND_NS)
        people = [seated.person for seated in roster.seats]
        roles = [seated.role for seated in roster.seats]
        assert len(people) == len(set(people)) <= SEATS_MAX
        assert roles.count(HOST) <= 1
        assert roles.count(COHOST) <= COHOSTS_MAX
        assert not {hand.person for hand in roster.hands} & set(people)
        assert not roster.removed & set(people)
        assert roster.heard <= set(people)
