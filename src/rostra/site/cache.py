"""Bytes that were written once and are the same for every reader, until what they tell of changes."""

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

from rostra.core.limits import CACHED_ENTITIES_MAX
from rostra.site.events import (
    AccountChanged,
    AnyEvent,
    RelationChanged,
    StatusCounted,
    StatusDeleted,
    StatusEdited,
    StatusPosted,
)

Key = tuple[str, int]
_LASTS: Final = timedelta(seconds=60)  # so long is a page stale whose event was lost, or that time alone changed


class EntityCache:
    """Entities by kind and id. When it is full, the one that was asked for least lately goes.

    A reader sees the database as it was when its reading began. What changed since then is not taken from it
    (`put`), so that no bytes are kept that an event has already called stale.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[Key, tuple[datetime, bytes]] = OrderedDict()
        self._dropped: OrderedDict[Key, int] = OrderedDict()
        self._forgotten = 0  # the newest epoch that is no longer among the dropped
        self.epoch = 0

    def get(self, key: Key, now: datetime) -> bytes | None:
        found = self._kept.get(key)
        if found is None or found[0] <= now:
            return None
        self._kept.move_to_end(key)
        return found[1]

    def put(self, key: Key, entity: bytes, *, read_at: int, now: datetime) -> None:
        """Keep what was read when `epoch` was `read_at`, unless it may have changed since."""
        if read_at < self._forgotten or self._dropped.get(key, 0) > read_at:
            return
        self._kept[key] = (now + _LASTS, entity)
        if len(self._kept) > CACHED_ENTITIES_MAX:
            self._kept.popitem(last=False)

    def drop(self, key: Key) -> None:
        self.epoch += 1
        self._kept.pop(key, None)
        self._dropped.pop(key, None)
        self._dropped[key] = self.epoch
        if len(self._dropped) > CACHED_ENTITIES_MAX:
            self._forgotten = self._dropped.popitem(last=False)[1]

    def hear(self, event: AnyEvent) -> None:
        """Drop what `event` makes stale."""
        match event:
            case StatusPosted(_, account_id):
                self.drop(("account", account_id))  # its count of posts
            case StatusDeleted(status_id, account_id):
                self.drop(("status", status_id))
                self.drop(("account", account_id))
            case StatusEdited(status_id, _) | StatusCounted(status_id):
                self.drop(("status", status_id))
            case AccountChanged(account_id) | RelationChanged(account_id):
                self.drop(("account", account_id))
            case _:
                return
