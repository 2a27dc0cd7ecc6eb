"""P9: what is not here caps what may be said, and who falls silent while others go on tells something."""

import pytest

from rostra.verdict.coverage import Coverage, Unknown


def coverage(share: float, *, told: float | None = None, unknowns: tuple[Unknown, ...] = ()) -> Coverage:
    return Coverage(share, share if told is None else told, unknowns)


@pytest.mark.parametrize(("share", "seen"), [(0.0, False), (0.59, False), (0.6, True), (1.0, True)])
def test_that_nothing_happened_is_said_of_what_was_seen(share: float, *, seen: bool) -> None:
    assert coverage(share).seen == coverage(share).enough == seen


def test_a_fleet_that_fell_silent_while_others_went_on_was_not_seen_and_tells_of_itself() -> None:
    silent = coverage(0.3, told=0.9)
    assert silent.enough
    assert not silent.seen


@pytest.mark.parametrize(
    ("share", "most"),
    [(1.0, "very_strong"), (0.97, "moderate"), (0.8, "moderate"), (0.7, "limited"), (0.3, "none")],
)
def test_less_evidence_speaks_less_loudly(share: float, most: str) -> None:
    assert coverage(share).capped("very_strong") == most
    assert coverage(share).capped("none") == "none"


def test_whatever_is_unknown_keeps_evidence_from_being_complete() -> None:
    known, lacking = coverage(1.0), coverage(1.0, unknowns=(Unknown("no_plan", "", 0),))
    assert known.complete
    assert not lacking.complete
    assert lacking.capped("very_strong") == "moderate"
