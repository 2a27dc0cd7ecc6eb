"""The pictures, as inline SVG: the evening over time, an edge in small, an interval, a bar."""

import math
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from markupsafe import Markup

from rostra.report.course import Course, EdgeCourse
from rostra.report.wording import Wording

WIDTH: Final = 760
_LEFT: Final = 46
_RIGHT: Final = 10
_MARKS: Final = 46  # for the pins and names above the curves
_GAP: Final = 26  # between panels, with a title in it
_TICKS: Final = 8
_STEPS_S: Final = (10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200)
_MINUTE_S: Final = 60


class Pin(NamedTuple):
    """A numbered mark; `said` if it is what somebody said."""

    number: int
    at_s: int
    said: bool


class Curve(NamedTuple):
    """Values of the columns; an area if `look` begins with `a-`."""

    name: str
    look: str
    values: Sequence[float]


def timeline(course: Course, pins: Iterable[Pin], words: Wording) -> Markup:
    """Three panels over one axis of time, with what was done and said above them."""
    whole, rate = course.whole, course.rate
    panels = [
        ("people", 130, [
            Curve("heard", "a-heard", [rate(each.in_time) for each in whole]),
            Curve("asked", "line", [rate(each.people) for each in whole]),
        ]),
        ("waiting", 62, [Curve("waiting", "a-waiting", [float(each.waiting) for each in whole])]),
        ("requests", 76, [
            Curve("refused", "line l-own dash", [rate(each.refused) for each in whole]),
            Curve("hostile", "line l-attack", [rate(each.hostile) for each in whole]),
        ]),
    ]  # fmt: skip
    frame = _Frame(course)
    drawn, top = [], _MARKS
    for title, height, curves in panels:
        top += _GAP
        drawn.append(_panel(frame, words, title, top, height, curves))
        top += height
    height = top + 22
    drawn.append(_axis(frame, words, top))
    return Markup(
        '<div class="wide" role="region" tabindex="0" aria-label="{alt}">'
        '<svg viewBox="0 0 {width} {height}" role="img" aria-label="{alt}">{marks}{drawn}</svg></div>'
    ).format(
        alt=words("timeline.alt"),
        width=WIDTH,
        height=height,
        marks=_marks(frame, words, pins, top),
        drawn=Markup("").join(drawn),
    )


