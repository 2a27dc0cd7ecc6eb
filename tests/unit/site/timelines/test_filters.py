"""Which words a filter meets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.site.database.tables.graph import Filter, FilterKeyword, FilterStatus
from rostra.site.timelines.filters import WholeFilter, hides, match


def a_filter(*keywords: str, whole_word: bool = True, action: str = "warn", status_id: int = 0) -> WholeFilter:
    return WholeFilter(
        Filter(id=1, contexts=["home"], action=action),
        [FilterKeyword(id=number, keyword=each, whole_word=whole_word) for number, each in enumerate(keywords)],
        [FilterStatus(id=1, status_id=status_id)],
    )


@pytest.mark.parametrize(
    ("keyword", "whole_word", "text", "meets"),
    [
        ("cat", True, "a CAT!", True),
        ("cat", True, "concatenate", False),
        ("cat", False, "concatenate", True),
        ("#cat", True, "a #cat", True),
        ("#cat", True, "a #cats", False),
        ("c++", True, "I like c++ and c", True),
        (".*", False, "anything", False),
        ("één", True, "ÉÉN keer", True),
    ],
)
def test_words_are_met_as_they_are_written(keyword: str, whole_word: bool, text: str, meets: bool) -> None:  # noqa: FBT001
    assert bool(match([a_filter(keyword, whole_word=whole_word)], 5, text)) is meets


def test_a_post_that_is_listed_is_met_whatever_it_says() -> None:
    (matched,) = match([a_filter("cat", status_id=5)], 5, "dog")
    assert (matched.keywords, matched.status_id) == ([], 5)
    assert not hides([matched], "home")
    assert hides(match([a_filter(action="hide", status_id=5)], 5, ""), "home")
    assert not hides(match([a_filter(action="hide", status_id=5)], 5, ""), "public")


@given(st.text(min_size=1, max_size=20), st.text(max_size=50))
def test_any_keyword_is_found_in_a_text_that_holds_it(keyword: str, text: str) -> None:
    assert match([a_filter(keyword, whole_word=False)], 5, text + keyword)
