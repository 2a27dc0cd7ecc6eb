"""A transcript has what was on the air, in order, under the names of those who said it."""

import json
from typing import Literal

import pytest

from rostra.core.errors import BadInputError
from rostra.core.messages import Caption
from rostra.core.units import CHUNK_SAMPLES
from rostra.recorder.journal import Captioned, Conversing, Journal, Seated, read, summed, to_line
from rostra.recorder.transcriber import on_air
from rostra.recorder.transcript import LIVE, Segment, as_json, as_text, as_webvtt, decode, of_captions, transcript


def caption(
    name: str, chunk: int, text: str, status: Literal["partial", "final", "skipped"] = "final"
) -> Captioned:
    start = chunk * CHUNK_SAMPLES
    end = start + CHUNK_SAMPLES
    return Captioned(0, chunk, Caption(f"{name}-{start}", name, name.title(), start, end, text, status))


def journal(*captions: Captioned) -> Journal:
    conversation = Conversing(0, "evening", "Evening", 0, 0, "UTC", "en", "ended")
    lines = b"".join(to_line(entry) for entry in (conversation, *captions))
    return summed(read(lines)[0])


def test_live_captions_become_a_transcript_in_the_replays_time() -> None:
    made = of_captions(
        journal(
            caption("anna", 30, "Good"),
            caption("bob", 32, "Evening."),
            caption("anna", 30, "Good evening."),
            caption("anna", 34, "", "skipped"),
            caption("bob", 36, ""),
            caption("anna", 10, "before the replay"),
        ),
        first=20,
        end=100,
    )
    assert made.segments == [
        Segment("Anna", 1.0, 1.1, "Good evening."),
        Segment("Bob", 1.2, 1.3, "Evening."),
        Segment("Anna", 1.4, 1.5, "[…]"),
    ]
    assert (made.language, made.made_by) == ("en", LIVE)


def test_a_transcript_is_the_same_after_the_disk_and_in_podcasting_2s_words() -> None:
    made = transcript([Segment("Anna", 1.5, 2, "No.")], language="en", made_by="a test")
    assert decode(as_json(made).encode()) == made
    assert json.loads(as_json(made)) == {
        "version": "1.0.0",
        "language": "en",
        "madeBy": "a test",
        "segments": [{"speaker": "Anna", "startTime": 1.5, "endTime": 2.0, "body": "No."}],
    }
    with pytest.raises(BadInputError):
        decode(b"{}")


def test_plain_text_has_a_paragraph_for_each_turn() -> None:
    segments = [Segment("Anna", 0, 1, "One."), Segment("Anna", 1, 2, "Two."), Segment("Bob", 2, 3, "Three.")]
    made = transcript(reversed(segments), language="en", made_by="a test")
    assert as_text(made) == "Anna: One. Two.\n\nBob: Three.\n"
    assert as_webvtt(made).count("<v Anna>") == 2


def test_a_seat_is_on_the_air_from_chunk_to_chunk_and_only_within_the_replay() -> None:
    made = journal()
    made.seats += [
        Seated(0, 5, ["anna"]),
        Seated(0, 30, ["anna", "bob"]),
        Seated(0, 40, ["bob"]),
        Seated(0, 50, []),
    ]
    made.seats += [Seated(0, 60, ["anna"])]
    assert on_air(made, "anna", first=10, seconds=8.0) == [(0.0, 3.0), (5.0, 8.0)]
    assert on_air(made, "bob", first=10, seconds=8.0) == [(2.0, 4.0)]
    assert on_air(made, "nobody", first=10, seconds=8.0) == []
