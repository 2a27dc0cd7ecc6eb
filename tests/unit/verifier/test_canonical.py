"""Canonical JSON: as the library that others use writes it, and nothing else is taken."""

from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from rostra.verifier.canonical import INTEGER_MAX, canonical, parse_canonical
from rostra.verifier.errors import FlawError

names = st.text(st.characters(max_codepoint=127), max_size=8)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-INTEGER_MAX, INTEGER_MAX) | texts,
    lambda each: st.lists(each, max_size=4) | st.dictionaries(names, each, max_size=4),
    max_leaves=20,
)


@given(values)
def test_it_is_written_as_rfc_8785_has_it_and_read_back(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)
    assert parse_canonical(canonical(value)) == value


@pytest.mark.parametrize(
    "data",
    [
        b"1.5", b"1e3", b"NaN", b"-0", b"01", b'{"b":1,"a":2}', b'{"a":1,"a":1}', b'{"a": 1}', b'"\\u0041"',
        b"\xff",
        b"", b"[" * 100_000, b"9007199254740992", b'"\\ud800"', b"1" * 5_000, '{"é":1}'.encode(),
    ],
)  # fmt: skip
def test_what_is_written_otherwise_is_a_flaw(data: bytes) -> None:
    with pytest.raises(FlawError):
        parse_canonical(data)


@pytest.mark.parametrize("value", [1.5, {1: 2}, {"é": 1}, INTEGER_MAX + 1, b"bytes", "\ud800", object()])
def test_what_evidence_must_not_hold_is_refused(value: Any) -> None:
    with pytest.raises(FlawError):
        canonical(value)


def test_nesting_has_an_end() -> None:
    value: Any = 1
    for _ in range(40):
        value = [value]
    with pytest.raises(FlawError, match="nested"):
        canonical(value)
