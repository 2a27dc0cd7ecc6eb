"""What was said in a recording, as text: Podcasting 2.0's JSON, WebVTT and plain lines of the same. Pure."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final

import msgspec

from rostra.core.errors import BadInputError
from rostra.core.units import CHUNK_SAMPLES, SAMPLE_RATE_HZ
from rostra.core.webvtt import GAP, Cue, webvtt
from rostra.recorder.journal import Journal

LIVE: Final = "live"


class Segment(msgspec.Struct, frozen=True, rename="camel"):
    """What `speaker` said between two seconds of the replay."""

    speaker: str
    start_time: float
    end_time: float
    body: str


class Transcript(msgspec.Struct, frozen=True, rename="camel"):
    """As Podcasting 2.0 writes it, with the language and who has understood it so (`LIVE`: the live captions)."""

    version: str
    language: str
    made_by: str
    segments: list[Segment]


def transcript(segments: Iterable[Segment], *, language: str, made_by: str) -> Transcript:
    """Segments in the order of their beginning."""
    ordered = sorted(segments, key=lambda each: (each.start_time, each.end_time))
    return Transcript("1.0.0", language, made_by, ordered)


def of_captions(journal: Journal, *, first: int, end: int) -> Transcript:
    """What listeners could read live of chunks [first, end)."""
    begins = first * CHUNK_SAMPLES
    segments = [
        Segment(
            caption.name,
            round((caption.start - begins) / SAMPLE_RATE_HZ, 3),
            round((caption.end - begins) / SAMPLE_RATE_HZ, 3),
            GAP if caption.status == "skipped" else caption.text,
        )
        for caption in journal.captions.values()
        if caption.start >= begins and caption.end <= end * CHUNK_SAMPLES
    ]
    language = "" if journal.conversation is None else journal.conversation.language
    return transcript((each for each in segments if each.body), language=language, made_by=LIVE)


def decode(data: bytes) -> Transcript:
    """A transcript as `msgspec.json` has written it. BadInputError if it is none."""
    try:
        return msgspec.json.decode(data, type=Transcript)
    except msgspec.DecodeError as error:
        raise BadInputError(f"This is no transcript: {error}.") from error


def as_json(made: Transcript) -> str:
    return msgspec.json.encode(made).decode()


def as_webvtt(made: Transcript) -> str:
    return webvtt(Cue(each.start_time, each.end_time, each.speaker, each.body) for each in made.segments)


def as_text(made: Transcript) -> str:
    """A paragraph for each turn of a speaker."""
    return "\n".join(_paragraphs(made))


def _paragraphs(made: Transcript) -> Iterator[str]:
    for speaker, turn in groupby(made.segments, key=lambda each: each.speaker):
        yield f"{speaker}: {' '.join(each.body for each in turn)}\n"
