"""What has changed, for whoever shows it: timelines that stream, bytes that are cached, edges and mails.

Events are told after the transaction that made them is kept, on the bus, so that all site processes hear them.
They carry ids, not content: who hears one reads what it may see.
"""

from collections.abc import AsyncGenerator
from typing import Protocol

import msgspec

from rostra.core.errors import BadInputError


class SiteEvent(msgspec.Struct, frozen=True, tag=True):
    """Base of all events."""


class StatusPosted(SiteEvent, frozen=True):
    status_id: int
    account_id: int


class StatusEdited(SiteEvent, frozen=True):
    """Also for what hangs on it: a poll's votes, media that is ready, a card, a label."""

    status_id: int
    account_id: int


class StatusCounted(SiteEvent, frozen=True):
    """Its counts of replies, boosts or favourites have changed."""

    status_id: int


class StatusDeleted(SiteEvent, frozen=True):
    """Deleted, hidden by a decision, or no longer boosted."""

    status_id: int
    account_id: int


class Notified(SiteEvent, frozen=True):
    notification_id: int
    account_id: int


class DirectThreadChanged(SiteEvent, frozen=True):
    direct_thread_id: int
    account_id: int


class AccountChanged(SiteEvent, frozen=True):
    """Profile, restrictions, or deletion."""

    account_id: int


class AccountClosed(SiteEvent, frozen=True):
    """Suspended, disabled or deleted: its streams end at once."""

    account_id: int


class TokenRevoked(SiteEvent, frozen=True):
    """A client was logged out: its streams end at once."""

    token_id: int


class RelationChanged(SiteEvent, frozen=True):
    """`account_id` follows, blocks, mutes or lists others than before, or filters otherwise."""

    account_id: int


class AnnouncementChanged(SiteEvent, frozen=True):
    announcement_id: int


class AnnouncementReacted(SiteEvent, frozen=True):
    announcement_id: int
    name: str


class ConversationChanged(SiteEvent, frozen=True):
    """The announcement of a talk, or a notice about it."""

    conversation_id: int


class Events(Protocol):
    """Where events are told and heard."""

    async def tell(self, payload: bytes) -> None:
        """Best effort: an event that is lost while the bus is away is a page that is stale for a while."""

    def hear(self) -> AsyncGenerator[bytes, None]:
        """Everything that is told from now on, here or elsewhere."""


AnyEvent = (
    StatusPosted
    | StatusEdited
    | StatusCounted
    | StatusDeleted
    | Notified
    | DirectThreadChanged
    | AccountChanged
    | AccountClosed
    | TokenRevoked
    | RelationChanged
    | AnnouncementChanged
    | AnnouncementReacted
    | ConversationChanged
)
_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[AnyEvent] = msgspec.msgpack.Decoder(AnyEvent)


def encoded(event: AnyEvent) -> bytes:
    return _encoder.encode(event)


def decoded(payload: bytes) -> AnyEvent:
    try:
        return _decoder.decode(payload)
    except msgspec.MsgspecError as error:
        raise BadInputError(f"No event of the site: {error}.") from error
