"""What the site knows of the stage, and what it asks of it: over the bus, never waiting for sound."""

from collections.abc import Iterable
from typing import Protocol

from rostra.core.conversation import Schedule
from rostra.core.messages import ConversationRecord, LiveVerdict
from rostra.core.overview import Overview


class Stage(Protocol):
    """The conversations as stages and edges know them. Every call may raise BusError: try again as a job."""

    def record(self, conversation: str) -> ConversationRecord | None:
        """The conversation as it was last heard of, or None."""

    def records(self) -> Iterable[ConversationRecord]: ...

    def overview(self) -> Overview:
        """The edges as they were last heard of, and what the evidence of this evening shows."""

    def verdict(self, conversation: str) -> LiveVerdict | None:
        """What the evidence shows so far, or None while nobody judges it."""

    async def announce(self, conversation: str, schedule: Schedule) -> None:
        """Make the schedule known, whether it is new or changed. Safe to repeat."""

    async def cancel(self, conversation: str) -> None: ...

    async def end(self, conversation: str) -> None:
        """Over now, whoever speaks."""

    async def tell(self, conversation: str, notice: str) -> None:
        """Show the host's notice in the waiting room and to everybody who listens; an empty one takes it back."""

    async def expel(self, conversation: str, person: str, *, by: str, why: str) -> None:
        """End somebody's part: off the stage at once and not back. `by` is the moderator's account."""

    async def revoke(self, conversation: str, listener: bytes) -> None:
        """Withdraw the passes and tickets of a listener."""
