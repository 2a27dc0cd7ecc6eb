"""The listener stream's frames."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.core.errors import BadInputError
from rostra.core.framing import EVENT, INIT, MEDIA, FrameReader, frame, media_frame

PAYLOADS = st.lists(st.tuples(st.sampled_from([INIT, EVENT]), st.binary(max_size=50)), max_size=10)


@given(PAYLOADS, st.integers(1, 60))
def test_frames_are_read_as_they_were_written_however_they_are_cut(
    frames: list[tuple[int, bytes]], cut: int
) -> None:
    stream = b"".join(frame(kind, payload) for kind, payload in frames)
    reader = FrameReader()
    read = [found for start in range(0, len(stream), cut) for found in reader.feed(stream[start : start + cut])]
    assert [(found.kind, found.payload) for found in read] == frames


def test_a_media_frame_carries_its_sequence_number_before_the_chunk() -> None:
    (found,) = FrameReader().feed(media_frame(70_000, b"chunk"))
    assert (found.kind, found.seq, found.payload[4:]) == (MEDIA, 70_000, b"chunk")


@pytest.mark.parametrize("stream", [b"HTTP/1.1", b"\x02\x00\x00\x03abc", b"\x01\xff\xff\xff", b"\x00\x00\x00\x00"])
def test_a_stream_that_is_none_is_refused(stream: bytes) -> None:
    with pytest.raises(BadInputError):
        list(FrameReader().feed(stream))
