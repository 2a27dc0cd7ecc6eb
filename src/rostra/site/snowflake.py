"""Ids as Mastodon's: 48 bits of milliseconds since the epoch, 16 of sequence. Clients page by time with them."""

from datetime import UTC, datetime
from typing import Final

_SEQUENCE_BITS: Final = 16
ID_MAX: Final = (1 << 63) - 1  # what a BIGINT holds


class Snowflakes:
    """Makes ids that rise. `shard` (0..255) keeps those of several site processes apart."""

    def __init__(self, shard: int = 0) -> None:
        assert 0 <= shard < 256
        self._shard = shard << 8
        self._last_ms = 0
        self._count = 0

    def make(self, now: datetime) -> int:
        """An id for this instant. 256 a millisecond; beyond that, and when the clock goes back, they run ahead."""
        ms = max(int(now.timestamp() * 1000), self._last_ms)
        self._count = self._count + 1 if ms == self._last_ms else 0
        if self._count > 0xFF:
            ms, self._count = ms + 1, 0
        self._last_ms = ms
        return (ms << _SEQUENCE_BITS) | self._shard | self._count


def instant_of(snowflake: int) -> datetime:
    return datetime.fromtimestamp((snowflake >> _SEQUENCE_BITS) / 1000, UTC)


def parse_snowflake(text: str) -> int | None:
    """The id, or None for what cannot be one."""
    if not text.isascii() or not text.isdecimal() or len(text) > len(str(ID_MAX)):
        return None
    value = int(text)
    return value if 0 < value <= ID_MAX else None


def first_of(instant: datetime) -> int:
    """The smallest id that is made at this instant or later."""
    return int(instant.timestamp() * 1000) << _SEQUENCE_BITS
