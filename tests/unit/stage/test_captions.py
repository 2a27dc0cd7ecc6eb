"""The stage's caption desk: one captioner at a time, the newest of each utterance, bounded."""

from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from rostra.core.limits import CAPTIONER_LOST_S, CAPTIONS_PENDING_MAX, CAPTIONS_PER_MESSAGE_MAX
from rostra.core.messages import Caption, Captions, Chunk
from rostra.stage.captions import CaptionDesk


def caption(number: int, text: str = "yes", status: Literal["partial", "final"] = "final") -> Caption:
    return Caption(f"anna-{number}", "anna", "Anna", number, number + 1, text, status)


def said(captioner: str, *captions: Caption) -> Captions:
    return Captions("evening", captioner, list(captions))


def test_the_first_captioner_is_listened_to_until_it_has_been_silent() -> None:
    desk = CaptionDesk()
    desk.offer(said("one", caption(1)), now_s=0)
    desk.offer(said("two", caption(2)), now_s=1)
    assert desk.captioner(now_s=1) == "one"
    assert desk.take() == [caption(1)]
    desk.offer(said("two", caption(3)), now_s=CAPTIONER_LOST_S + 0.1)
    assert desk.captioner(now_s=CAPTIONER_LOST_S + 0.1) == "two"
    assert desk.take() == [caption(3)]
    assert desk.captioner(now_s=3 * CAPTIONER_LOST_S) == ""


def test_more_of_an_utterance_replaces_what_waits_of_it() -> None:
    desk = CaptionDesk()
    desk.offer(said("one", caption(1, "it", "partial"), caption(1, "it was")), now_s=0)
    assert desk.take() == [caption(1, "it was")]
    assert desk.take() == []


def test_a_stage_that_takes_over_tells_what_the_other_had_not_told_and_nothing_twice() -> None:
    standby = CaptionDesk()
    standby.offer(said("one", caption(1), caption(2)), now_s=0)
    standby.hear(Chunk("evening", 1, 5, 0, "live", -20.0, {}, captions=[caption(1)], captioner="one"), now_s=0.1)
    assert standby.take() == [caption(2)]


def test_a_stage_that_takes_over_listens_to_whom_the_other_did() -> None:
    standby = CaptionDesk()
    standby.offer(said("two"), now_s=0)
    standby.hear(Chunk("evening", 1, 5, 0, "live", -20.0, {}, captioner="one"), now_s=0.1)
    assert standby.captioner(now_s=0.2) == "one"


@given(st.lists(st.lists(st.integers(0, 400), max_size=CAPTIONS_PER_MESSAGE_MAX), max_size=30))
def test_what_waits_and_what_a_chunk_carries_is_bounded(messages: list[list[int]]) -> None:
    desk = CaptionDesk()
    for numbers in messages:
        desk.offer(said("one", *(caption(number) for number in numbers)), now_s=0)
    told = 0
    while taken := desk.take():
        assert len(taken) <= CAPTIONS_PER_MESSAGE_MAX
        told += len(taken)
    assert told <= CAPTIONS_PENDING_MAX
