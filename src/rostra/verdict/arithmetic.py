"""Arithmetic that has the same bits everywhere: sums from left to right, and shares as whole millionths.

Everything in this package that is no whole number is a double that was made by + - * /, square roots and
comparisons alone, in a fixed order: IEEE 754 fixes every bit of these, and CPython fuses none. (The built-in `sum`
of doubles is not used: since Python 3.12 it rounds differently. Logarithms are taken of decimals.)
"""

from collections.abc import Iterable
from typing import Final

MILLION: Final = 1_000_000


def added(numbers: Iterable[float]) -> float:
    """The sum, rounded after each number in their order; 0 of none."""
    whole = 0.0
    for number in numbers:
        whole += number
    return whole


def micro(value: float) -> int:
    """Millionths, as everything that is published has fractions."""
    return round(value * MILLION)
