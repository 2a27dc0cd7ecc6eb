"""The journal of a recording: one JSON line per event, and what they add up to. Pure.

A line is written after the bytes that it speaks of are on the disk, except `opened`, which is written before.
So what a process that was killed leaves behind is at least what its journal says.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

from rostra.core.errors import BadInputError
from rostra.core.messages import Caption, StageEvent
from rostra.recorder.layout import PROGRAMME, parse_segment, unit_ns
from rostra.recorder.tracks import Cursor


class Level(NamedTuple):
    """Momentary loudness at the end of a chunk, which is a gating block (BS.1770-5), and the true peak in it."""

    lufs: float
    peak_dbtp: float


class Entry(msgspec.Struct, frozen=True, tag_field="type", omit_defaults=True):
    """Base of every line; `at_ns` is the wall instant of its writing."""

    at_ns: int


class Conversing(Entry, frozen=True, tag="conversation"):
    """The conversation as the bus has it; the last such line holds."""

    id: str
    title: str
    starts_ns: int
    doors_ns: int
    timezone: str
    language: str
    state: str
    since_ns: int = 0


class Opened(Entry, frozen=True, tag="opened"):
    """A segment begins; `starts_ns` is the wall instant of its first sample, `because` why it is a new one.

    because: `begin` (the first of its track), `hole` (numbers are missing before it), `pause` (the source came
    later than its numbers say), `restart` (of the recorder), `disk` (the former one could not be written on).
    """

    file: str
    starts_ns: int
    because: str


class Synced(Entry, frozen=True, tag="synced"):
    """So far each of these segments is on the disk: the number after its last, and its length in bytes."""

    files: dict[str, tuple[int, int]]


class Levels(Entry, frozen=True, tag="levels"):
    """Momentary loudness (LUFS, at the end of each chunk from `first` on) and the true peak in each (dBTP)."""

    first: int
    lufs: list[float]
    peaks_dbtp: list[float]


class Happened(Entry, frozen=True, tag="happened"):
    """An event of the programme, in chunk `seq`."""

    seq: int
    event: StageEvent


class Captioned(Entry, frozen=True, tag="captioned"):
    """A caption that chunk `seq` brought, and that stays as it is."""

    seq: int
    caption: Caption


class Seated(Entry, frozen=True, tag="seated"):
    """From chunk `seq` on these seats are on the air."""

    seq: int
    seats: list[str]


class Named(Entry, frozen=True, tag="named"):
    """What the people on these seats are called, by seat; a seat without a name is a feed."""

    names: dict[str, str]


class Arrived(Entry, frozen=True, tag="arrived"):
    """What became of a voice on one hop since `since_ns`, by chunk `seq`: `core.messages.HopReport`."""

    seq: int
    hop: str
    seat: str
    since_ns: int
    path: dict[str, str]
    counts: dict[str, float]


class Closed(Entry, frozen=True, tag="closed"):
    """Nothing more comes; `heard_end` tells whether the programme's last chunk was heard."""

    heard_end: bool


AnyEntry = Conversing | Opened | Synced | Levels | Happened | Captioned | Seated | Named | Arrived | Closed

_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[AnyEntry] = msgspec.json.Decoder(AnyEntry)


def to_line(entry: AnyEntry) -> bytes:
    return _encoder.encode(entry) + b"\n"


def read(data: bytes) -> tuple[list[AnyEntry], int]:
    """The entries of a journal, and the bytes they take: a last line that was torn by a crash is left out.

    BadInputError for anything else that is no journal.
    """
    whole = data.rfind(b"\n") + 1
    try:
        return [_decoder.decode(line) for line in data[:whole].splitlines()], whole
    except msgspec.DecodeError as error:
        raise BadInputError(f"This is no journal of this version of Rostra: {error}.") from error


@dataclass(slots=True)
class Segment:
    """A segment as its journal has it: numbers [first, end), `size` bytes on the disk."""

    file: str
    track: str
    first: int
    end: int
    size: int
    starts_ns: int
    because: str

    @property
    def ends_ns(self) -> int:
        return self.starts_ns + (self.end - self.first) * unit_ns(self.track)


@dataclass(slots=True)
class Journal:
    """What a recording's journal adds up to."""

    conversation: Conversing | None = None
    segments: dict[str, Segment] = field(default_factory=dict)
    events: list[Happened] = field(default_factory=list)
    captions: dict[str, Caption] = field(default_factory=dict)
    seats: list[Seated] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    arrivals: list[Arrived] = field(default_factory=list)
    levels: dict[int, Level] = field(default_factory=dict)
    closed: Closed | None = None

    def of_track(self, track: str) -> list[Segment]:
        """Its segments that hold something, in the order of their numbers."""
        held = (each for each in self.segments.values() if each.track == track and each.end > each.first)
        return sorted(held, key=lambda each: each.first)

    @property
    def programme(self) -> list[Segment]:
        return self.of_track(PROGRAMME)

    @property
    def tracks(self) -> list[str]:
        return sorted({segment.track for segment in self.segments.values()})

    def cursor(self, track: str) -> Cursor | None:
        """Where `track` goes on."""
        segments = self.of_track(track)
        return Cursor(segments[-1].end, segments[-1].ends_ns) if segments else None


def summed(entries: Iterable[AnyEntry]) -> Journal:
    """What `entries` add up to. BadInputError if they contradict one another."""
    journal = Journal()
    for entry in entries:
        match entry:
            case Conversing():
                journal.conversation = entry
            case Opened(file=file):
                name = parse_segment(file)
                if name is None:
                    raise BadInputError(f"The journal names {file[:80]!r}, which is no segment.")
                journal.segments[file] = Segment(
                    file, name.track, name.first, name.first, 0, entry.starts_ns, entry.because
                )
            case Synced(files=files):
                for file, (end, size) in files.items():
                    if file not in journal.segments:
                        raise BadInputError(f"The journal speaks of {file[:80]!r} before it is opened.")
                    journal.segments[file].end, journal.segments[file].size = end, size
            case Levels():
                levels = map(Level, entry.lufs, entry.peaks_dbtp)
                journal.levels |= dict(enumerate(levels, entry.first))
            case Happened():
                journal.events.append(entry)
            case Captioned(caption=caption):
                journal.captions[caption.id] = caption
            case Seated():
                journal.seats.append(entry)
            case Named():
                journal.names |= entry.names
            case Arrived():
                journal.arrivals.append(entry)
            case Closed():
                journal.closed = entry
    return journal
