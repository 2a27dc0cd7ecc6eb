import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.core.errors import BadInputError
from rostra.core.framing import EVENT, INIT, MEDIA, frame, media_frame
from rostra.rehearsal.continuity import START, Continuity, Lockstep, follow, resume


def event(kind: str, **fields: object) -> bytes:
    return frame(EVENT, json.dumps({"type": kind, **fields}).encode())


def hello(seq: int, *, cadence_ms: int = 1_000) -> bytes:
    conversation = {"state": "live", "title": "An evening", "seq": seq}
    return event("hello", cadence_ms=cadence_ms, seq=seq, now_ms=0, conversation=conversation)


def media(*seqs: int) -> bytes:
    return b"".join(media_frame(seq, b"sound" * (seq % 7)) for seq in seqs)


def heard_of(*parts: bytes) -> Continuity:
    heard = Continuity()
    for part in parts:
        heard.feed(part, now_s=0.0)
    return heard


OPENING = frame(INIT, b"container head") + hello(7)


def test_a_stream_in_order_has_nothing_missing() -> None:
    heard = heard_of(OPENING + media(*range(7, 17)), media(*range(17, 27)))
    assert (heard.first_seq, heard.last_seq, heard.chunks) == (7, 26, 20)
    assert (heard.missing, heard.missed, heard.repeated, heard.disordered, heard.moved) == (0, 0, 0, 0, 0)
    assert heard.state == "live"


def test_a_chunk_that_is_left_out_without_a_word_is_missing() -> None:
    heard = heard_of(OPENING + media(7, 8, 11, 12, 14))
    assert (heard.missing, heard.missed, heard.chunks, heard.last_seq) == (3, 0, 5, 14)


def test_a_chunk_that_is_left_out_with_a_word_is_missed_and_the_move_counted() -> None:
    heard = heard_of(OPENING + media(7, 8), event("moved", to_seq=20, missed=11) + media(20, 21))
    assert (heard.missing, heard.missed, heard.moved, heard.last_seq) == (0, 11, 1, 21)


def test_a_word_that_tells_less_than_is_missing_does_not_excuse_the_rest() -> None:
    heard = heard_of(OPENING + media(7, 8), event("moved", to_seq=12, missed=3) + media(20))
    assert (heard.missed, heard.missing) == (3, 8)


def test_a_repeated_chunk_and_a_step_back_are_told_apart() -> None:
    assert (heard_of(OPENING + media(7, 8, 8, 9)).repeated, heard_of(OPENING + media(7, 8, 8, 9)).disordered) == (
        1,
        0,
    )
    swapped = heard_of(OPENING + media(7, 9, 8, 10))
    assert (swapped.missing, swapped.repeated, swapped.disordered, swapped.last_seq) == (1, 1, 1, 10)


def test_an_edge_that_is_behind_may_repeat_chunks_to_a_listener_who_resumes() -> None:
    heard = heard_of(OPENING + media(*range(7, 20)))
    heard.reconnected()
    heard.feed(frame(INIT, b"container head") + hello(17) + media(*range(17, 25)), now_s=0.0)
    assert (heard.repeated, heard.disordered, heard.missing, heard.chunks) == (0, 0, 0, 18)
    heard.feed(media(24), now_s=0.0)
    assert heard.repeated == 1


def test_what_was_unfinished_when_the_edge_died_is_asked_for_again() -> None:
    heard = heard_of(OPENING + media(7, 8) + media_frame(9, b"never whole")[:6])
    heard.reconnected()
    assert heard.last_seq == 8
    heard.feed(frame(INIT, b"container head") + hello(9) + media(9, 10), now_s=0.0)
    assert (heard.missing, heard.chunks) == (0, 4)


def test_sound_missing_after_a_resumption_is_missing() -> None:
    heard = heard_of(OPENING + media(7, 8))
    heard.reconnected()
    heard.feed(frame(INIT, b"container head") + hello(11) + media(11), now_s=0.0)
    assert heard.missing == 2


def test_a_programme_that_began_anew_is_followed_from_its_beginning() -> None:
    heard = heard_of(frame(INIT, b"head") + hello(4_000) + media(4_000, 4_001))
    heard.reconnected()
    heard.feed(frame(INIT, b"head") + hello(3) + media(3, 4), now_s=0.0)
    assert (heard.last_seq, heard.chunks, heard.missing, heard.repeated) == (4, 4, 0, 0)


def test_the_events_that_matter_to_a_listener_are_understood() -> None:
    heard = heard_of(
        OPENING
        + event("state", at=33_600, value="held")
        + event("speaker", at=33_600, value="Cicero")
        + event("cadence", cadence_ms=2_000, from_seq=90)
        + event("drain", alternates=["http://127.0.0.1:2"])
        + event("ended", reason="cancelled")
    )
    assert (heard.state, heard.alternates) == ("held", ("http://127.0.0.1:2",))
    assert (heard.playout.cadence_s, heard.end_reason) == (2.0, "cancelled")


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 404 Not Found",
        frame(EVENT, b"nonsense"),
        frame(EVENT, b"{}"),
        event("hello", cadence_ms="soon"),
        frame(MEDIA, b"ab"),
        (MEDIA << 24 | 0xFFFFFF).to_bytes(4, "big"),
        (EVENT << 24 | 0xFFFFFF).to_bytes(4, "big"),
    ],
)
def test_what_is_no_rostra_stream_is_refused(data: bytes) -> None:
    with pytest.raises(BadInputError):
        follow(START, data)


SEQS = st.lists(st.integers(0, 40), max_size=30)


@given(SEQS, st.data())
def test_how_a_stream_is_cut_into_reads_makes_no_difference(seqs: list[int], data: st.DataObject) -> None:
    stream = OPENING + b"".join(media(seq) + event("listeners", count=seq) for seq in seqs)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=20)))
    parts = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    whole, cut = heard_of(stream), heard_of(*parts)
    assert {name: getattr(whole, name) for name in ("bytes", "chunks", "missing", "repeated", "disordered")} == {
        name: getattr(cut, name) for name in ("bytes", "chunks", "missing", "repeated", "disordered")
    }
    assert whole.last_seq == cut.last_seq


@given(SEQS)
def test_every_chunk_is_either_new_or_repeated_and_the_new_ones_rise(seqs: list[int]) -> None:
    heard = heard_of(OPENING + media(*seqs))
    assert heard.chunks + heard.repeated == len(seqs)
    if seqs:
        assert heard.last_seq == max(seqs)
        assert heard.chunks + heard.missing == max(seqs) - seqs[0] + 1


@given(st.lists(SEQS, max_size=6))
def test_lockstep_says_the_same_as_following_alone(reads: list[list[int]]) -> None:
    lockstep = Lockstep()
    alone = together = START
    for seqs in reads:
        expected = follow(alone, media(*seqs))
        for _ in range(2):
            assert lockstep.follow(together, media(*seqs)) == expected
        alone = together = expected.position


def test_a_position_before_the_first_chunk_resumes_as_a_newcomer() -> None:
    assert resume(START) == START
