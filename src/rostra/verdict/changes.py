"""What the log says that we changed before something happened."""

from typing import Final

from rostra.verdict.counters import BLOCK_S
from rostra.verdict.evening import Change, Evening, Process

CHANGED_WITHIN_S: Final = 900  # what is older was there while all was well
OURS: Final = ("deploy", "rollback", "configuration", "move", "start")


def changed_before(evening: Evening, edge: Process, second: int, *, ours: tuple[str, ...] = OURS) -> bool:
    """Whether something of ours was changed at this edge, or everywhere, in the quarter of an hour before."""

    def matters(change: Change) -> bool:
        here = change.subject in (edge.name, "", evening.conversation)
        return change.what in ours and here and second - CHANGED_WITHIN_S <= change.at_s <= second + BLOCK_S

    return any(matters(change) for change in evening.changes)
