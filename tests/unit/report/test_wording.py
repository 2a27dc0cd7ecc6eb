"""Every code of a verdict has words in both languages; numbers are rounded as far as they are known."""

import ast
import re
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra import verdict
from rostra.core.claims import CLAIMS
from rostra.evidence.change import WHATS
from rostra.report.numbers import ends, nearest
from rostra.report.story import phrase_of
from rostra.report.wording import LANGUAGES, PHRASES, Wording
from rostra.verdict.draws import Draw
from rostra.verdict.likelihood import CLASSES, NONE, NOTHING, PRIORS, WORDS
from rostra.verdict.replay import NAMES
from rostra.verdict.signals import CATEGORIES
from rostra.verdict.verdict import UNDETERMINED

LABELS = (*NAMES, NONE, UNDETERMINED, "mixture")
OF_VERDICT = (
    *(f"label.{each}" for each in LABELS),
    *(f"likely.{each}" for each in (*NAMES, "mixture")),
    *(f"{kind}.{each}" for each in NAMES for kind in ("cause", "short", "without")),
    *(f"claim.{each}" for each in CLAIMS),
    *(f"class.{each}" for each in (*CLASSES, NOTHING)),
    *(f"strength.{each}" for each in WORDS),
    *(f"prior.{each}" for each in PRIORS),
    *(f"group.{each}" for each in CATEGORIES),
    *(f"signal.{group}.{each}" for group, names in CATEGORIES.items() for each in names),
    *(f"change.{each}" for each in WHATS),
    *(f"draw.{each}" for each in Draw._fields),
)


def said_by(module: str, called: str) -> set[str]:
    """The first argument of each call of `called`, where it is a text."""
    tree = ast.parse((Path(verdict.__path__[0]) / module).read_text("utf-8"))
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args)
    named = (node for node in calls if isinstance(node.func, ast.Name) and node.func.id == called)
    return {node.args[0].value for node in named if isinstance(node.args[0], ast.Constant)}  # type: ignore[misc]


def test_every_code_of_the_verdict_is_worded() -> None:
    unknowns, contrasts = said_by("coverage.py", "Unknown"), said_by("contrast.py", "Contrast")
    assert len(unknowns) >= 6
    assert len(contrasts) >= 4
    found = [*OF_VERDICT, *(f"unknown.{each}" for each in unknowns), *(f"contrast.{each}" for each in contrasts)]
    assert [each for each in found if each not in PHRASES] == []


@pytest.mark.parametrize("firm", [True, False])
@pytest.mark.parametrize("absorbed", [True, False])
def test_what_a_verdict_is_called_has_words_and_says_probably_where_it_is_not_firm(
    *, firm: bool, absorbed: bool
) -> None:
    called = {label: phrase_of(label, firm=firm, absorbed=absorbed) for label in LABELS}
    assert set(called.values()) <= set(PHRASES)
    sure = {label for label, phrase in called.items() if not phrase.startswith("likely.")}
    assert sure == (set(LABELS) if firm else {NONE, UNDETERMINED})


def test_both_languages_take_the_same_numbers() -> None:
    for phrase, both in PHRASES.items():
        english, dutch = ({field for _, field, _, _ in Formatter().parse(text) if field} for text in both)
        assert english == dutch, phrase


def test_no_phrase_has_a_number_of_its_own() -> None:
    for phrase, both in PHRASES.items():
        assert not re.search(r"[\d<]", "".join(both)), phrase


def test_what_a_log_may_say_and_we_have_no_word_for_is_told_as_it_is() -> None:
    assert Wording("en").name("change", "<b>new</b>") == "&lt;b&gt;new&lt;/b&gt;"


@given(st.tuples(*[st.integers(0, 1_000_000)] * 3).map(sorted))
def test_a_printed_interval_holds_the_one_that_was_found(found: list[int]) -> None:
    low_u, value_u, high_u = found
    low, high = ends(low_u, high_u)
    assert low * 10_000 <= low_u
    assert high * 10_000 >= high_u
    assert low <= nearest(value_u, low_u, high_u) <= high
    assert high - low <= (high_u - low_u) / 10_000 + 10


@pytest.mark.parametrize(
    ("language", "texts"), [("en", ("11,600", "87", "0.2", "8")), ("nl", ("11.600", "87", "0,2", "8"))]
)
def test_numbers_are_as_the_language_has_them(language: str, texts: tuple[str, ...]) -> None:
    numbers = Wording(language).numbers
    found = (numbers.count(11_603), numbers.percent(868_138), numbers.percent(1_904), numbers.likelier(-9))
    assert tuple(each.striptags() for each in found) == texts
    assert len(LANGUAGES) == 2
