"""How a crowd comes: each shape as the instants at which its listeners come and go. Pure."""

import math
from typing import Annotated, Final

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

Seconds = Annotated[float, Meta(ge=0)]
Span = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1, le=10_000_000)]
Rates = Annotated[tuple[Span, ...], Meta(min_length=1, max_length=50)]
Counts = Annotated[tuple[Count, ...], Meta(min_length=1, max_length=50)]
FOR_EVER: Final = math.inf
_LN2: Final = math.log(2)


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="shape", kw_only=True):
    """All listeners of one crowd; the first comes at `at_s`."""

    at_s: Seconds = 0.0


class Trickle(Shape, frozen=True, tag="trickle"):
    """One after the other, evenly over `over_s`: doors that are open early."""

    listeners: Count
    over_s: Span


class Surge(Shape, frozen=True, tag="surge"):
    """All within `over_s`: the announced instant, if the doors open only then."""

    listeners: Count
    over_s: Span = 1.0


class Famous(Shape, frozen=True, tag="famous"):
    """A link that spreads: every `doubling_s` twice as many have come, until all have after `over_s`."""

    listeners: Count
    over_s: Span
    doubling_s: Span


class Joins(Shape, frozen=True, tag="joins"):
    """Stairs: `rates_hz` come a second, each rate for `step_s`; each listener leaves after `stay_s`."""

    rates_hz: Rates
    step_s: Span = 4.0
    stay_s: Span = 4.0


class Holds(Shape, frozen=True, tag="holds"):
    """Stairs: the smallest of `listeners` for `step_s`, then the next; `rate_hz` come a second between."""

    listeners: Counts
    rate_hz: Span
    step_s: Span = 10.0


Crowd = Trickle | Surge | Famous | Joins | Holds
Times = NDArray[np.float64]


class Step(msgspec.Struct, frozen=True):
    """A part of a crowd at which something is measured: `offered` joins a second, or listeners at once."""

    from_s: float
    until_s: float
    offered: float


def size(crowd: Crowd) -> int:
    match crowd:
        case Joins():
            return sum(round(rate_hz * crowd.step_s) for rate_hz in crowd.rates_hz)
        case Holds():
            return max(crowd.listeners)
        case _:
            return crowd.listeners


def come(crowd: Crowd) -> Times:
    """When each listener comes, in order, in seconds after the beginning."""
    match crowd:
        case Trickle() | Surge():
            return crowd.at_s + np.arange(crowd.listeners, dtype=np.float64) * (crowd.over_s / crowd.listeners)
        case Famous():
            # Of 2^(t/d) - 1 that have come by t, scaled to all at over_s: when is it the n-th one's turn?
            growth = 2 ** (crowd.over_s / crowd.doubling_s) - 1
            number = np.arange(crowd.listeners) / crowd.listeners
            return crowd.at_s + crowd.doubling_s * np.log2(1 + number * growth)
        case Joins():
            parts = [
                step.from_s + np.arange(round(step.offered * crowd.step_s)) / step.offered
                for step in join_steps(crowd)
            ]
            return np.concatenate(parts)
        case Holds():
            parts, before = [], 0
            for step in held_steps(crowd):
                more = round(step.offered) - before
                parts.append(step.from_s - (more - np.arange(more)) / crowd.rate_hz)
                before += more
            return np.concatenate(parts)


def come_by(crowd: Trickle | Surge | Famous, at_s: Times) -> Times:
    """How many have come by each instant: what `come` says, for crowds too large to name everybody."""
    passed = np.clip(at_s - crowd.at_s, 0.0, crowd.over_s)
    if isinstance(crowd, Famous):
        return (
            crowd.listeners
            * np.expm1(passed * _LN2 / crowd.doubling_s)
            / math.expm1(crowd.over_s * _LN2 / crowd.doubling_s)
        )
    return crowd.listeners * passed / crowd.over_s


def leave(crowd: Crowd) -> Times:
    """When each leaves again, in the order of `come`."""
    times = come(crowd)
    return times + crowd.stay_s if isinstance(crowd, Joins) else np.full_like(times, FOR_EVER)


def join_steps(crowd: Crowd) -> tuple[Step, ...]:
    """At which rates a crowd joins: of a shape that is no stairs, its fastest part."""
    at_s = crowd.at_s
    match crowd:
        case Joins():
            spans = [(at_s + n * crowd.step_s, rate_hz) for n, rate_hz in enumerate(crowd.rates_hz)]
            return tuple(Step(from_s, from_s + crowd.step_s, rate_hz) for from_s, rate_hz in spans)
        case Trickle() | Surge():
            return (Step(at_s, at_s + crowd.over_s, crowd.listeners / crowd.over_s),)
        case Famous():
            last_s = min(crowd.doubling_s, crowd.over_s)
            end_s = at_s + crowd.over_s
            counted = int(np.count_nonzero(come(crowd) >= end_s - last_s))
            return (Step(end_s - last_s, end_s, counted / last_s),)
        case Holds():
            return ()


def held_steps(crowd: Crowd) -> tuple[Step, ...]:
    """How many of a crowd are there at once, and when: of a shape that is no stairs, nothing is known before."""
    if not isinstance(crowd, Holds):
        return ()
    steps: list[Step] = []
    at_s, before = crowd.at_s, 0
    for count in sorted(set(crowd.listeners)):
        at_s += (count - before) / crowd.rate_hz
        steps.append(Step(at_s, at_s + crowd.step_s, float(count)))
        at_s, before = at_s + crowd.step_s, count
    return tuple(steps)


def share_of(crowds: tuple[Crowd, ...], *, index: int, of: int) -> tuple[Times, Times]:
    """When the listeners of one process of `of` come and leave: every `of`-th, so that each has the whole shape."""
    times = np.concatenate([come(crowd) for crowd in crowds])
    ends = np.concatenate([leave(crowd) for crowd in crowds])
    order = np.argsort(times, kind="stable")[index::of]
    return times[order], ends[order]


def most_at_once(crowds: tuple[Crowd, ...]) -> int:
    """The most listeners that are there at one moment."""
    times, ends = share_of(crowds, index=0, of=1)
    ends = np.sort(ends)
    return int((np.arange(1, len(times) + 1) - np.searchsorted(ends, times, side="right")).max())
