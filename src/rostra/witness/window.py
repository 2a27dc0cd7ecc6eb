"""When a conversation is witnessed: from before its doors open until after its end. Pure."""

from typing import Final

from rostra.core.messages import ConversationRecord
from rostra.core.units import SECOND_NS

BEFORE_DOORS_S: Final = 1_800  # servers are moved, limits changed and tests made in the last half hour
AFTER_END_S: Final = 600  # those who come late, and what the operator does then
OWED_S: Final = 86_400  # a machine that was switched off after an evening is on again the next day
_OVER: Final = frozenset({"ended", "cancelled"})


def is_owed(record: ConversationRecord, *, now_ns: int) -> bool:
    """Whether it has just been over, so that its last verdict may be lacking."""
    return record.state in _OVER and now_ns < (record.since_ns or record.ends_ns) + OWED_S * SECOND_NS


def is_witnessed(record: ConversationRecord, *, now_ns: int) -> bool:
    if record.state in _OVER:
        return now_ns < (record.since_ns or record.ends_ns) + AFTER_END_S * SECOND_NS
    return now_ns >= record.doors_ns - BEFORE_DOORS_S * SECOND_NS
