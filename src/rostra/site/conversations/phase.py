"""Where a talk is in its life: the stage's word, which it keeps on the bus (DESIGN §2)."""

from dataclasses import dataclass
from datetime import datetime

from rostra.site.database.tables.conversations import Conversation
from rostra.site.stage import Stage


@dataclass(frozen=True, slots=True)
class Phase:
    """A talk as it is now: `name` is a state of core/conversation.py."""

    name: str
    begun: bool
    notice: str = ""

    @property
    def over(self) -> bool:
        return self.name in {"ended", "cancelled"}


def phase(row: Conversation, stage: Stage, *, now: datetime) -> Phase:
    """What the bus says; of a talk that the bus does not know yet, or any more, what its times say."""
    if row.cancelled_at is not None:
        return Phase("cancelled", begun=False)
    record = stage.record(row.name)
    if record is not None:
        return Phase(record.state, record.begun or record.state == "live", record.notice)
    return Phase("ended", begun=True) if now >= row.ends_at else Phase("scheduled", begun=False)
