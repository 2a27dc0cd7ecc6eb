"""P8: what was not on the air gets no caption; what was is at its sample."""

import numpy as np

from rostra.audio.frame import frame_to_pcm16
from rostra.captions.on_air import OnAir
from rostra.core.limits import SEAT_FRAMES_MAX, SEATS_MAX
from rostra.core.messages import Chunk, FeedFrames
from rostra.core.units import CHUNK_FRAMES, CHUNK_SAMPLES, FRAME_SAMPLES


def sent(seat: str, number: int) -> FeedFrames:
    """A frame whose every sample tells its number."""
    frame = np.full(FRAME_SAMPLES, number % 1000 / 1000, np.float32)
    return FeedFrames(seat, number, 0, 2, frame_to_pcm16(frame))


def chunk(seq: int, heard: dict[str, int]) -> Chunk:
    return Chunk("evening", 1, seq, 0, "live", -20.0, {}, heard=heard)


def numbers(on_air: OnAir, seq: int, heard: dict[str, int]) -> dict[str, list[int]]:
    """The number in each frame that was on the air; 0 is silence."""
    found = {}
    for seat, frames in on_air.hear(chunk(seq, heard)):
        found[seat] = [round(float(frame[0]) * 1000) for _, frame in frames]
        assert [at for at, _ in frames[:CHUNK_FRAMES]] == [
            seq * CHUNK_SAMPLES + index * FRAME_SAMPLES for index in range(CHUNK_FRAMES)
        ]
    return found


def test_what_was_sent_before_the_conversation_was_live_is_never_given_out() -> None:
    on_air = OnAir()
    for number in range(1, 41):
        on_air.offer(sent("anna", number))
    assert numbers(on_air, 0, {}) == {}
    assert numbers(on_air, 1, {}) == {}
    assert numbers(on_air, 2, {"anna": 31}) == {"anna": [26, 27, 28, 29, 30]}, "the chunk in which she is first"
    assert numbers(on_air, 3, {"anna": 36}) == {"anna": [31, 32, 33, 34, 35]}
    assert numbers(on_air, 4, {}) == {}, "held: nothing of hers was mixed"


def test_a_seat_that_pauses_or_loses_frames_is_silent_there() -> None:
    on_air = OnAir()
    for number in (1, 2, 4, 5, 6, 7):
        on_air.offer(sent("anna", number))
    assert numbers(on_air, 0, {"anna": 0}) == {"anna": [0] * 5}
    assert numbers(on_air, 1, {"anna": 6}) == {"anna": [1, 2, 4, 5, 0]}
    assert numbers(on_air, 2, {"anna": 8}) == {"anna": [6, 7, 0, 0, 0]}
    assert numbers(on_air, 3, {"anna": 8}) == {"anna": [0] * 5}


def test_another_feed_of_the_same_seat_begins_anew() -> None:
    on_air = OnAir()
    for number in [*range(1, 6), *range(500, 520)]:
        on_air.offer(sent("anna", number))
    assert numbers(on_air, 0, {"anna": 6}) == {"anna": [1, 2, 3, 4, 5]}
    assert numbers(on_air, 1, {"anna": 510}) == {"anna": [505, 506, 507, 508, 509]}


def test_what_waits_is_bounded_and_a_crowd_of_seats_does_not_drive_out_who_speaks() -> None:
    on_air = OnAir()
    for number in range(1, SEAT_FRAMES_MAX + 51):
        on_air.offer(sent("anna", number))
    assert numbers(on_air, 0, {"anna": 56}) == {"anna": [51, 52, 53, 54, 55]}, "the oldest 50 are gone"
    for seat in range(3 * SEATS_MAX):
        on_air.offer(sent(f"stranger-{seat}", 7))
    assert numbers(on_air, 1, {"anna": 61}) == {"anna": [56, 57, 58, 59, 60]}
