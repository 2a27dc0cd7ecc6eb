"""The order in the waiting room: by class, then by arrival, with fair turns between networks. Pure.

Everybody has a *tag*, an instant in milliseconds: that of the arrival, or a later one for whoever comes behind many
from the same network (a virtual clock for each /24 or /48, as in start-time fair queueing). A class is served by
tag. As a newcomer's tag is never before now, nobody is overtaken for longer than the tag lies ahead.
"""

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from typing import Final

import msgspec

from rostra.core.limits import CENSUS_BINS_MAX, NETWORKS_MAX, WAITING_PER_WORKER_MAX
from rostra.core.ticket import TicketClass

CLASSES: Final = len(TicketClass)
TOGETHER: Final = 4  # from one network at once, as if each came alone: a family, a few desks of an office
Bin = tuple[int, int, int]  # first tag, last tag, how many
Census = list[list[Bin]]  # for each class


class Turns:
    """Each network's virtual clock; NETWORKS_MAX of them, then the one that was seen longest ago begins anew."""

    def __init__(self) -> None:
        self._clock_ms: dict[str, int] = {}

    def tag(self, network: str, *, now_ms: int, turn_ms: int) -> int:
        """The tag of a newcomer, when each network has a turn every `turn_ms`."""
        clock_ms = max(now_ms, self._clock_ms.pop(network, 0))
        self._clock_ms[network] = clock_ms + turn_ms
        if len(self._clock_ms) > NETWORKS_MAX:
            del self._clock_ms[next(iter(self._clock_ms))]
        return max(now_ms, clock_ms - TOGETHER * turn_ms)


class Waiting(msgspec.Struct, gc=False):
    ticket_class: TicketClass
    tag_ms: int
    network: str
    gone_s: int  # counted until then, unless they ask again


class Line:
    """Those who asked this worker last. Beyond WAITING_PER_WORKER_MAX they keep their place and are not counted."""

    def __init__(self) -> None:
        self._waiting: dict[bytes, Waiting] = {}
        self._order: list[list[tuple[int, bytes]]] = [[] for _ in range(CLASSES)]
        self._gone: defaultdict[int, set[bytes]] = defaultdict(set)
        self._networks: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def networks(self) -> int:
        return len(self._networks)

    def stand(self, listener: bytes, waiting: Waiting) -> None:
        """Count somebody who waits, anew if they did already."""
        self.leave(listener)
        if len(self._waiting) >= WAITING_PER_WORKER_MAX:
            return
        self._waiting[listener] = waiting
        insort(self._order[waiting.ticket_class], (waiting.tag_ms, listener))
        self._gone[waiting.gone_s].add(listener)
        self._networks[waiting.network] += 1

    def leave(self, listener: bytes) -> None:
        """Somebody was let in, or waits elsewhere now."""
        waiting = self._waiting.pop(listener, None)
        if waiting is None:
            return
        order = self._order[waiting.ticket_class]
        del order[bisect_left(order, (waiting.tag_ms, listener))]
        self._gone[waiting.gone_s].discard(listener)
        self._networks[waiting.network] -= 1
        if not self._networks[waiting.network]:
            del self._networks[waiting.network]

    def expire(self, *, now_s: int) -> int:
        """Let go of those who have not asked again in time; how many."""
        over = [gone_s for gone_s in self._gone if gone_s <= now_s]
        listeners = [listener for gone_s in over for listener in self._gone[gone_s]]
        for listener in listeners:
            self.leave(listener)
        for gone_s in over:
            del self._gone[gone_s]
        return len(listeners)

    def ahead(self, ticket_class: TicketClass, tag_ms: int, listener: bytes) -> int:
        """How many stand before somebody with this tag."""
        before = sum(len(order) for order in self._order[:ticket_class])
        return before + bisect_left(self._order[ticket_class], (tag_ms, listener))

    def census(self) -> Census:
        """Who waits, class by class, in CENSUS_BINS_MAX bins at most; exact for as few people."""
        census: Census = []
        for order in self._order:
            step = -(-len(order) // CENSUS_BINS_MAX) or 1
            bins = [order[at : at + step] for at in range(0, len(order), step)]
            census.append([(each[0][0], each[-1][0], len(each)) for each in bins])
        return census
