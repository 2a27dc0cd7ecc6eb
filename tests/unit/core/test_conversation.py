"""The life of a conversation, as dialogues of events and states."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.core.conversation import (
    Cancel,
    Cancelled,
    Conversation,
    DoorsOpen,
    End,
    Ended,
    Event,
    Held,
    Live,
    Rescheduled,
    Schedule,
    Scheduled,
    Tick,
    advance,
    id_from_title,
    is_over,
    parse_duration_s,
    parse_id,
    parse_instant_ns,
    plan,
)
from rostra.core.errors import BadInputError
from rostra.core.units import CHUNK_NS, SECOND_NS

DOORS, STARTS, ENDS = 100 * SECOND_NS, 200 * SECOND_NS, 900 * SECOND_NS
SCHEDULE = Schedule("Evening", STARTS, DOORS, ENDS, "Europe/Amsterdam")
CONVERSATION = Conversation("evening", SCHEDULE)


def at(seconds: float) -> int:
    return int(seconds * SECOND_NS)


def play(*events: tuple[float, Event]) -> Conversation:
    conversation = CONVERSATION
    for seconds, event in events:
        conversation = advance(conversation, event, now_ns=at(seconds))
    return conversation


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([(99.9, Tick(occupied=True))], Scheduled()),
        ([(100, Tick(occupied=False))], DoorsOpen(since_ns=DOORS)),
        ([(100, Tick(occupied=True)), (199.99, Tick(occupied=True))], DoorsOpen(since_ns=DOORS)),
        ([(100, Tick(occupied=True)), (200, Tick(occupied=True))], Live(since_ns=STARTS)),
        ([(100, Tick(occupied=False)), (200, Tick(occupied=False))], Held(since_ns=STARTS, begun=False)),
        ([(250, Tick(occupied=True))], Live(since_ns=STARTS)),
        ([(200, Tick(occupied=False)), (230, Tick(occupied=True))], Live(since_ns=at(230))),
        ([(200, Tick(occupied=True)), (230, Tick(occupied=False))], Held(since_ns=at(230), begun=True)),
        ([(200, Tick(occupied=True)), (900, Tick(occupied=True))], Ended(at_ns=ENDS)),
        ([(200, Tick(occupied=True)), (300, End())], Ended(at_ns=at(300))),
        ([(150, Cancel()), (300, Tick(occupied=True))], Cancelled(at_ns=at(150))),
    ],
)
def test_the_conversation_follows_its_schedule_and_its_stage(
    events: list[tuple[float, Event]], state: object
) -> None:
    assert play(*events).state == state


def test_p1_a_conversation_goes_live_at_the_announced_instant_even_if_it_is_noticed_late() -> None:
    assert play((100, Tick(occupied=True)), (203, Tick(occupied=True))).state == Live(since_ns=STARTS)


def test_open_doors_stay_open_when_the_start_is_put_off() -> None:
    later = replace(SCHEDULE, starts_ns=at(500), doors_ns=at(400))
    moved = play((100, Tick(occupied=False)), (150, Rescheduled(later)))
    assert moved.state == DoorsOpen(since_ns=DOORS)
    assert moved.schedule.doors_ns == DOORS
    assert moved.schedule.starts_ns == at(500)
    assert moved.schedule.revision == 1


def test_a_delayed_conversation_may_be_put_off_but_one_that_has_begun_cannot_begin_again() -> None:
    later = replace(SCHEDULE, starts_ns=at(500))
    delayed = play((200, Tick(occupied=False)), (210, Rescheduled(later)))
    assert delayed.state == DoorsOpen(since_ns=DOORS)
    begun = play((200, Tick(occupied=True)), (210, Rescheduled(later)))
    assert begun.state == Live(since_ns=STARTS)
    assert begun.schedule.starts_ns == STARTS


EVENTS = st.one_of(
    st.builds(Tick, occupied=st.booleans()),
    st.just(End()),
    st.just(Cancel()),
    st.builds(
        lambda start: Rescheduled(replace(SCHEDULE, starts_ns=at(start), doors_ns=at(start - 60))),
        st.integers(60, 800),
    ),
)


@given(st.lists(st.tuples(st.integers(0, 1000), EVENTS), max_size=30))
def test_what_is_over_stays_over_and_revisions_only_rise(steps: list[tuple[int, Event]]) -> None:
    conversation = CONVERSATION
    for seconds, event in sorted(steps, key=lambda step: step[0]):
        after = advance(conversation, event, now_ns=at(seconds))
        if is_over(conversation.state):
            assert after == conversation
        assert after.schedule.revision >= conversation.schedule.revision
        if not isinstance(conversation.state, Scheduled):
            assert not isinstance(after.state, Scheduled)
        conversation = after


# --- what people type ------------------------------------------------------------------------------------

NOON_UTC = 1_795_694_400 * SECOND_NS  # 2026-11-26 12:00:00 UTC, 13:00 in Amsterdam


@pytest.mark.parametrize(
    ("text", "timezone", "offset_s"),
    [
        ("20:00", "Europe/Amsterdam", 7 * 3600),
        ("12:30", "Europe/Amsterdam", 24 * 3600 - 1800),
        ("20:00:30", "America/New_York", 13 * 3600 + 30),
        ("2026-11-26 20:00", "Europe/Amsterdam", 7 * 3600),
        ("2026-11-26T20:00-05:00", "Europe/Amsterdam", 13 * 3600),
        ("+10m", "UTC", 600),
        ("now", "UTC", 0),
    ],
)
def test_an_announced_instant_is_read_in_its_time_zone(text: str, timezone: str, offset_s: int) -> None:
    assert parse_instant_ns(text, timezone=timezone, now_ns=NOON_UTC) == NOON_UTC + offset_s * SECOND_NS


@pytest.mark.parametrize(
    ("text", "timezone", "said"),
    [
        ("25:00", "UTC", "is no time"),
        ("tomorrow", "UTC", "is no time"),
        ("20:00", "Mars/Olympus", "is no time zone"),
        ("20:00", "../../etc/passwd", "is no time zone"),
        ("2027-03-28 02:30", "Europe/Amsterdam", "put forward"),
        ("2026-10-25 02:30", "Europe/Amsterdam", "comes twice"),
        ("+10x", "UTC", "is no duration"),
    ],
)
def test_an_instant_that_cannot_be_kept_is_refused_with_the_reason(text: str, timezone: str, said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        parse_instant_ns(text, timezone=timezone, now_ns=NOON_UTC)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("30m", 1800), ("1h30m", 5400), ("2h", 7200)]
)
def test_durations_are_read(text: str, seconds: int) -> None:
    assert parse_duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "UPPER", "-a", "a-", "a.b", "a b", "x" * 65, "a/../b", "é", "a\n"])
def test_ids_that_could_break_a_subject_or_a_url_are_refused(text: str) -> None:
    with pytest.raises(BadInputError):
        parse_id(text)


@given(st.text(max_size=300))
def test_every_title_gives_a_usable_id(title: str) -> None:
    assert parse_id(id_from_title(title, suffix="k3x9")).endswith("k3x9")


def test_a_plan_keeps_to_the_chunk_grid_and_opens_late_doors_at_once() -> None:
    schedule = plan(
        " Evening ",
        starts_ns=NOON_UTC + 1_234_567_890,
        doors_lead_s=1800,
        duration_s=3600,
        timezone="Europe/Amsterdam",
        language="nl",
        now_ns=NOON_UTC + 1,
    )
    assert schedule.title == "Evening"
    assert all(instant % CHUNK_NS == 0 for instant in (schedule.starts_ns, schedule.doors_ns, schedule.ends_ns))
    assert NOON_UTC < schedule.doors_ns <= NOON_UTC + CHUNK_NS


@pytest.mark.parametrize(
    "wrong",
    [
        {"title": " "},
        {"title": "x" * 201},
        {"title": "a\x00b"},
        {"starts_ns": NOON_UTC - 1},
        {"doors_lead_s": -1},
        {"doors_lead_s": 10**9},
        {"duration_s": 0},
        {"language": "xx"},
    ],
)
def test_a_plan_that_cannot_be_kept_is_refused(wrong: dict[str, object]) -> None:
    arguments: dict[str, object] = {
        "title": "Evening",
        "starts_ns": NOON_UTC + 1,
        "doors_lead_s": 60,
        "duration_s": 60,
        "timezone": "UTC",
        "language": "en",
        "now_ns": NOON_UTC,
    }
    with pytest.raises(BadInputError):
        plan(**(arguments | wrong))  # type: ignore[arg-type]
