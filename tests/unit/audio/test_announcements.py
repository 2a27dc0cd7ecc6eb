from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.audio.announcements import TEXTS, Due, before_start, due, load, path
from rostra.audio.loudness import integrated_lufs
from rostra.audio.true_peak import to_db, true_peak
from rostra.core.conversation import Cancelled, DoorsOpen, Ended, Held, Live, Schedule, Scheduled, State
from rostra.core.errors import BadInputError
from rostra.core.units import SAMPLE_RATE_HZ, SECOND_NS

MINUTE_NS = 60 * SECOND_NS
STARTS_NS = 1_795_000_000 * SECOND_NS
EVERY = [(language, announcement) for language, texts in TEXTS.items() for announcement in texts]


def schedule(*, lead_s: float, starts_ns: int = STARTS_NS) -> Schedule:
    doors_ns = starts_ns - round(lead_s * SECOND_NS)
    return Schedule("An evening", starts_ns, doors_ns, starts_ns + 60 * MINUTE_NS, "Europe/Amsterdam")


def plan(*, lead_s: float) -> list[tuple[float, str]]:
    """Seconds before the start and announcement."""
    planned = before_start(doors_ns=STARTS_NS - round(lead_s * SECOND_NS), starts_ns=STARTS_NS)
    return [((STARTS_NS - each.at_ns) / SECOND_NS, each.announcement) for each in planned]


# --- recordings ------------------------------------------------------------------------------------


def test_every_language_says_the_same_things() -> None:
    assert len({tuple(texts) for texts in TEXTS.values()}) == 1
    assert all(text.endswith(".") for texts in TEXTS.values() for text in texts.values())


@pytest.mark.parametrize(("language", "announcement"), EVERY)
def test_an_announcement_is_as_loud_as_the_programme_and_cut_to_what_is_said(
    language: str, announcement: str
) -> None:
    samples = load(language, announcement)
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert integrated_lufs(samples) == pytest.approx(-16.0, abs=0.5)
    assert to_db(true_peak(samples)) <= -1.5
    heard = np.flatnonzero(np.abs(samples) > 10 ** (-40 / 20))
    assert 0.05 < heard[0] / SAMPLE_RATE_HZ < 0.3
    assert 0.05 < (len(samples) - heard[-1]) / SAMPLE_RATE_HZ < 0.3
    # 8 to 24 characters a second is how people and their machines speak; another text would not fit
    assert 8 < len(TEXTS[language][announcement]) / ((heard[-1] - heard[0]) / SAMPLE_RATE_HZ) < 24


def test_no_two_recordings_are_the_same_and_none_is_without_a_text() -> None:
    folder = path("en", "welcome").parent.parent
    files = sorted(folder.glob("*/*.opus"))
    assert [(file.parent.name, file.stem) for file in files] == sorted(EVERY)
    assert len({file.read_bytes() for file in files}) == len(files)
    assert sum(file.stat().st_size for file in files) < 1_500_000


@pytest.mark.parametrize(("language", "announcement"), [("fr", "welcome"), ("en", "applause"), ("en", "../README")])
def test_what_is_not_in_the_table_is_refused(language: str, announcement: str) -> None:
    with pytest.raises(BadInputError):
        load(language, announcement)


# --- the plan --------------------------------------------------------------------------------------


def test_a_long_wait_hears_the_welcome_and_the_whole_countdown() -> None:
    assert plan(lead_s=3_600) == [
        (3_597, "welcome"),
        (1_800, "begins_in_30_minutes"),
        (900, "begins_in_15_minutes"),
        (600, "begins_in_10_minutes"),
        (300, "begins_in_5_minutes"),
        (60, "begins_in_1_minute"),
    ]


def test_a_countdown_that_falls_into_the_welcome_follows_it() -> None:
    assert plan(lead_s=1_800)[:3] == [
        (1_797, "welcome"),
        (1_791, "begins_in_30_minutes"),
        (900, "begins_in_15_minutes"),
    ]


