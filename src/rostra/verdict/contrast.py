"""Comparisons that a reader can follow: what came first, whom it hit, if more of it harmed more, what healed it.

They are told beside the verdict and do not enter it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rostra.verdict.arithmetic import MILLION
from rostra.verdict.changes import CHANGED_WITHIN_S
from rostra.verdict.counters import BLOCK_S, FIRST, SOUNDS, failed
from rostra.verdict.crowd import Span, block
from rostra.verdict.draws import chances
from rostra.verdict.evening import Evening, Process, Role, total

RESAMPLES: Final = 200
STEP_S: Final = 2  # of the series whose beginnings are compared
HEALED_S: Final = 30  # before and after something was switched
_SWITCHES: Final = ("mitigation", "rollback", "limit", "configuration", "scale")


@dataclass(frozen=True, slots=True)
class Contrast:
    """One comparison: `code` says which, `subject` of what, `numbers` are whole, with their unit in the name."""

    code: str
    subject: str
    numbers: dict[str, int]


def contrasts(evening: Evening, span: Span) -> tuple[Contrast, ...]:
    if span.onset is None:
        return ()
    return (
        *_beginnings(evening, span),
        *_exposed(evening, span),
        *_doses(evening, span),
        *_switched(evening, span),
    )


# --- what came first -----------------------------------------------------------------------------------------


def _beginnings(evening: Evening, span: Span) -> Iterator[Contrast]:
    edges = evening.of(Role.EDGE)
    series: dict[str, Callable[[Process, int, int], int]] = {
        "asked": lambda edge, begin, end: total(edge, FIRST, begin, end),
        "refused": lambda edge, begin, end: edge.counted("answers_4xx", begin, end),
        "unfinished_handshakes": lambda edge, begin, end: edge.counted("syn_cookies_sent", begin, end),
        "failed": failed,
        "told_to_wait": lambda edge, begin, end: edge.counted("told_to_wait", begin, end),
    }
    for name, of in series.items():
        values = []
        for at in range(span.begin, span.end, STEP_S):
            value = 0
            for edge in edges:
                value += of(edge, at, at + STEP_S)
            values.append(value)
        found = beginning(values, name)
        if found is not None:
            at, low, high = (span.begin + STEP_S * each for each in found)
            yield Contrast("began", name, {"at_s": at, "low_s": low, "high_s": high})
    for change in evening.changes:
        if span.begin <= change.at_s < span.end:
            yield Contrast(
                "changed", change.what, {"at_s": change.at_s, "low_s": change.at_s, "high_s": change.at_s}
            )


def beginning(values: Sequence[int], name: str) -> tuple[int, int, int] | None:
    """Where a series goes up, and between what 90 of 100 resamples of both sides put it; None if it does not."""
    at = _rise(values)
    if at is None:
        return None
    resamples = chances(b"began/" + name.encode(), RESAMPLES)
    found = sorted(_rise(_resampled(values, at, chance)) or at for chance in resamples)
    return at, min(at, found[len(found) // 20]), max(at, found[-1 - len(found) // 20])


def _rise(values: Sequence[int]) -> int | None:
    """The step at which the sums of differences from the mean are lowest: before it was less, after it more."""
    count, whole = len(values), sum(values)
    lowest = running = 0
    at = None
    for step, value in enumerate(values):
        if running < lowest:
            lowest, at = running, step
        running += count * value - whole
    if at is None or whole < 10 or lowest * lowest < count * count * whole:
        return None  # less than chance makes of so many
    return at


def _resampled(values: Sequence[int], at: int, chance: Sequence[float]) -> list[int]:
    """The steps before and those after, each turned round by chance: neighbours stay neighbours."""
    first, second = int(chance[0] * at), int(chance[1] * (len(values) - at))
    before, after = list(values[:at]), list(values[at:])
    return before[first:] + before[:first] + after[second:] + after[:second]


# --- whom it hit ---------------------------------------------------------------------------------------------


def _exposed(evening: Evening, span: Span) -> Iterator[Contrast]:
    assert span.onset is not None
    edges = evening.of(Role.EDGE)
    hostile = [edge for edge in edges if _load(evening, edge, span.onset, span.end) > 0.3]
    yield from _difference("attack", hostile, edges, evening, span)
    changed: dict[str, set[str]] = {}  # by what was changed, in the order of the log: the edges on which it was
    for change in evening.changes:
        if span.begin - CHANGED_WITHIN_S <= change.at_s <= span.onset + BLOCK_S:
            changed.setdefault(change.what, set()).add(change.subject)
    for what, names in changed.items():
        yield from _difference(what, [edge for edge in edges if edge.name in names], edges, evening, span)


def _difference(
    subject: str, exposed: Sequence[Process], edges: Sequence[Process], evening: Evening, span: Span
) -> Iterator[Contrast]:
    """Difference in differences: how much more people heard nothing than before, here and elsewhere."""
    others = [edge for edge in edges if edge not in exposed]
    if not exposed or not others:
        return
    assert span.onset is not None
    numbers = {"exposed_edges": len(exposed), "other_edges": len(others)}
    for name, group in (("exposed", exposed), ("other", others)):
        before = _unheard(evening, group, max(0, span.onset - HEALED_S), span.onset)
        after = _unheard(evening, group, span.onset, span.end)
        numbers[f"{name}_more_u"] = after - before
    yield Contrast("difference", subject, numbers)


def _unheard(evening: Evening, edges: Sequence[Process], begin: int, end: int) -> int:
    """Share of people who asked and had no sound in ten seconds, in millionths."""
    asked = in_time = 0.0
    for edge in edges:
        for at in range(begin, end, BLOCK_S):
            each = block(evening, edge, at, min(end, at + BLOCK_S))
            asked += each.people
            in_time += each.in_time
    return round(MILLION * max(0.0, asked - in_time) / asked) if asked >= 1 else 0


def _load(evening: Evening, edge: Process, begin: int, end: int) -> float:
    """Hostile requests for each first attempt of anybody."""
    asked = hostile = 0.0
    for at in range(begin, end, BLOCK_S):
        each = block(evening, edge, at, min(end, at + BLOCK_S))
        asked += each.asked
        hostile += each.hostile + each.refused
    return hostile / max(1.0, asked)


# --- whether more of it harmed more --------------------------------------------------------------------------


def _doses(evening: Evening, span: Span) -> Iterator[Contrast]:
    """Kendall's rank correlation over edges and blocks of ten seconds: pairs that agree less those that do not."""
    doses: dict[str, list[float]] = {"hostile": [], "people": []}
    harms: list[float] = []
    for edge in evening.of(Role.EDGE):
        for at in range(span.begin, min(span.end, span.begin + 40 * BLOCK_S), BLOCK_S):
            each = block(evening, edge, at, at + BLOCK_S)
            if each.watched and total(edge, FIRST, at, at + BLOCK_S) + total(edge, SOUNDS, at, at + BLOCK_S):
                doses["hostile"].append(each.hostile + each.refused)
                doses["people"].append(each.people)
                harms.append(each.people - each.in_time)
    for name, dose in doses.items():
        agree = pairs = 0
        for first in range(len(dose)):
            for second in range(first):
                product = (dose[first] - dose[second]) * (harms[first] - harms[second])
                agree += (product > 0) - (product < 0)
                pairs += 1
        if pairs and any(dose):
            yield Contrast("dose", name, {"correlation_u": MILLION * agree // pairs, "cells": len(dose)})


# --- what healed it ------------------------------------------------------------------------------------------


def _switched(evening: Evening, span: Span) -> Iterator[Contrast]:
    assert span.onset is not None
    edges = evening.of(Role.EDGE)
    for change in evening.changes:
        if change.what in _SWITCHES and span.onset < change.at_s < span.end:
            before = _unheard(evening, edges, max(span.onset, change.at_s - HEALED_S), change.at_s)
            after = _unheard(evening, edges, change.at_s, min(span.end, change.at_s + HEALED_S))
            numbers = {"at_s": change.at_s, "before_u": before, "after_u": after}
            yield Contrast("switched", change.what, numbers)
