"""P9: who went of their own accord was not cut, and who was is told from those who went on in time."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from rostra.verdict.crowd import interrupted
from rostra.verdict.departures import departed
from rostra.verdict.evening import Role, read
from rostra.verifier.entry import Entry

BEGAN_S = 1_700_000_000
SECONDS = 60
WENT_S = 20
LISTENERS = 10
ALWAYS = range(SECONDS)

Record = dict[str, dict[str, int]]
Course = Sequence[Record | None]  # of one edge, second by second; None: it said nothing
Change = tuple[int, str, dict[str, str]]


def edge(
    playing: Sequence[int],
    *,
    resumed: Mapping[int, int] | None = None,
    dark: range = range(0),
    opens: range = ALWAYS,
    silent: range = range(0),
    interrupted: Mapping[int, int] | None = None,
    paused_ms: int | None = None,
    sent_away: Mapping[int, int] | None = None,
) -> Course:
    """`resumed`: who came back at which second; `dark`: nobody answers; `opens`: somebody's handshake completes.

    `interrupted`: who says then that they lack three seconds; `paused_ms`: of each listener in each second.
    """
    back, said, away = resumed or {}, interrupted or {}, sent_away or {}
    return [
        None
        if at in silent
        else {
            "did": {
                "resumed": back.get(at, 0),
                "sound_within_100_ms": 0,
                "interrupted": said.get(at, 0),
                "cut_streams": away.get(at, 0),
                **({} if paused_ms is None else {"paused_listener_ms": paused_ms * there}),
            },
            "has": {"passive_opens": 1 if at in opens else 0, "segments_again": 0},
            "now": {
                "playing": there,
                "asked_of_listeners": there,
                "unreached_listeners": there if at in dark else 0,
            },
        }
        for at, there in enumerate(playing)
    ]


def until(second: int, *, before: int = LISTENERS, after: int = 0) -> list[int]:
    return [before if at < second else after for at in ALWAYS]


def lost(*courses: Course, changes: Sequence[Change] = ()) -> list[tuple[int, int]]:
    """Of each edge: who fell with it, and who was cut else."""
    evening = read(entries(courses, changes))
    return [departed(evening, process, 0, SECONDS) for process in evening.of(Role.EDGE)]


def entries(courses: Sequence[Course], changes: Sequence[Change]) -> Iterator[Entry]:
    def entry(who: str, kind: str, at: int, body: dict[str, Any], *, seq: int = 0) -> Entry:
        return Entry(who, BEGAN_S * 1_000, seq, "", kind, (BEGAN_S + at) * 1_000, at * 1_000, body)

    yield entry("witness", "opened", 0, {"conversation": "departures"})
    totals: list[Record] = [{} for _ in courses]
    seqs = [0] * len(courses)
    for at in ALWAYS:
        for second, what, body in changes:
            if second == at:
                yield entry("operator", "change", at, {"what": what, **body})
        for number, course in enumerate(courses):
            counted = course[at]
            if counted is None:
                continue
            for part in ("did", "has"):
                sums = totals[number].setdefault(part, {})
                for name, count in counted[part].items():
                    sums[name] = sums.get(name, 0) + count
            record = {part: dict(sums) for part, sums in totals[number].items()} | {"now": counted["now"]}
            yield entry(f"edge-{number}", "record", at, record, seq=seqs[number])
            seqs[number] += 1


def drain(subject: str, *, text: str = "drain") -> Change:
    return WENT_S - 5, "scale", {"subject": subject, "text": text}


def test_who_fell_with_an_edge_that_went_without_a_word_was_cut_by_its_end() -> None:
    fallen = edge([LISTENERS] * SECONDS, silent=range(WENT_S, SECONDS))
    assert lost(fallen, edge([LISTENERS] * SECONDS)) == [(LISTENERS, 0), (0, 0)]


def test_a_drain_that_was_said_cuts_nobody_while_another_edge_is_there() -> None:
    drained = edge([LISTENERS] * SECONDS, silent=range(WENT_S, SECONDS))
    other = edge([LISTENERS] * SECONDS, opens=range(0))
    assert lost(drained, other, changes=[drain("edge-0")]) == [(0, 0), (0, 0)]
    assert lost(drained, other, changes=[drain("edge-1")]) == [(LISTENERS, 0), (0, 0)]
    assert lost(drained, other, changes=[drain("edge-0", text="more")]) == [(LISTENERS, 0), (0, 0)]


def test_a_drain_without_another_edge_sends_people_nowhere() -> None:
    drained = edge([LISTENERS] * SECONDS, silent=range(WENT_S, SECONDS))
    other = edge([LISTENERS] * SECONDS, silent=range(WENT_S - 5, SECONDS))
    stage: Course = [{"did": {}, "has": {}, "now": {"backlog_chunks": 0}}] * SECONDS  # somebody goes on
    assert lost(drained, other, stage, changes=[drain("edge-0")])[0] == (LISTENERS, 0)


def test_an_edge_that_stood_still_and_went_on_did_not_end() -> None:
    course = edge(until(WENT_S), silent=range(WENT_S, WENT_S + 10))
    assert lost(course) == [(0, LISTENERS)]
    assert lost(course, changes=[(WENT_S + 9, "start", {"subject": "edge-0"})]) == [(LISTENERS, 0)]


def test_those_whose_line_went_dark_were_cut_though_nobody_comes_back() -> None:
    dark = range(WENT_S - 3, WENT_S)
    assert lost(edge(until(WENT_S), dark=dark)) == [(0, LISTENERS)]
    assert lost(edge(until(WENT_S))) == [(0, 0)]


def test_those_of_a_dark_line_who_had_another_edge_have_left() -> None:
    dark = edge(until(WENT_S), dark=range(WENT_S - 3, WENT_S))
    welcoming = edge([1] * SECONDS, resumed={at: 1 for at in ALWAYS if at > WENT_S + 5}, opens=range(0))
    assert lost(dark, welcoming)[0][0] == 0
    assert lost(dark, edge([0] * SECONDS, opens=range(0))) == [(0, 0), (0, 0)]


@pytest.mark.parametrize(("back_s", "cut"), [(1, 0), (2, 0), (3, LISTENERS), (15, LISTENERS)])
def test_who_comes_back_later_than_a_player_has_sound_was_cut(back_s: int, cut: int) -> None:
    playing = [0 if WENT_S <= at < WENT_S + back_s else LISTENERS for at in ALWAYS]
    assert lost(edge(playing, resumed={WENT_S + back_s: LISTENERS})) == [(0, cut)]


def test_who_goes_on_at_another_edge_in_time_was_not_cut() -> None:
    other = edge(until(WENT_S + 1, before=0, after=LISTENERS), resumed={WENT_S + 1: LISTENERS})
    assert lost(edge(until(WENT_S)), other) == [(0, 0), (0, 0)]


def test_who_went_on_elsewhere_before_their_edge_noticed_is_counted_once() -> None:
    other = edge(until(WENT_S, before=0, after=LISTENERS), resumed={WENT_S: LISTENERS})
    unnoticed = edge(until(WENT_S + 6), dark=range(WENT_S - 1, WENT_S + 6))
    assert lost(unnoticed, other) == [(0, 0), (0, 0)]


def test_who_goes_alone_and_comes_back_went_by_choice() -> None:
    playing = [LISTENERS - 1 if WENT_S <= at < WENT_S + 15 else LISTENERS for at in ALWAYS]
    assert lost(edge(playing, resumed={WENT_S + 15: 1})) == [(0, 0)]


def test_who_leaves_at_the_end_was_not_cut_by_it() -> None:
    last = SECONDS - 10
    assert lost(edge(until(last), opens=range(last))) == [(0, 0)]
    assert lost(edge([LISTENERS] * SECONDS, silent=range(last, SECONDS), opens=range(last))) == [(0, 0)]


def test_a_departure_belongs_to_the_second_in_which_it_was() -> None:
    evening = read(entries([edge(until(WENT_S), silent=range(WENT_S, WENT_S + 10))], ()))
    (process,) = evening.processes
    assert departed(evening, process, WENT_S, WENT_S + 1) == (0, LISTENERS)
    assert departed(evening, process, 0, WENT_S) == departed(evening, process, WENT_S + 1, SECONDS) == (0, 0)


# --- what no departure shows ---------------------------------------------------------------------------------


def cut(*courses: Course) -> dict[str, float]:
    return interrupted(read(entries(courses, ())), 0, SECONDS)


def test_short_gaps_again_and_again_are_cuts_of_the_edges_that_people_went_from() -> None:
    playing = [LISTENERS - 3 if at in (20, 30) else LISTENERS for at in ALWAYS]
    bad = edge(playing, resumed={21: 3, 31: 3})
    good = edge([LISTENERS] * SECONDS, interrupted={31: 3})
    assert cut(bad, good) == {"edge-0": 3.0, "edge-1": 0.0}
    assert cut(bad, edge([LISTENERS] * SECONDS)) == {"edge-0": 0.0, "edge-1": 0.0}


def test_who_was_seen_to_be_cut_and_says_so_is_cut_once() -> None:
    playing = [0 if WENT_S <= at < WENT_S + 5 else LISTENERS for at in ALWAYS]
    seen = edge(playing, resumed={WENT_S + 5: LISTENERS})
    says = edge(playing, resumed={WENT_S + 5: LISTENERS}, interrupted={WENT_S + 5: LISTENERS})
    assert cut(seen) == cut(says) == {"edge-0": LISTENERS}


@pytest.mark.parametrize(("paused_ms", "expected"), [(0, 0), (40, 0), (60, LISTENERS)])
def test_all_are_cut_whom_an_edge_wrote_to_too_late_for_three_seconds_in_all(paused_ms: int, expected: int) -> None:
    assert cut(edge([LISTENERS] * SECONDS, paused_ms=paused_ms)) == {"edge-0": expected}


def test_whom_an_edge_sent_away_and_who_comes_back_late_is_cut_once() -> None:
    playing = [0 if WENT_S <= at < WENT_S + 5 else LISTENERS for at in ALWAYS]
    course = edge(playing, resumed={WENT_S + 5: LISTENERS}, sent_away={WENT_S: LISTENERS})
    assert cut(course) == {"edge-0": LISTENERS}
