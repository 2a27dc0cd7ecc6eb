"""A conversation as the bus keeps it, and back."""

from rostra.core.conversation import (
    Cancelled,
    Conversation,
    DoorsOpen,
    Ended,
    Held,
    Live,
    Notice,
    Schedule,
    Scheduled,
    State,
    state_name,
)
from rostra.core.errors import BadInputError
from rostra.core.messages import ConversationRecord


def to_record(conversation: Conversation) -> ConversationRecord:
    state = conversation.state
    since_ns, begun = 0, False
    match state:
        case DoorsOpen(since_ns=since) | Live(since_ns=since):
            since_ns = since
        case Held(since_ns=since, begun=has_begun):
            since_ns, begun = since, has_begun
        case Ended(at_ns=at) | Cancelled(at_ns=at):
            since_ns = at
        case Scheduled():
            pass
    schedule = conversation.schedule
    return ConversationRecord(
        id=conversation.id,
        title=schedule.title,
        starts_ns=schedule.starts_ns,
        doors_ns=schedule.doors_ns,
        ends_ns=schedule.ends_ns,
        timezone=schedule.timezone,
        language=schedule.language,
        revision=schedule.revision,
        state=state_name(state),
        since_ns=since_ns,
        begun=begun,
        notice=conversation.notice.text,
        notice_ns=conversation.notice.at_ns,
    )


def from_record(record: ConversationRecord) -> Conversation:
    """The conversation that a record describes. BadInputError for a state this build does not know."""
    states: dict[str, State] = {
        "scheduled": Scheduled(),
        "doors_open": DoorsOpen(since_ns=record.since_ns),
        "live": Live(since_ns=record.since_ns),
        "held": Held(since_ns=record.since_ns, begun=record.begun),
        "ended": Ended(at_ns=record.since_ns),
        "cancelled": Cancelled(at_ns=record.since_ns),
    }
    if record.state not in states:
        raise BadInputError(f"Unknown state {record.state!r} of conversation {record.id!r}.")
    return Conversation(
        id=record.id,
        schedule=Schedule(
            title=record.title,
            starts_ns=record.starts_ns,
            doors_ns=record.doors_ns,
            ends_ns=record.ends_ns,
            timezone=record.timezone,
            language=record.language,
            revision=record.revision,
        ),
        state=states[record.state],
        notice=Notice(record.notice, record.notice_ns),
    )
