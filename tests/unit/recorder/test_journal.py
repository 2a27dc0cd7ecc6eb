"""The journal reads back as what was written, torn last lines are left out, nonsense is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.core.errors import BadInputError
from rostra.core.messages import StageEvent
from rostra.core.units import CHUNK_NS
from rostra.recorder.journal import (
    AnyEntry,
    Arrived,
    Closed,
    Conversing,
    Happened,
    Level,
    Levels,
    Named,
    Opened,
    Seated,
    Synced,
    read,
    summed,
    to_line,
)
from rostra.recorder.layout import SegmentName, parse_segment, stem
from rostra.recorder.tracks import Cursor

NAME = "programme-000000000007.ogg"
ENTRIES: list[AnyEntry] = [
    Conversing(1, "evening", "Evening", 2, 3, "UTC", "en", "live"),
    Opened(4, NAME, 1_000, "begin"),
    Happened(5, 8, StageEvent("state", 38_400, "live")),
    Seated(5, 8, ["anna"]),
    Named(5, {"anna": "Anna B."}),
    Levels(6, 7, [-16.0, -15.5], [-1.2, -3.0]),
    Synced(6, {NAME: (9, 1_800)}),
    Arrived(6, 8, "gate", "anna", 3, {"transport": "whip"}, {"received": 250.0, "jitter_ms": 1.5}),
    Closed(7, heard_end=True),
]


def test_a_journal_adds_up_to_what_was_written() -> None:
    entries, whole = read(b"".join(to_line(entry) for entry in ENTRIES))
    assert entries == ENTRIES
    assert whole == sum(len(to_line(entry)) for entry in ENTRIES)
    journal = summed(entries)
    (segment,) = journal.programme
    assert (segment.first, segment.end, segment.size, segment.because) == (7, 9, 1_800, "begin")
    assert journal.cursor("programme") == Cursor(9, 1_000 + 2 * CHUNK_NS)
    assert journal.levels == {7: Level(-16.0, -1.2), 8: Level(-15.5, -3.0)}
    assert journal.names == {"anna": "Anna B."}
    assert journal.closed == Closed(7, heard_end=True)


@given(st.integers(0, 500))
def test_wherever_a_crash_tears_it_the_whole_lines_are_read(length: int) -> None:
    data = b"".join(to_line(entry) for entry in ENTRIES)[:length]
    entries, whole = read(data)
    assert entries == ENTRIES[: len(entries)]
    assert whole == sum(len(to_line(entry)) for entry in entries) <= len(data)


@pytest.mark.parametrize(
    "line",
    [b"{}", b"nonsense", b'{"type":"opened","at_ns":1,"file":"../../etc/passwd","starts_ns":1,"because":"begin"}'],
)
def test_what_is_no_journal_is_refused(line: bytes) -> None:
    with pytest.raises(BadInputError):
        summed(read(line + b"\n")[0])


def test_a_segment_without_sound_is_not_where_a_track_goes_on() -> None:
    empty = Opened(8, "programme-000000000020.ogg", 5_000, "hole")
    assert summed([*ENTRIES, empty]).cursor("programme") == Cursor(9, 1_000 + 2 * CHUNK_NS)


@given(st.from_regex(r"[a-z0-9-]{1,64}", fullmatch=True), st.integers(0, 10**12 - 1))
def test_names_of_segments_read_back(seat: str, first: int) -> None:
    name = SegmentName(stem(seat), first, "flac")
    assert parse_segment(str(name)) == name


@pytest.mark.parametrize("name", ["replay.opus", "stem-../x-000000000001.flac", "programme-1.ogg", "journal.jsonl"])
def test_other_files_are_no_segments(name: str) -> None:
    assert parse_segment(name) is None
