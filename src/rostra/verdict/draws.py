"""The parameters that nobody measured, drawn from published ranges: the same draws on every machine.

Chance is SHA-256 of a counter.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Final, NamedTuple

from rostra.verdict.arithmetic import micro

DRAWS: Final = 1_000
_SEED: Final = b"rostra-verdict/v1/"
_UNIT: Final = 1 << 32


class Draw(NamedTuple):
    """One way in which the evening may have been."""

    capacity: float  # what an edge bears, of what was rehearsed
    unknown_capacity: float  # and where nothing was: of what it was seen to bear
    retry_hz: float  # how often somebody who hears nothing asks again
    patience_hz: float  # how soon somebody goes for good
    refusal_cost: float  # of a request that is refused, in joins
    hostile: float  # of the load that looks hostile
    intent: float  # how much of that was meant so, where sources do not say
    unseen: float  # of those who cannot have been seen, how many were there


# Lowest and highest of each. Capacity: rehearsals repeat to 8 %. Retries: a player asks again after 2 to 20 s.
# Patience: half have gone after 35 s at the earliest. Refusals: a request parsed is a fifth of a join, TLS is all.
_LOWEST: Final = Draw(0.92, 1.0, 0.05, 0.0, 0.2, 0.8, 0.0, 0.0)
_HIGHEST: Final = Draw(1.08, 3.0, 0.5, 0.02, 1.0, 1.2, 1.0, 1.0)
CENTRAL: Final = Draw(*((low + high) / 2 for low, high in zip(_LOWEST, _HIGHEST, strict=True)))


def chances(purpose: bytes, count: int) -> Iterator[tuple[float, ...]]:
    """For each of `count`: eight numbers from 0 to below 1, each a multiple of 2^-32."""
    for number in range(count):
        digest = sha256(_SEED + purpose + b"/%d" % number).digest()
        yield tuple(int.from_bytes(digest[at : at + 4], "big") / _UNIT for at in range(0, 32, 4))


def draws(count: int = DRAWS) -> Iterator[Draw]:
    for chance in chances(b"draws", count):
        yield Draw(*(low + (high - low) * each for low, high, each in zip(_LOWEST, _HIGHEST, chance, strict=True)))


def published() -> dict[str, list[int]]:
    """The ranges, in millionths, as the pre-registration has them."""
    pairs = zip(Draw._fields, _LOWEST, _HIGHEST, strict=True)
    return {name: [micro(low), micro(high)] for name, low, high in pairs}
