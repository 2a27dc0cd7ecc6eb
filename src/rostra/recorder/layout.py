"""Where a recording lies and what its files are called. Pure.

A recording is the folder of its conversation's id. Sound lies in *segments*: files whose content is contiguous,
named after their track and the first number in them. The programme counts chunks of 100 ms since doors-open; a
stem (one seat) counts frames of 20 ms since the Unix epoch, as its seat does.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rostra.core.units import CHUNK_NS, FRAME_NS

JOURNAL: Final = "journal.jsonl"
LOCK: Final = "lock"
COPY: Final = "copy.opus"  # what was recorded, served as REPLAY until that is mastered
REPLAY: Final = "replay.opus"  # for browsers
PODCAST: Final = "replay.m4a"  # for podcast players, of which many know no Opus
MANIFEST: Final = "recording.json"
CHAPTERS: Final = "chapters.json"
CAPTIONS: Final = "captions.json"  # what listeners could read
TRANSCRIPT: Final = "transcript.json"  # what was understood afterwards
TRANSCRIBING: Final = "transcribing.lock"  # of the folder of recordings
TOMBSTONES: Final = "deletions.jsonl"
MASTERING: Final = "mastering.lock"  # beside the recordings: locked by the one recorder that masters them

PROGRAMME: Final = "programme"
_STEM: Final = "stem-"
SUFFIXES: Final[Mapping[str, str]] = {"flac": "flac", "opus": "ogg"}  # of a stem, by the setting recording_stems
_NAME: Final = re.compile(r"(programme|stem-[a-z0-9-]{1,64})-(\d{12})\.(ogg|flac)")


@dataclass(frozen=True, slots=True)
class SegmentName:
    """What the name of a segment says: its track, and the number of the first chunk or frame in it."""

    track: str
    first: int
    suffix: str

    def __str__(self) -> str:
        return f"{self.track}-{self.first:012d}.{self.suffix}"


def stem(seat: str) -> str:
    """The track of a seat."""
    return _STEM + seat


def seat_of(track: str) -> str | None:
    """The seat of a track; None for the programme."""
    return None if track == PROGRAMME else track.removeprefix(_STEM)


def parse_segment(name: str) -> SegmentName | None:
    """What `name` says; None if it is no segment's."""
    match = _NAME.fullmatch(name)
    return None if match is None else SegmentName(match[1], int(match[2]), match[3])


def unit_ns(track: str) -> int:
    """How long one number of `track` lasts."""
    return CHUNK_NS if track == PROGRAMME else FRAME_NS