class _Frame:
    """Seconds of the evening as places on the paper."""

    def __init__(self, course: Course) -> None:
        self.course = course
        self.span = len(course.whole) * course.step_s

    def x(self, second: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (second - self.course.begin) / self.span

    def column(self, at: int) -> float:
        return self.x(self.course.begin + at * self.course.step_s)

    def holds(self, second: int) -> bool:
        return self.course.begin <= second <= self.course.begin + self.span


def _panel(frame: _Frame, words: Wording, title: str, top: int, height: int, curves: Sequence[Curve]) -> Markup:
    most = max((value for curve in curves for value in curve.values), default=0.0)
    step = _step(most, 3)
    ceiling = max(step, math.ceil(most / step) * step)
    drawn = [
        Markup('<text class="strong" x="{}" y="{}">{}</text>').format(_LEFT, top - 8, words(f"axis.{title}")),
        _legend(words, curves, top - 8),
    ]
    for n in range(round(ceiling / step) + 1):
        y = top + height * (1 - n * step / ceiling)
        drawn.append(Markup('<path class="grid" d="M{:.1f} {:.1f}H{}"/>').format(_LEFT, y, WIDTH - _RIGHT))
        label = words.numbers.axis(n * step)
        drawn.append(Markup('<text x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(_LEFT - 6, y + 4, label))
    drawn += [_curve(frame, curve, top, height, ceiling) for curve in curves]
    return Markup("").join(drawn)


def _curve(frame: _Frame, curve: Curve, top: int, height: int, ceiling: float) -> Markup:
    points = []
    for at, value in enumerate(curve.values):  # a column holds from its begin to its end: a staircase
        y = top + height * (1 - value / ceiling)
        points.append(f"{frame.column(at):.1f} {y:.1f}H{frame.column(at + 1):.1f}")
    path = "M" + "L".join(points)
    if curve.look.startswith("a-"):
        path += f"V{top + height}H{_LEFT}Z"
    return Markup('<path class="{}" d="{}"/>').format(curve.look, path)


def _legend(words: Wording, curves: Sequence[Curve], y: int) -> Markup:
    """From the right, the last curve first."""
    drawn, x = [], float(WIDTH - _RIGHT)
    for curve in reversed(curves):
        name = words(curve.name)
        drawn.append(Markup('<text x="{:.0f}" y="{}" text-anchor="end">{}</text>').format(x, y, name))
        x -= 6.2 * len(name) + 8
        shape = '<path class="{}" d="M{:.0f} {}h-16"/>'
        if curve.look.startswith("a-"):
            shape = '<path class="{}" d="M{:.0f} {}m0 4h-16v-9h16z"/>'
        drawn.append(Markup(shape).format(curve.look, x, y - 4))  # noqa: S704 # one of the two above
        x -= 34
    return Markup("").join(drawn)


def _axis(frame: _Frame, words: Wording, top: int) -> Markup:
    course = frame.course
    step = next((each for each in _STEPS_S if frame.span / each <= _TICKS), _STEPS_S[-1])
    first = -(-(course.began_s + course.begin) // step) * step
    drawn = []
    for at in range(first, course.began_s + course.begin + frame.span + 1, step):
        x = frame.x(at - course.began_s)
        text = words.numbers.clock(at) if step < _MINUTE_S else words.numbers.minute(at)
        drawn.append(Markup('<path class="grid" d="M{:.1f} {}v5"/>').format(x, top))
        anchor = "end" if x > WIDTH - _LEFT else "middle"  # the last one stays on the paper
        label = Markup('<text x="{:.1f}" y="{}" text-anchor="{}">{}</text>')
        drawn.append(label.format(x, top + 17, anchor, text.striptags()))
    return Markup("").join(drawn)


def _marks(frame: _Frame, words: Wording, pins: Iterable[Pin], bottom: int) -> Markup:
    """Doors, start and the begin of the harm as lines with names; what was changed and said as numbered pins."""
    course = frame.course
    drawn, free = [], 0.0
    lines = [("doors", course.doors), ("start", course.starts)]
    lines += [] if course.onset is None else [("onset", course.onset)]
    for name, second in sorted(lines, key=lambda each: each[1]):
        if frame.holds(second):
            x = frame.x(second)
            look = "mark m-onset" if name == "onset" else "mark"
            drawn.append(Markup('<path class="{}" d="M{:.1f} 16V{}"/>').format(look, x, bottom))
            text = words(name)
            width = 6.8 * len(text)
            left = min(max(free, x - width / 2), WIDTH - _RIGHT - width)
            drawn.append(Markup('<text class="strong" x="{:.1f}" y="11">{}</text>').format(left, text))
            free = left + width + 10
    right = 0.0
    for pin in sorted(pins, key=lambda each: each.at_s):
        x = max(frame.x(pin.at_s), right)
        right = x + 15
        look = "pin said" if pin.said else "pin"
        drawn.append(Markup('<circle class="{}" cx="{:.1f}" cy="32" r="7"/>').format(look, x))
        drawn.append(
            Markup('<text class="pin-text" x="{:.1f}" y="35.4" text-anchor="middle">{}</text>').format(
                x, pin.number
            )
        )
    return Markup("").join(drawn)


# --- small ones ----------------------------------------------------------------------------------------------


def edge(course: EdgeCourse, most: float) -> Markup:
    """Asked as a line, heard in time as an area: all edges on the same scale."""
    columns = max(1, len(course.cells))
    ceiling = most or 1.0

    def stairs(values: Sequence[float]) -> str:
        steps = (f"{100 * at / columns:.2f} {40 - 38 * value / ceiling:.2f}H{100 * (at + 1) / columns:.2f}"
                 for at, value in enumerate(values))  # fmt: skip
        return "M" + "L".join(steps)

    asked = stairs([each.people for each in course.cells])
    heard = stairs([min(each.people, each.in_time) for each in course.cells])
    return Markup(
        '<svg viewBox="0 0 100 40" preserveAspectRatio="none" aria-hidden="true">'
        '<path class="a-missed" d="{0}V40H0Z"/>'
        '<path class="a-heard" d="{1}V40H0Z"/><path class="line" vector-effect="non-scaling-stroke" d="{0}"/></svg>'
    ).format(asked, heard)


def interval(look: str, value_u: int, low_u: int, high_u: int) -> Markup:
    """A range on a line from nought to all, with a stroke at what is likeliest."""
    low, high, at = (each / 10_000 for each in (low_u, high_u, value_u))
    return Markup(
        '<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" y="4" width="100" height="2"/>'
        '<rect class="{}" x="{:.2f}" y="1" width="{:.2f}" height="8"/>'
        '<rect class="at" x="{:.2f}" width=".7" height="10"/></svg>'
    ).format(look, min(low, 99), max(1.0, high - low), min(99.3, max(0.0, at - 0.35)))


def bar(value_u: int) -> Markup:
    return Markup(
        '<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="track" y="4" width="100" height="2"/><rect class="harm" width="{:.2f}" height="10"/></svg>'
    ).format(value_u / 10_000)


def _step(most: float, count: int) -> float:
    """A round step that makes up to `count` of them; one if there is nothing."""
    if most <= 0:
        return 1.0
    power = math.pow(10, math.floor(math.log10(most / count)))
    return next(factor * power for factor in (1, 2, 5, 10, 20) if most / (factor * power) <= count)
