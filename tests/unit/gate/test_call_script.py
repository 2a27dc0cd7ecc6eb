"""A call is a dialogue: what is pressed and told, and what is done about it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.audio.prompts import Prompt
from rostra.gate.call_script import (
    PIN_TRIES_MAX,
    AskingPin,
    CheckPin,
    Command,
    Deed,
    Digit,
    Event,
    Gone,
    Happening,
    Listening,
    Mute,
    OnStage,
    PinRight,
    Play,
    RosterSays,
    State,
    Waiting,
    begin,
    step,
)

PIN = "40712345"


def call(*happenings: Happening | str) -> tuple[State, list[Deed]]:
    """The state after a whole call, and everything that was done; a string is pressed key by key."""
    state, done = begin()
    deeds = list(done)
    for each in happenings:
        for happening in [Digit(key) for key in each] if type(each) is str else [each]:
            state, done = step(state, happening)  # type: ignore[arg-type]
            deeds += done
    return state, deeds


def said(deeds: list[Deed]) -> list[Prompt]:
    return [deed.prompt for deed in deeds if isinstance(deed, Play)]


def done(deeds: list[Deed]) -> list[Deed]:
    return [deed for deed in deeds if not isinstance(deed, Play) and deed is not Command.HUSH]


def test_a_speaker_types_the_pin_waits_with_music_and_comes_on_the_stage() -> None:
    state, deeds = call(f"{PIN}#", PinRight(speaker=True), RosterSays.BACKSTAGE, RosterSays.ON_STAGE)
    assert state == OnStage()
    assert said(deeds) == [Prompt.WELCOME, Prompt.WAIT, Prompt.ON_STAGE]
    assert done(deeds) == [Command.MUSIC, CheckPin(PIN), Command.ENTER, Command.ROOM]


def test_a_listener_hears_the_conversation_and_raises_a_hand_also_after_it_was_lowered() -> None:
    state, deeds = call(f"{PIN}#", PinRight(speaker=False), RosterSays.LISTENING, "*1", "*1")
    assert state == Listening()
    assert done(deeds)[2:] == [Command.ENTER, Command.ROOM, Command.RAISE_HAND, Command.RAISE_HAND]
    assert said(deeds) == [Prompt.WELCOME, Prompt.LISTEN, Prompt.HAND_UP, Prompt.HAND_UP]


def test_a_listener_who_is_let_up_is_told_so_and_may_mute() -> None:
    state, deeds = call(f"{PIN}#", PinRight(speaker=False), RosterSays.LISTENING, "*1", RosterSays.ON_STAGE, "*6")
    assert state == OnStage(muted=True)
    assert done(deeds)[-1] == Mute(muted=True)
    assert said(deeds)[-2:] == [Prompt.ON_STAGE, Prompt.MUTED]


@pytest.mark.parametrize(
    ("pressed", "muted"),
    [("*6", True), ("*6*6", False), ("*6*6*6", True), ("6", False), ("*16", False), ("**6", True), ("*1", False)],
)
def test_star_six_mutes_and_unmutes_and_nothing_else_does(pressed: str, muted: bool) -> None:  # noqa: FBT001
    state, _ = call(f"{PIN}#", PinRight(speaker=True), RosterSays.ON_STAGE, pressed)
    assert isinstance(state, OnStage)
    assert state.muted is muted


def test_the_rosters_echo_of_an_own_mute_is_not_announced_twice() -> None:
    _, deeds = call(f"{PIN}#", PinRight(speaker=True), RosterSays.ON_STAGE, "*6", RosterSays.MUTED)
    assert said(deeds).count(Prompt.MUTED) == 1


def test_who_is_muted_by_the_host_is_told() -> None:
    state, deeds = call(f"{PIN}#", PinRight(speaker=True), RosterSays.ON_STAGE, RosterSays.MUTED)
    assert state == OnStage(muted=True)
    assert said(deeds)[-1] is Prompt.MUTED


@pytest.mark.parametrize(
    "attempt", [("123#",), (f"{PIN}#", Event.PIN_WRONG), (Event.PIN_TIMEOUT,), ("12", Event.PIN_TIMEOUT)]
)
def test_three_tries_and_then_goodbye(attempt: tuple[Happening | str, ...]) -> None:
    assert call(*attempt * (PIN_TRIES_MAX - 1))[0] == AskingPin(tries_left=1)
    state, deeds = call(*attempt * PIN_TRIES_MAX)
    assert state == Gone()
    assert said(deeds) == [Prompt.WELCOME, *[Prompt.WRONG_PIN] * (PIN_TRIES_MAX - 1), Prompt.NOT_ADMITTED]
    assert deeds[-1] is Command.HANG_UP


def test_a_whole_pin_without_the_hash_key_is_tried_when_nothing_more_comes() -> None:
    assert done(call(PIN, Event.PIN_TIMEOUT)[1])[-1] == CheckPin(PIN)


def test_the_star_key_begins_a_pin_anew_and_a_ninth_digit_is_ignored() -> None:
    assert done(call(f"999*{PIN}77#")[1])[-1] == CheckPin(PIN)


@pytest.mark.parametrize(
    ("news", "prompt"),
    [(RosterSays.OVER, Prompt.OVER), (RosterSays.REMOVED, Prompt.REMOVED), (Event.FULL, Prompt.FULL)],
)
def test_the_end_is_told_before_the_line_is_closed(news: Happening, prompt: Prompt) -> None:
    for happenings in (
        (),
        (f"{PIN}#", PinRight(speaker=True)),
        (f"{PIN}#", PinRight(speaker=True), RosterSays.ON_STAGE),
    ):
        state, deeds = call(*happenings, news)
        assert state == Gone()
        assert deeds[-2:] == [Play(prompt), Command.HANG_UP]


HAPPENINGS: st.SearchStrategy[Happening] = st.one_of(
    st.builds(Digit, st.sampled_from("0123456789*#ABCD")),
    st.builds(PinRight, st.booleans()),
    st.sampled_from(Event),
    st.sampled_from(RosterSays),
)


@given(st.lists(HAPPENINGS, max_size=60))
def test_whatever_happens_nobody_gets_in_without_a_pin_and_the_end_is_the_end(happenings: list[Happening]) -> None:
    state, deeds = begin()
    pin_was_right = False
    for happening in happenings:
        before = state
        state, deeds = step(state, happening)
        pin_was_right |= isinstance(happening, PinRight)
        assert pin_was_right or isinstance(state, AskingPin | Gone)
        assert (Command.HANG_UP in deeds) == (isinstance(state, Gone) and not isinstance(before, Gone))
        assert not isinstance(before, Gone) or set(deeds) <= {Command.HUSH}
        assert Command.ENTER not in deeds or isinstance(before, AskingPin)
        if isinstance(state, AskingPin):
            assert 1 <= state.tries_left <= PIN_TRIES_MAX
            assert len(state.digits) <= len(PIN)
        assert not isinstance(state, Waiting) or not isinstance(before, Gone)
