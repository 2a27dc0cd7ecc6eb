"""The Universal Scalability Law: what a system serves of what it is offered, fitted to measured points. Pure."""

import math
from collections.abc import Sequence
from itertools import combinations
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from rostra.core.errors import BadInputError

POINTS_MIN: Final = 3  # the law has three parameters
SERVED_MIN: Final = 0.99  # of what was offered: less, and somebody waits who would not have to


class Point(msgspec.Struct, frozen=True):
    """What was offered, what was served of it, over how many seconds, and how long the slowest percent waited."""

    offered: float
    served: float
    seconds: float
    wait_p99_ms: float | None = None

    @property
    def holds(self) -> bool:
        return self.served >= SERVED_MIN * self.offered


class Law(msgspec.Struct, frozen=True):
    """served(n) = rate·n / (1 + contention·(n-1) + coherence·n·(n-1))  (Gunther 1993).

    `residuals` are (measured - fitted) / measured, in the order of the points.
    """

    rate: float
    contention: float
    coherence: float
    residuals: tuple[float, ...]
    residual_rms: float

    def served(self, offered: NDArray[np.float64]) -> NDArray[np.float64]:
        slowed = 1 + self.contention * (offered - 1) + self.coherence * offered * (offered - 1)
        return self.rate * offered / slowed

    @property
    def peak(self) -> float | None:
        """The load beyond which more is served less; None if the points show no such."""
        return math.sqrt((1 - self.contention) / self.coherence) if self.coherence > 0 else None


def fit(points: Sequence[Point]) -> Law:
    """Least squares on n/served(n), which is linear in the parameters; errors count relative to what was served.

    BadInputError for fewer than three different loads: any curve fits two.
    """
    used = [point for point in points if point.offered > 0 and point.served > 0]
    if len({point.offered for point in used}) < POINTS_MIN:
        raise BadInputError(f"A law needs {POINTS_MIN} different loads at which something was served.")
    offered = np.array([point.offered for point in used])
    served = np.array([point.served for point in used])
    # served(n) near the fit: d(served)/served = -d(n/served)/(n/served), so this weight makes errors relative.
    weight = served / offered
    columns = np.stack([np.ones_like(offered), offered - 1, offered * (offered - 1)], axis=1) * weight[:, None]
    scale = np.abs(columns).max(axis=0).clip(min=1e-300)
    terms = _not_negative(columns / scale, np.ones_like(offered)) / scale
    rate, contention, coherence = 1 / terms[0], terms[1] / terms[0], terms[2] / terms[0]
    law = Law(float(rate), float(contention), float(coherence), (), 0.0)
    residuals = (served - law.served(offered)) / served
    return msgspec.structs.replace(
        law,
        residuals=tuple(round(float(each), 4) for each in residuals),
        residual_rms=round(float(np.sqrt(np.mean(residuals**2))), 4),
    )


def _not_negative(columns: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """The best solution without a negative parameter: of so few, every choice of those that are zero is tried."""
    best, best_error = np.array([1.0, 0.0, 0.0]), math.inf
    for kept in (subset for size in (1, 2, 3) for subset in combinations(range(3), size) if 0 in subset):
        part, *_ = np.linalg.lstsq(columns[:, kept], target, rcond=None)
        error = float(np.sum((columns[:, kept] @ part - target) ** 2))
        if part[0] > 0 and (part >= 0).all() and error < best_error:
            best, best_error = np.zeros(3), error
            best[list(kept)] = part
    return best


def holds(points: Sequence[Point]) -> float:
    """The largest load that was served, as were all smaller ones; 0 if none was."""
    largest = 0.0
    for point in sorted(points, key=lambda point: point.offered):
        if not point.holds:
            break
        largest = point.offered
    return largest


def beyond_knee(points: Sequence[Point]) -> bool:
    """Whether the largest load was more than could be served: only then the limit is known, else it is a floor."""
    return bool(points) and not max(points, key=lambda point: point.offered).holds
