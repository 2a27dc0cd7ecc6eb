"""P9: what a process says it did must fit what else it says."""

import pytest

from rostra.verifier.checks.physics import Reading, parts_are_parts


@pytest.mark.parametrize(
    ("part", "whole"),
    [("admitted_plain", "admitted"), ("asked_again_unproven", "asked_again"), ("interrupted", "resumed")],
)
def test_a_part_is_no_more_than_the_whole(part: str, whole: str) -> None:
    first = Reading(0, {}, {}, {})
    assert parts_are_parts(first, Reading(0, {part: 3, whole: 3}, {}, {})) is None
    assert part in (parts_are_parts(first, Reading(0, {part: 4, whole: 3}, {}, {})) or "")
    assert parts_are_parts(first, Reading(0, {part: 4}, {}, {})) is None, "of what is not known nothing is said"
