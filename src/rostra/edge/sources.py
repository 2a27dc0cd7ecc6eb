"""Which networks asked in the last minute, and how unlike a crowd that is. Nothing that is told names one. Pure.

Exact, in a bounded table, and each second costs what came and went in it: nothing that grows is ever listed.
"""

import hmac
import math
from collections import deque
from collections.abc import Callable, Iterator
from hashlib import sha256
from itertools import islice
from typing import Final

from rostra.core.limits import SOURCES_MAX
from rostra.core.shield import Prefix
from rostra.verifier.canonical import Json

WINDOW_S: Final = 60
FAMILIAR_AFTER_S: Final = 600  # whoever was here before that did not come with what has just begun
TOP: Final = 16
TOP_SOURCES_MIN: Final = 20  # among fewer, a hash is a person (docs/adr/0018)
KEY_LIFETIME_S: Final = 86_400
_MILLION: Final = 1_000_000


class Sources:
    """`new_key` gives secret bytes; the key never leaves this object, and is gone with the evening."""

    def __init__(self, new_key: Callable[[], bytes]) -> None:
        self._new_key = new_key
        self._key = new_key()
        self._key_s = 0.0
        self._seconds: deque[dict[Prefix, int]] = deque()
        self._counts: dict[Prefix, int] = {}
        self._having: dict[int, set[Prefix]] = {}  # who asked so often
        self._familiar: set[Prefix] = set()
        self._v4 = 0
        self._total = 0
        self.untold = 0  # networks that did not fit

    def second(self, asked: dict[Prefix, int], *, on_air: bool, now_s: float) -> None:
        """What each network asked in the second that is over. Keys last as long as something is on the air."""
        if not on_air or now_s - self._key_s >= KEY_LIFETIME_S:
            self._key, self._key_s = self._new_key(), now_s
        fitting: dict[Prefix, int] = {}
        for network, count in asked.items():
            if network in self._counts or len(self._counts) < SOURCES_MAX:
                fitting[network] = count
                self._add(network, count, now_s)
            else:
                self.untold += 1
        self._seconds.append(fitting)
        if len(self._seconds) > WINDOW_S:
            for network, count in self._seconds.popleft().items():
                self._add(network, -count, now_s)

    def _add(self, network: Prefix, count: int, now_s: float) -> None:
        before = self._counts.get(network, 0)
        after = before + count
        self._total += count
        if before:
            having = self._having[before]
            having.discard(network)
            if not having:
                del self._having[before]
        else:
            self._v4 += ":" not in network.name
            if network.since_s <= now_s - FAMILIAR_AFTER_S:
                self._familiar.add(network)
        if after:
            self._counts[network] = after
            self._having.setdefault(after, set()).add(network)
        else:
            del self._counts[network]
            self._familiar.discard(network)
            self._v4 -= ":" not in network.name

    def told(self) -> dict[str, Json]:
        """Shares in millionths; of nobody there are none."""
        networks = len(self._counts)
        told: dict[str, Json] = {
            "networks_v4": self._v4,
            "networks_v6": networks - self._v4,
            "networks_untold": self.untold,
        }
        if networks:
            told["familiar_u"] = round(len(self._familiar) * _MILLION / networks)
            told["entropy_u"] = round(self._entropy() * _MILLION)
        if networks >= TOP_SOURCES_MIN:
            told["top"] = [[self._keyed(network.name), count] for network, count in islice(self._ranked(), TOP)]
        return told

    def _entropy(self) -> float:
        """Of the requests over the networks, 1 if all ask equally often (Shannon, normalised)."""
        if len(self._counts) < 2:
            return 0.0
        weighted = sum(len(having) * count * math.log2(count) for count, having in self._having.items())
        return (math.log2(self._total) - weighted / self._total) / math.log2(len(self._counts))

    def requests(self, hundredth: int) -> int:
        """How often a network asked in the last minute, if so many hundredths of them asked no oftener."""
        left = max(1, math.ceil(len(self._counts) * hundredth / 100))
        for count in sorted(self._having):
            left -= len(self._having[count])
            if left <= 0:
                return count
        return 0

    def _ranked(self) -> Iterator[tuple[Prefix, int]]:
        for count in sorted(self._having, reverse=True):
            for network in self._having[count]:
                yield network, count

    def _keyed(self, name: str) -> str:
        return hmac.digest(self._key, name.encode(), sha256)[:8].hex()
