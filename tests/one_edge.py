"""Evenings of one edge, of which each second says what was counted in it."""

from collections.abc import Callable, Iterator
from typing import Any

from rostra.verdict.evening import read
from rostra.verdict.verdict import Verdict, judge
from rostra.verifier.entry import Entry

BEGAN_S = 1_700_000_000
SECONDS = 180
Counts = dict[str, dict[str, int]]


def evening(
    second: Callable[[int], Counts | None] | None = None,
    *,
    capacity: dict[str, int] | None = None,
    changes: dict[int, str] | None = None,
    claims: str = "",
    seconds: int = SECONDS,
) -> Verdict:
    """One edge, of which is known what `second` says was counted in each second; None: it was dead."""
    return judge(read(list(entries(second, capacity, changes or {}, claims, seconds))), count=20)


def entries(
    second: Callable[[int], Counts | None] | None,
    capacity: dict[str, int] | None,
    changes: dict[int, str],
    claims: str,
    seconds: int,
) -> Iterator[Entry]:
    def entry(who: str, kind: str, at: int, body: dict[str, Any], *, run: int = 0) -> Entry:
        return Entry(who, BEGAN_S * 1_000 + run, at, "", kind, (BEGAN_S + at) * 1_000, at * 1_000, body)

    yield entry("witness", "opened", 0, {"conversation": "anchor"})
    if capacity is not None:
        yield entry("witness", "registered_plan", 0, {"capacity": {"edge": capacity}})
    if claims:
        yield entry("host", "change", 5, {"what": "statement", "claims": claims, "text": claims})
    totals: Counts = {"did": {}, "has": {}, "now": {}}
    run = 0
    for at in range(seconds):
        if at in changes:
            yield entry("operator", "change", at, {"what": changes[at], "subject": "edge"})
        counted = second(at) if second is not None else None
        if counted is None:
            totals, run = {"did": {}, "has": {}, "now": {}}, 1_000 * at
            continue
        for part, counts in counted.items():
            for name, count in counts.items():
                totals[part][name] = count + (0 if part == "now" else totals[part].get(name, 0))
        yield entry("edge", "record", at, {part: dict(counts) for part, counts in totals.items()}, run=run)


def people(asked: int, heard: int, **more: int) -> dict[str, int]:
    return {
        "asked_first_anonymous": asked, "sound_within_1000_ms": heard, "admitted": heard, "accepts": asked,
        "answers_2xx": asked, "answers_4xx": 0, "answers_5xx": 0, "asked_again": 0, **more,
    }  # fmt: skip
