"""What is refused at the door, and in which words. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import msgspec

from rostra.core.limits import STREAMS_PER_LISTENER_MAX
from rostra.core.messages import ConversationRecord
from rostra.core.shield import Strike
from rostra.edge.channel import OVER

BUS_LOST_MAX_S: Final = 5.0  # longer, and who is sent elsewhere hears more than who waits here
RETRY_FULL_S: Final = 10
RETRY_STARTING_S: Final = 1
RETRY_SHARED_S: Final = 30  # by then a connection that died unnoticed is gone


class Pressure(msgspec.Struct, frozen=True, gc=False):
    """Whether an edge can carry anybody at this moment."""

    bus_lost_s: float = 0.0
    draining: bool = False


@dataclass(frozen=True, slots=True)
class Open:
    """There is something to hear; whether there is room is another question."""


@dataclass(frozen=True, slots=True)
class Early:
    """The doors open in `wait_ms`."""

    wait_ms: int


class Refused(msgspec.Struct, frozen=True, gc=False):
    status: HTTPStatus
    reason: str
    title: str
    detail: str
    retry_after_s: int | None = None
    strike: Strike | None = None  # what nobody honest does, for the shield


NOT_FOUND: Final = Refused(
    HTTPStatus.NOT_FOUND,
    "unknown",
    "Not found",
    "There is nothing at this address. Perhaps it was cut in copying.",
)
NO_TICKET: Final = Refused(
    HTTPStatus.FORBIDDEN,
    "ticket",
    "No valid ticket",
    "Ask for one at the address that ends with /join, or open the page of the conversation.",
)
NO_RECEIPT: Final = Refused(
    HTTPStatus.BAD_REQUEST,
    "receipt",
    "No receipt that can be kept",
    "A receipt is signed, is of this conversation, and there is one of each listener and minute.",
    strike=Strike.BAD_REQUEST,
)
RECEIPTS_FULL: Final = Refused(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "receipts_full",
    "Enough receipts have come in this minute",
    "As many are kept as the ledger has room for. Send the next one in its minute.",
    60,
)
FULL: Final = Refused(
    HTTPStatus.SERVICE_UNAVAILABLE,
    "full",
    "Every place is taken",
    "As many people listen as can be carried. On the page of the conversation one can wait, with music.",
    RETRY_FULL_S,
)
CAPPED: Final = Refused(
    HTTPStatus.FORBIDDEN,
    "rendition",
    "Not at this quality",
    "The ticket was given when there was room for a smaller rendition only. Join again: there may be room now.",
)
REVOKED: Final = Refused(
    HTTPStatus.FORBIDDEN,
    "revoked",
    "This ticket has been withdrawn",
    "It was given to an account that was suspended since. Without an account anybody may ask for another one.",
)
SHARED: Final = Refused(
    HTTPStatus.TOO_MANY_REQUESTS,
    "shared",
    "This ticket is in use",
    f"{STREAMS_PER_LISTENER_MAX} streams are open with it. Who else wants to listen asks for another one.",
    RETRY_SHARED_S,
    strike=Strike.SHARED_TICKET,
)
Opening = Open | Early | Refused


def unfit(pressure: Pressure) -> Refused | None:
    """Why this edge can admit nobody, if so."""
    unavailable = HTTPStatus.SERVICE_UNAVAILABLE
    if pressure.draining:
        return Refused(unavailable, "draining", "This edge is going away", "Listen at another one.", 1)
    if pressure.bus_lost_s > BUS_LOST_MAX_S:
        detail = "This edge has lost its connection to the programme. Another one may have it."
        return Refused(unavailable, "bus", "No connection to the programme", detail, 2)
    return None


def decide(record: ConversationRecord, pressure: Pressure, *, now_ms: int) -> Opening:
    if record.state in OVER:
        word = "has ended" if record.state == "ended" else "has been cancelled"
        return Refused(HTTPStatus.GONE, record.state, f"This conversation {word}", "There is nothing to hear.")
    refused = unfit(pressure)
    if refused is not None:
        return refused
    if record.state == "scheduled":
        return Early(max(0, record.doors_ns // 1_000_000 - now_ms))
    return Open()


def silent(state: str, *, ended: bool) -> Refused:
    """Why a conversation cannot be heard now."""
    if ended or state in OVER:
        return Refused(HTTPStatus.GONE, "ended", "This conversation is over", "There is nothing to hear.")
    if state == "scheduled":
        detail = "The doors are still closed. They open before the conversation starts."
        return Refused(HTTPStatus.SERVICE_UNAVAILABLE, "early", "Too early", detail, RETRY_FULL_S)
    detail = "The sound is on its way to this edge."
    return Refused(HTTPStatus.SERVICE_UNAVAILABLE, "starting", "A moment", detail, RETRY_STARTING_S)


def not_allowed(methods: Sequence[str]) -> Refused:
    detail = f"This address answers to {' and '.join(methods)}."
    return Refused(HTTPStatus.METHOD_NOT_ALLOWED, "method", "Method not allowed", detail)
