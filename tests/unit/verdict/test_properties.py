"""P9: what must hold of every verdict, whatever the evening was."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenings import KINDS, Evening, scenario
from rostra.verdict.evening import Reader, Role, read
from rostra.verdict.likelihood import WORDS
from rostra.verdict.shares import PART_MIN
from rostra.verdict.verdict import Verdict, judge
from rostra.verifier.entry import Entry

DRAWS = 8
HOSTILE = {
    "syn_flood", "bandwidth_flood", "http_flood", "mimicry", "idle_connections", "absorbed",
    "flood_and_crowd", "flood_and_fault", "absorbed_and_fault",
}  # fmt: skip
INNOCENT = [kind for kind in KINDS if kind not in HOSTILE]


@cache
def entries(kind: str, seed: int) -> tuple[Entry, ...]:
    return tuple(Evening(scenario(kind, seed)).entries)


def judged(of: Sequence[Entry]) -> Verdict:
    return judge(read(of), count=DRAWS)


@cache
def whole(kind: str, seed: int) -> Verdict:
    return judged(entries(kind, seed))


@settings(max_examples=12, deadline=None)
@given(kind=st.sampled_from(INNOCENT), seed=st.integers(0, 40))
def test_without_hostile_traffic_an_attack_has_no_share(kind: str, seed: int) -> None:
    assert whole(kind, seed).split.shares[0].high == 0


@settings(max_examples=6, deadline=None)
@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 3))
def test_names_of_processes_mean_nothing(kind: str, seed: int) -> None:
    other = judged(list(renamed(entries(kind, seed)))).as_json()
    found = whole(kind, seed).as_json()
    for of_names in ("unknowns", "contrasts"):
        for each in (*found.pop(of_names), *other.pop(of_names)):
            assert isinstance(each["subject"], str)
    assert found == other


def renamed(of: Sequence[Entry]) -> Iterator[Entry]:
    names = {f"edge-{number}": f"zz{9 - number}" for number in range(1, 6)}
    for entry in of:
        body = dict(entry.body)
        if entry.kind == "registered_plan":
            body["capacity"] = {names.get(name, name): each for name, each in capacities(body).items()}
        if "subject" in body:
            body["subject"] = names.get(str(body["subject"]), body["subject"])
        yield entry._replace(who=names.get(entry.who, entry.who), body=body)


def capacities(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = body["capacity"]
    return found


@pytest.mark.parametrize("kind", ["crowd", "limit", "http_flood"])
def test_ten_times_as_many_of_everything_is_the_same_evening(kind: str) -> None:
    found, larger = whole(kind, 2), judged(list(tenfold(entries(kind, 2))))
    assert larger.label == found.label
    for one, other in zip(found.split.shares, larger.split.shares, strict=True):
        assert other.value == pytest.approx(one.value, abs=0.05)


def tenfold(of: Sequence[Entry]) -> Iterator[Entry]:
    for entry in of:
        body: dict[str, Any] = dict(entry.body)
        if entry.kind == "registered_plan":
            body["capacity"] = {
                name: {what: 10 * value for what, value in each.items()} for name, each in capacities(body).items()
            }
        if entry.kind == "record" and entry.who.startswith("edge"):
            body["did"] = {name: 10 * value for name, value in body["did"].items()}
            gauges = ("playing", "waiting", "room", "connections", "idle_connections")
            body["now"] = {name: 10 * value if name in gauges else value for name, value in body["now"].items()}
            body["is"] = body["is"] | {"capacity": 10 * body["is"]["capacity"]}
        yield entry._replace(body=body)


@settings(max_examples=20, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 2),
    lost=st.sampled_from(["edge-1", "edge-2", "stage-1", "witness", "did", "has", "now", "is", "seconds"]),
    begin=st.integers(20, 120),
)
def test_less_evidence_never_makes_a_verdict_firmer(kind: str, seed: int, lost: str, begin: int) -> None:
    less, more = judged(list(without(entries(kind, seed), lost, begin))), whole(kind, seed)
    assert less.firm <= more.firm
    assert not less.firm
    assert WORDS.index(less.word) <= max(WORDS.index(more.word), WORDS.index("moderate"))


def without(of: Sequence[Entry], lost: str, begin: int) -> Iterator[Entry]:
    """A process, the plan (the witness's), a part of every record, or half a minute of an edge's."""
    gone = {("edge-1", begin + more) for more in range(30)}
    for entry in of:
        second = (entry.wall_ms - of[0].wall_ms) // 1_000
        if entry.who == lost or (lost == "seconds" and (entry.who, second) in gone):
            continue
        if lost in entry.body and entry.kind == "record" and entry.who != "stage-1":
            yield entry._replace(body={name: each for name, each in entry.body.items() if name != lost})
        else:
            yield entry


def test_who_watches_an_evening_sees_no_firm_verdict_of_what_has_not_happened_yet() -> None:
    of = entries("crash", 0)
    until_ms = of[0].wall_ms + 1_000 * (scenario("crash", 0).begin - 2)
    assert judged([entry for entry in of if entry.wall_ms < until_ms]).label == "none"
    assert whole("crash", 0).label == "own"


def test_a_change_that_did_nothing_changes_no_replay() -> None:
    base = replace(scenario("crowd", 4), changes=())
    innocent = replace(base, changes=((50, "deploy", "edge-1"),))
    one, other = judged(Evening(base).entries), judged(Evening(innocent).entries)
    assert other.split.drawn == one.split.drawn
    assert other.label == "demand"
    assert other.split.shares[2].high < PART_MIN


@settings(max_examples=6, deadline=None)
@given(kind=st.sampled_from(KINDS), seed=st.integers(0, 1), every=st.integers(30, 400))
def test_what_is_read_as_it_comes_is_what_is_read_at_once(kind: str, seed: int, every: int) -> None:
    reader = Reader()
    for number, entry in enumerate(entries(kind, seed), 1):
        reader.take(entry)
        if number % every == 0:
            assert reader.evening() == read(entries(kind, seed)[:number])


def test_a_clock_that_is_wrong_moves_nothing_but_its_own_process() -> None:
    wrong = [
        entry._replace(wall_ms=1_000) if entry.who == "edge-1" and entry.kind == "record" else entry
        for entry in entries("crowd", 1)
    ]
    assert read(wrong).seconds == read(entries("crowd", 1)).seconds
    assert {each.name for each in read(wrong).of(Role.EDGE)} == {
        each.name for each in read(entries("crowd", 1)).of(Role.EDGE)
    } - {"edge-1"}