def test_a_countdown_that_would_be_too_late_to_be_true_is_left_out() -> None:
    assert plan(lead_s=60) == [(57, "welcome")]


def test_doors_that_open_at_the_last_moment_say_nothing_that_the_start_would_cut() -> None:
    assert plan(lead_s=8) == []
    assert plan(lead_s=0) == []


@given(st.integers(0, 24 * 3600))
def test_announcements_before_the_start_never_overlap_each_other_or_the_start(lead_s: int) -> None:
    planned = plan(lead_s=lead_s)
    instants = [before_s for before_s, _ in planned] + [0]
    assert all(earlier - later >= 6 for earlier, later in pairwise(instants))
    for before_s, announcement in planned:
        if announcement.startswith("begins_in_"):
            said_s = int(announcement.split("_")[2]) * 60
            assert 0 <= (said_s - before_s) / said_s <= 0.05


@pytest.mark.parametrize(
    ("state", "announcement", "first_s"),
    [(Held(since_ns=STARTS_NS, begun=False), "delayed", 5), (Held(since_ns=STARTS_NS, begun=True), "held", 5)],
)
def test_an_empty_stage_is_announced_within_the_promised_minute_and_every_minute_after(
    state: State, announcement: str, first_s: int
) -> None:
    said = due(schedule(lead_s=1_800), state, from_ns=STARTS_NS, until_ns=STARTS_NS + 4 * MINUTE_NS)
    assert said == tuple(Due(STARTS_NS + first_s * SECOND_NS + turn * MINUTE_NS, announcement) for turn in range(4))
    assert said[0].at_ns - STARTS_NS <= MINUTE_NS  # P1


def test_the_end_is_announced_once() -> None:
    for state, announcement in ((Ended(at_ns=STARTS_NS), "ended"), (Cancelled(at_ns=STARTS_NS), "cancelled")):
        said = due(schedule(lead_s=60), state, from_ns=STARTS_NS, until_ns=STARTS_NS + 60 * MINUTE_NS)
        assert [each.announcement for each in said] == [announcement]


@pytest.mark.parametrize("state", [Scheduled(), Live(since_ns=STARTS_NS)])
def test_nothing_is_said_before_the_doors_open_or_over_the_speakers(state: State) -> None:
    assert due(schedule(lead_s=1_800), state, from_ns=0, until_ns=2 * STARTS_NS) == ()


STATES = st.sampled_from(
    [
        DoorsOpen(since_ns=STARTS_NS - 1_800 * SECOND_NS),
        Held(since_ns=STARTS_NS - 700 * SECOND_NS, begun=True),
        Held(since_ns=STARTS_NS - 700 * SECOND_NS, begun=False),
        Ended(at_ns=STARTS_NS - 600 * SECOND_NS),
    ]
)


@given(STATES, st.lists(st.integers(-2_000 * SECOND_NS, 60 * SECOND_NS), min_size=2, max_size=20))
def test_intervals_without_gaps_say_everything_once_however_they_are_cut(state: State, cuts_ns: list[int]) -> None:
    instants = [STARTS_NS + cut for cut in sorted(cuts_ns)]
    one = schedule(lead_s=1_800)
    parts = [each for first, last in pairwise(instants) for each in due(one, state, from_ns=first, until_ns=last)]
    assert tuple(parts) == due(one, state, from_ns=instants[0], until_ns=instants[-1])


@given(STATES, st.integers(-1_800, 100))
def test_every_planned_announcement_has_a_recording_in_every_language(state: State, from_s: int) -> None:
    from_ns = STARTS_NS + from_s * SECOND_NS
    for each in due(schedule(lead_s=1_800), state, from_ns=from_ns, until_ns=from_ns + 3_600 * SECOND_NS):
        assert all(path(language, each.announcement).is_file() for language in TEXTS)
