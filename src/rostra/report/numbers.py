"""Numbers as a careful newspaper prints them: never more digits than are known, and the exact value behind each.

Every number is an HTML `data` or `time` element, whose value is what was found and whose text is that, rounded.
Fractions come in millionths.
"""

from datetime import UTC, datetime
from typing import Final

from babel.dates import format_date, format_time
from babel.numbers import format_decimal
from markupsafe import Markup

LOCALES: Final = {"en": "en_GB", "nl": "nl_NL"}
_PERCENT: Final = 10_000  # millionths
WIDE: Final = 10  # points between two ends: then a step of five is as much as they say
STEP: Final = 5
_FIGURES: Final = 3


class Numbers:
    """Of one language."""

    def __init__(self, language: str) -> None:
        self._locale = LOCALES[language]

    def count(self, value: int) -> Markup:
        """Of people or things: three figures from a thousand on."""
        beyond = max(0, len(str(abs(value))) - _FIGURES)
        return self._data(value, self._decimal(round(value, -beyond)))

    def exact(self, value: int) -> Markup:
        return self._data(value, self._decimal(value))

    def percent(self, value_u: int) -> Markup:
        """What was counted: whole, and one figure below one."""
        return self._data(value_u, self._percent(value_u))

    def whole(self, value_u: int) -> Markup:
        """What a model says: whole percent."""
        return self._data(value_u, self._decimal(round(value_u / _PERCENT)))

    def between(self, low_u: int, high_u: int) -> tuple[Markup, Markup]:
        """Both ends, outwards, in steps that they bear."""
        low, high = ends(low_u, high_u)
        return self._data(low_u, self._decimal(low)), self._data(high_u, self._decimal(high))

    def share(self, value_u: int, low_u: int, high_u: int) -> Markup:
        """What is likeliest, in the same steps as its ends."""
        return self._data(value_u, self._decimal(nearest(value_u, low_u, high_u)))

    def permille(self, value: int) -> Markup:
        """Of thousandths, in percent."""
        return self._data(value, self._percent(value * 1_000))

    def fraction(self, value_u: int) -> Markup:
        """A plain number of two figures."""
        return self._data(value_u, self._decimal(_figures(value_u / 1_000_000, 2)))

    def times(self, permille: int) -> Markup:
        """So many times as many, of thousandths: two figures."""
        value = permille / 1_000
        return self._data(permille, self._decimal(round(value, 1) if value < 10 else _figures(value, 2)))

    def likelier(self, decibans: int) -> Markup:
        """How many times likelier: one figure, since a deciban is a quarter."""
        return self._data(decibans, self._decimal(_figures(10 ** (abs(decibans) / 10), 1)))

    def decibans(self, value: int) -> Markup:
        return self._data(value, f"{value:+d}".replace("-", "\N{MINUS SIGN}") if value else "0")

    def date(self, at_s: int) -> Markup:
        return _time(at_s, format_date(_utc(at_s), "d MMMM yyyy", locale=self._locale))

    def clock(self, at_s: int) -> Markup:
        return _time(at_s, format_time(_utc(at_s), "HH:mm:ss", locale=self._locale))

    def minute(self, at_s: int) -> Markup:
        return _time(at_s, format_time(_utc(at_s), "HH:mm", locale=self._locale))

    def axis(self, value: float) -> str:
        """What stands beside a line of a picture: it was chosen, and not found."""
        return self._decimal(round(value, 3))

    def _percent(self, value_u: int) -> str:
        value = value_u / _PERCENT
        return self._decimal(_figures(value, 1) if 0 < value < 1 else round(value))

    def _decimal(self, value: float) -> str:
        return format_decimal(value, locale=self._locale)

    @staticmethod
    def _data(value: int, text: str) -> Markup:
        return Markup('<data value="{}">{}</data>').format(value, text)


def ends(low_u: int, high_u: int) -> tuple[int, int]:
    """In whole percent: the interval that is printed holds the one that was found."""
    step = step_of(low_u, high_u) * _PERCENT
    return low_u // step * step // _PERCENT, -(-high_u // step) * step // _PERCENT


def nearest(value_u: int, low_u: int, high_u: int) -> int:
    step = step_of(low_u, high_u)
    return round(value_u / (step * _PERCENT)) * step


def step_of(low_u: int, high_u: int) -> int:
    """Points that an interval bears: one, or five if it is wide."""
    return STEP if high_u - low_u >= WIDE * _PERCENT else 1


def _figures(value: float, figures: int) -> float:
    return float(f"{value:.{figures}g}") if value else 0.0


def _utc(at_s: int) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)


def _time(at_s: int, text: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(_utc(at_s).strftime("%Y-%m-%dT%H:%M:%SZ"), text)
