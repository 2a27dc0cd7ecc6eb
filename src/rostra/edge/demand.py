"""Who asked a worker for the sound and what became of it: totals since it began, counted where it happens."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from typing import Final

from rostra.core.limits import LACKING_MAX
from rostra.core.ticket import Ticket, TicketClass
from rostra.core.units import INTERRUPTION_MS
from rostra.edge.http import whole_number

SOUND_WITHIN_MS: Final = (100, 300, 1_000, 3_000, 10_000)
OPENED_WITHIN_S: Final = 60  # of the ticket: who opens a stream later has not waited for it all the time


class Demand:
    """Plain integers: the door adds to them with every request."""

    __slots__ = (
        "_lacking", "admitted_after_wait", "again", "again_unproven", "copies", "first", "interrupted",
        "passes_refused", "plain", "resumed", "sound", "tickets", "waited_ms", "waits",
    )  # fmt: skip

    def __init__(self) -> None:
        self.first = [0] * len(TicketClass)
        self.again = 0
        self.again_unproven = 0  # of those, who only say so
        self.passes_refused = 0
        self.waits = 0
        self.copies = 0
        self.plain = 0  # streams without a ticket
        self.admitted_after_wait = 0
        self.waited_ms = 0
        self.tickets: Counter[str] = Counter()
        self.sound = [0] * (len(SOUND_WITHIN_MS) + 1)  # the last one: later
        self.resumed = 0
        self.interrupted = 0  # of those who went on: who say that they lack INTERRUPTION_MS of sound by now
        self._lacking: dict[bytes, None] = {}  # the newest of these

    def ask(self, query: Mapping[str, str], ticket_class: TicketClass, *, proven: bool) -> None:
        """Somebody asks to be let in; `proven`: they have a signed place, or a ticket, and so have asked before."""
        if proven:
            self.again += 1
        elif "again" in query:
            self.again += 1
            self.again_unproven += 1
        else:
            self.first[ticket_class] += 1

    def let_in(self, waited_ms: int) -> None:
        """Somebody who waited."""
        self.admitted_after_wait += 1
        self.waited_ms += max(0, waited_ms)

    def hear(self, ticket: Ticket, now_ms: int) -> None:
        """The first sound of a ticket is written."""
        if now_ms - 1_000 * ticket.issued_s <= 1_000 * OPENED_WITHIN_S:
            self.sound[bisect_left(SOUND_WITHIN_MS, now_ms - ticket.asked_ms)] += 1

    def resume(self, listener: bytes, query: Mapping[str, str]) -> None:
        """Somebody goes on here. They say what they have lacked, and how much of it an edge knows."""
        self.resumed += 1
        told_ms, lacked_ms = (whole_number(query, name, digits=9) or 0 for name in ("told_ms", "lacked_ms"))
        if told_ms < INTERRUPTION_MS <= lacked_ms:
            self.interrupted += listener not in self._lacking
            self._lacking[listener] = None
            if len(self._lacking) > LACKING_MAX:
                del self._lacking[next(iter(self._lacking))]
