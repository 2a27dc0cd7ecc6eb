"""Who listens on which descriptor."""

from hypothesis import given
from hypothesis import strategies as st

from rostra.edge.streams import Streams

LISTENERS = [b"anna", b"bert", b"cleo"]


@given(st.lists(st.tuples(st.integers(0, 8), st.sampled_from([*LISTENERS, b""]), st.booleans()), max_size=60))
def test_a_listener_has_the_streams_that_were_opened_and_neither_ended_nor_passed_on(
    acts: list[tuple[int, bytes, bool]],
) -> None:
    alive: dict[int, bytes] = {}
    streams = Streams(alive.__contains__)
    for number, listener, ends in acts:
        if ends:
            alive.pop(number, None)
        else:
            alive[number] = listener
            streams.open(number, listener)
        for each in LISTENERS:
            assert streams.of(each) == sorted(number for number, owner in alive.items() if owner == each)
    expected = {each: list(alive.values()).count(each) for each in LISTENERS}
    assert streams.several() == {each: count for each, count in expected.items() if count > 1}
    streams.sweep()
    assert [len(streams.of(each)) for each in LISTENERS] == list(expected.values())
