"""Messages survive the way over the bus; garbage does not get past the border."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

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
)
from rostra.core.errors import BadInputError
from rostra.core.messages import (
    Chunk,
    ConversationRecord,
    Feed,
    FeedFrames,
    StageEvent,
    decode,
    encode,
)
from rostra.core.records import from_record, to_record

STATES: list[State] = [
    Scheduled(),
    DoorsOpen(1),
    Live(2),
    Held(3, begun=False),
    Held(3, begun=True),
    Ended(4),
    Cancelled(5),
]


@pytest.mark.parametrize("state", STATES)
def test_a_conversation_is_the_same_after_the_bus(state: State) -> None:
    conversation = Conversation("evening", Schedule("Evening", 3, 2, 4, "UTC", "nl", 7), state, Notice("Later.", 9))
    record = decode(encode(to_record(conversation)))
    assert isinstance(record, ConversationRecord)
    assert from_record(record) == conversation


def test_a_chunk_and_a_feed_are_the_same_after_the_bus() -> None:
    chunk = Chunk("c", 1, 2, 3, "live", -16.0, {"webm-64": b"x"}, [StageEvent("state", 9, "live")], {"a": 4})
    feed = Feed("c", (FeedFrames("seat", 5, 6, 2, b"\0\0"), FeedFrames("other", 5, 6, 2, b"", last=True)))
    assert decode(encode(chunk)) == chunk
    assert decode(encode(feed)) == feed


@given(st.binary(max_size=200))
@example(b"\x91\xa9\x00\x00\x00\x00\x00\x00\x00\x00\x80")  # an array whose text is no UTF-8
def test_garbage_is_refused_and_nothing_else_happens(payload: bytes) -> None:
    with pytest.raises(BadInputError):
        decode(payload)


def test_an_unknown_version_and_an_unknown_state_are_refused() -> None:
    record = to_record(Conversation("evening", Schedule("Evening", 3, 2, 4, "UTC")))
    with pytest.raises(BadInputError):
        decode(encode(record).replace(b"conversation.1", b"conversation.9"))
    with pytest.raises(BadInputError, match="Unknown state"):
        from_record(ConversationRecord("e", "t", 1, 2, 3, "UTC", "en", 0, "asleep"))
