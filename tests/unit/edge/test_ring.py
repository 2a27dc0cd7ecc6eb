"""The ring: what is kept of a programme, and which stage is believed."""

from rostra.core.framing import FrameReader
from rostra.core.limits import RING_CHUNKS_MAX
from rostra.core.messages import Chunk
from rostra.edge.ring import Feed, Ring, Verdict, event_frame


def chunk(seq: int, *, epoch: int = 1) -> Chunk:
    media = {"webm-64": f"<{seq}>".encode()}
    return Chunk(conversation="c", epoch=epoch, seq=seq, wall_ns=0, state="live", level_dbfs=0.0, media=media)


def filled(count: int, *, first: int = 0) -> Ring:
    ring = Ring()
    for seq in range(first, first + count):
        assert ring.judge(chunk(seq)) is Verdict.ACCEPTED
        ring.append(chunk(seq), lead=b"")
    return ring


def test_a_stage_that_lost_its_lease_is_not_heard_even_with_the_next_number() -> None:
    ring = filled(5)
    assert ring.judge(chunk(4, epoch=2)) is Verdict.SEEN
    assert ring.judge(chunk(5, epoch=1)) is Verdict.FENCED
    assert ring.judge(chunk(5, epoch=2)) is Verdict.ACCEPTED


def test_a_number_heard_already_is_dropped_and_a_hole_is_noticed() -> None:
    ring = filled(5)
    assert ring.judge(chunk(2)) is Verdict.SEEN
    assert ring.judge(chunk(7)) is Verdict.AFTER_GAP


def test_a_full_ring_forgets_its_oldest_chunk() -> None:
    ring = filled(RING_CHUNKS_MAX + 10)
    assert (ring.oldest, ring.newest) == (10, RING_CHUNKS_MAX + 9)
    assert len(ring.entries(0, RING_CHUNKS_MAX + 9)) == RING_CHUNKS_MAX


def test_events_stand_in_front_of_their_chunk_and_only_framed_listeners_get_them() -> None:
    ring = filled(3)
    ring.append(chunk(3), lead=event_frame("speaker", at=1, value="anna"))
    frames = list(FrameReader().feed(Feed(ring, "webm-64", framed=True).span(2, 3)))
    assert [frame.kind for frame in frames] == [2, 3, 2]
    assert frames[2].payload == b"\0\0\0\x03<3>"
    assert Feed(ring, "webm-64", framed=False).span(1, 3) == b"<1><2><3>"


def test_pieces_for_laggards_end_at_shared_boundaries_and_are_made_once() -> None:
    feed = Feed(filled(40), "webm-64", framed=False)
    piece, last = feed.piece(20)
    assert last == 31
    assert piece == feed.span(20, 31)
    assert feed.piece(20)[0] is piece
    assert feed.piece(32)[1] == 39


def test_a_burst_is_as_long_as_asked_for_or_as_the_ring() -> None:
    feed = Feed(filled(40), "webm-64", framed=False)
    assert feed.first_of_burst(39, chunks=15, size_bytes=0) == 25
    assert feed.first_of_burst(39, chunks=1, size_bytes=40) == 30
    assert feed.first_of_burst(39, chunks=1, size_bytes=10_000) == 0
