"""Anybody may replay an evening without a cause, or with another limit."""

import pytest

from evenings import Evening, scenario
from rostra.verdict.evening import read
from rostra.verdict.verdict import judge
from rostra.verdict.what_if import WhatIfError, parse


def replayed(kind: str, question: str) -> float:
    verdict = judge(read(Evening(scenario(kind, 3)).entries), what_if=parse(question), count=8)
    assert verdict.replayed is not None
    return verdict.replayed.harm.value


def test_without_the_attack_nobody_would_have_been_harmed() -> None:
    assert replayed("http_flood", "no-attack") < 0.03
    assert replayed("http_flood", "no-crowd") > 0.1


def test_with_a_higher_limit_nobody_would_have_been_harmed() -> None:
    places = scenario("limit", 3).places
    assert replayed("limit", f"limit={places}") < 0.03
    assert replayed("limit", "limit=10") > 0.5


def test_parts_are_asked_together_in_any_order() -> None:
    assert parse("limit=2800, no-attack").world == parse("no-attack,limit=2800").world
    assert parse("joins_hz=40").cap.joins_hz == 40


@pytest.mark.parametrize(
    "text", ["", "no-one", "limit", "limit=-1", "limit=many", "limit=9999999999", "no-attack=1"]
)
def test_what_cannot_be_asked_is_refused_with_what_can(text: str) -> None:
    with pytest.raises(WhatIfError, match="no-attack"):
        parse(text)
