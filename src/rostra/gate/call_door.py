"""Who may call: the decision about each INVITE and each wrong PIN, before either costs anything. Pure.

A flood of calls is answered 503 and 486 with the time to come back (RFC 3261 §21.5.4, §20.33), or not at all; those
who are talking are never traded for it. Times are seconds of any steady clock.
"""

from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import Final

from rostra.core.limits import (
    CALL_BURST_MAX,
    CALL_SOURCES_MAX,
    CALLS_MAX,
    CALLS_PER_SECOND_MAX,
    CALLS_PER_SOURCE_MAX,
    CALLS_PER_SOURCE_PER_MINUTE_MAX,
    WRONG_PINS_PER_HOUR_MAX,
)

BUSY: Final = 486  # RFC 3261 §21.4.24: this caller has enough calls
UNAVAILABLE: Final = 503  # §21.5.4: this gate has enough calls
_MINUTE_S: Final = 60.0
_HOUR_S: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class Refused:
    """The SIP status of the refusal, and after how many seconds to try again."""

    status: int
    retry_after_s: int


class Bucket:
    """A token bucket: `burst` at once, `rate` a second in the long run."""

    def __init__(self, *, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at_s: float | None = None

    def take(self, *, now_s: float) -> bool:
        """Whether there was a token."""
        if not self.has_some(now_s=now_s):
            return False
        self._tokens -= 1
        return True

    def has_some(self, *, now_s: float) -> bool:
        since_s = 0.0 if self._at_s is None else now_s - self._at_s
        self._tokens = min(self._burst, self._tokens + max(0.0, since_s) * self._rate)
        self._at_s = now_s
        return self._tokens >= 1


class CallDoor:
    """Counts calls by source: an address, or behind a trunk the caller's number.

    At most CALL_SOURCES_MAX sources are remembered; then the one that has been quiet longest is forgotten.
    """

    def __init__(self) -> None:
        self._calls: Counter[str] = Counter()
        self._all = Bucket(rate=CALLS_PER_SECOND_MAX, burst=CALL_BURST_MAX)
        self._by_source: OrderedDict[str, Bucket] = OrderedDict()
        self._wrong: OrderedDict[str, Bucket] = OrderedDict()

    @property
    def calls(self) -> int:
        return self._calls.total()

    def admit(self, source: str, *, now_s: float) -> Refused | None:
        """Why a call of `source` is refused; None if it is admitted, and then it counts until `left`."""
        if self.calls >= CALLS_MAX:
            return Refused(UNAVAILABLE, 60)
        if self._calls[source] >= CALLS_PER_SOURCE_MAX:
            return Refused(BUSY, 60)
        per_minute = CALLS_PER_SOURCE_PER_MINUTE_MAX
        own = _remembered(self._by_source, source, Bucket(rate=per_minute / _MINUTE_S, burst=per_minute))
        if not own.take(now_s=now_s):
            return Refused(BUSY, 60)
        if not self._all.take(now_s=now_s):
            return Refused(UNAVAILABLE, 5)
        self._calls[source] += 1
        return None

    def left(self, source: str) -> None:
        """A call of `source` that was admitted is over."""
        self._calls[source] -= 1
        if self._calls[source] <= 0:
            del self._calls[source]

    def may_try_pins(self, source: str, *, now_s: float) -> bool:
        """Whether a PIN of `source` is looked at; if not, the right one is wrong too."""
        return self._wrong_pins(source).has_some(now_s=now_s)

    def wrong_pin(self, source: str, *, now_s: float) -> None:
        self._wrong_pins(source).take(now_s=now_s)

    def _wrong_pins(self, source: str) -> Bucket:
        per_hour = WRONG_PINS_PER_HOUR_MAX
        return _remembered(self._wrong, source, Bucket(rate=per_hour / _HOUR_S, burst=per_hour))


def _remembered(buckets: OrderedDict[str, Bucket], source: str, new: Bucket) -> Bucket:
    bucket = buckets.setdefault(source, new)
    buckets.move_to_end(source)
    if len(buckets) > CALL_SOURCES_MAX:
        buckets.popitem(last=False)
    return bucket
