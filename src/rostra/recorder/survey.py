"""How much of each segment is there: what the journal says against what the files hold."""

from pathlib import Path

from rostra.audio.containers import ogg
from rostra.audio.source import frames_from
from rostra.core.errors import BadInputError, SourceError
from rostra.disk import blocks
from rostra.recorder import layout
from rostra.recorder.journal import Journal, Segment, read, summed


def read_journal(folder: Path) -> Journal:
    """The journal of the recording in `folder`. BadInputError if there is none or it cannot be read."""
    try:
        entries, _ = read((folder / layout.JOURNAL).read_bytes())
    except OSError as error:
        raise BadInputError(f"The recording {folder.name} has no journal: {error.strerror}.") from error
    return summed(entries)


def held_end(folder: Path, segment: Segment) -> int:
    """The number after the last that `segment` really holds in one piece.

    The programme's pages carry numbers and checksums and are all read. A stem that is as long as its journal says
    is believed; a shorter one is decoded as far as it goes.
    """
    path = folder / segment.file
    if not path.exists():
        return segment.first
    if segment.track == layout.PROGRAMME:
        return _pages_end(path, segment)
    if path.stat().st_size >= segment.size:
        return segment.end
    frames = 0
    try:
        for _ in frames_from(str(path)):
            frames += 1
    except SourceError:
        frames = max(0, frames - 1)  # the last one may be padded
    return min(segment.end, segment.first + frames)


def _pages_end(path: Path, segment: Segment) -> int:
    end = segment.first
    for page in ogg.pages(blocks(path)):
        number = ogg.number(page)
        if number is None:
            continue
        if number != end:
            break
        end += 1
    return end


def surveyed(folder: Path, journal: Journal) -> Journal:
    """`journal` with each segment's end where its sound really ends."""
    for segment in journal.segments.values():
        segment.end = min(segment.end, held_end(folder, segment))
    return journal
