"""What a recogniser does that cannot keep up: partial captions go first, then the oldest, and it is said."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rostra.audio.utterance import Utterance
from rostra.captions.backlog import Backlog, Work
from rostra.core.limits import CAPTION_BACKLOG_MAX_S, CAPTION_WAIT_MAX_S
from rostra.core.units import SAMPLE_RATE_HZ


def work(seat: str, *, start_s: float = 0, seconds: float = 2, final: bool = True, at_s: float = 0) -> Work:
    start, samples = round(start_s * SAMPLE_RATE_HZ), round(seconds * SAMPLE_RATE_HZ)
    sound = np.broadcast_to(np.float32(0), samples)
    return Work("evening", seat, Utterance(start, start + samples, sound), final, at_s)


def test_finals_go_before_partials_and_the_oldest_first() -> None:
    backlog = Backlog()
    partial, first, second = work("c", final=False), work("a"), work("b")
    for each in (partial, first, second):
        backlog.offer(each)
    assert [backlog.take(1) for _ in range(4)] == [first, second, partial, None]


def test_more_of_an_utterance_replaces_what_waits_of_it_and_the_whole_replaces_both() -> None:
    backlog = Backlog()
    backlog.offer(work("a", seconds=1, final=False))
    more = work("a", seconds=2, final=False)
    backlog.offer(more)
    assert backlog.take(0) == more
    backlog.offer(work("a", seconds=3, final=False))
    whole = work("a", seconds=4)
    backlog.offer(whole)
    assert [backlog.take(0), backlog.take(0)] == [whole, None]


def test_partial_captions_take_their_share_of_the_time_and_no_more() -> None:
    backlog = Backlog()
    partial = work("a", final=False)
    backlog.offer(partial)
    assert backlog.take(0.0) == partial
    backlog.done(partial, began_s=0.0, now_s=2.0)
    backlog.offer(partial)
    assert backlog.take(2.5) is None
    backlog.offer(final := work("b"))
    assert backlog.take(2.5) == final, "what is final need not wait"
    assert backlog.take(3.1) == partial


def test_what_has_waited_too_long_is_skipped_and_told_once() -> None:
    backlog = Backlog()
    late, fresh = work("a", at_s=0), work("a", start_s=9, at_s=9)
    backlog.offer(late)
    backlog.offer(fresh)
    assert backlog.skipped(CAPTION_WAIT_MAX_S) == []
    assert backlog.skipped(CAPTION_WAIT_MAX_S + 0.1) == [late]
    assert backlog.skipped(CAPTION_WAIT_MAX_S + 0.1) == []
    assert backlog.take(CAPTION_WAIT_MAX_S + 0.1) == fresh


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.2, 28), st.booleans()), max_size=80))
def test_the_backlog_is_bounded_and_every_final_is_taken_or_told_as_skipped(
    offers: list[tuple[str, float, bool]],
) -> None:
    backlog = Backlog()
    finals = []
    for number, (seat, seconds, final) in enumerate(offers):
        offered = work(seat, start_s=30 * number, seconds=seconds, final=final)
        backlog.offer(offered)
        finals += [offered] if final else []
        assert backlog.waiting_s <= CAPTION_BACKLOG_MAX_S
    skipped = backlog.skipped(0)
    taken = []
    while (each := backlog.take(0)) is not None:
        taken.append(each)
    told = [*skipped, *(each for each in taken if each.final)]
    assert [id(each) for each in told] == [id(each) for each in finals]
    assert len(taken) - sum(each.final for each in taken) <= 3, "one partial for each seat"
