"""Answers that are the same for whoever comes along: made once for all who ask within a second."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from rostra.core.limits import MEMO_PAGES_MAX
from rostra.site.events import (
    AnyEvent,
    DirectThreadChanged,
    Notified,
    RelationChanged,
    StatusCounted,
)

_LASTS: Final = timedelta(seconds=1)  # so old may counts be, and what time alone has changed
_PRIVATE: Final = (DirectThreadChanged, Notified, RelationChanged, StatusCounted)


@dataclass(frozen=True, slots=True)
class Answer:
    body: bytes
    headers: dict[str, str]
    etag: str


@dataclass(slots=True)
class _Kept:
    making: asyncio.Lock = field(default_factory=asyncio.Lock)
    answer: Answer | None = None
    changes: int = 0  # how many there had been when its making began
    until: datetime | None = None
    rests_until: datetime | None = None

    def good(self, known: int, now: datetime) -> Answer | None:
        """What is kept, if it was made after the change number `known` or rests, and is not too old."""
        if self.until is None or self.rests_until is None or now >= self.until:
            return None
        return self.answer if self.changes >= known or now < self.rests_until else None


class Memo:
    """When it is full, the page that was asked for least lately goes.

    Who asks gets what was read after the last change that they can know of, and a crowd that asks while a page is
    being made waits for the next making, which serves them all. In a storm of changes a page is not made without
    end: it rests for `rest` times as long as its making took, so that nine leave a tenth of the time to it at most.
    """

    def __init__(self, rest: float = 9.0) -> None:
        self._rest = rest
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._changes = 0

    def hear(self, event: AnyEvent) -> None:
        if not isinstance(event, _PRIVATE):
            self._changes += 1

    async def answer(
        self, key: str, clock: Callable[[], datetime], make: Callable[[], Awaitable[tuple[bytes, dict[str, str]]]]
    ) -> Answer:
        """The page `key`, by `make` (its body and headers) if it must be made."""
        known = self._changes
        kept = self._kept.setdefault(key, _Kept())
        self._kept.move_to_end(key)
        if len(self._kept) > MEMO_PAGES_MAX:
            self._kept.popitem(last=False)
        async with kept.making:
            good = kept.good(known, clock())
            if good is not None:
                return good
            changes, began = self._changes, clock()
            body, headers = await make()
            made = clock()
            kept.answer = Answer(body, headers, f'"{blake2b(body, digest_size=12).hexdigest()}"')
            kept.changes, kept.until = changes, made + _LASTS
            kept.rests_until = min(made + self._rest * (made - began), kept.until)
            return kept.answer
