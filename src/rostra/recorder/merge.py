"""From segments to a replay: one file of sound without encoding anything anew, and those that tell of it."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Final

import msgspec

from rostra.audio.containers import ogg
from rostra.audio.frame import silence
from rostra.audio.opus import OpusEncoder
from rostra.core.errors import BadInputError
from rostra.core.units import CHUNK_FRAMES, CHUNK_NS, CHUNK_SAMPLES, SECOND_NS
from rostra.disk import blocks, finish, need_room, replace, unfinished
from rostra.recorder import layout
from rostra.recorder.journal import Conversing, Journal, Level
from rostra.recorder.level import integrated_lufs, unlimited_gain_db
from rostra.recorder.manifest import Loudness, Manifest, Speaker, StemPiece, digest, write_manifest
from rostra.recorder.replay import (
    Chapter,
    Silence,
    Sound,
    chapters,
    first_chunk,
    gaps,
    plan,
    seconds_on_air,
    wall_ns,
)
from rostra.recorder.survey import read_journal, surveyed
from rostra.recorder.transcript import of_captions
from rostra.recorder.voices import voices

_LISTED: Final = {layout.COPY, layout.CHAPTERS, layout.CAPTIONS, layout.JOURNAL}
_SILENCE_BPS: Final = 64_000


def merge(folder: Path, *, now_ns: int) -> Manifest:
    """Make a copy as the replay, chapters and, last, recording.json. OSError; BadInputError without a journal."""
    journal = surveyed(folder, read_journal(folder))
    conversation = journal.conversation
    if conversation is None:
        raise BadInputError(f"The journal of {folder.name} does not say which conversation it is.")
    segments = journal.programme
    first = first_chunk(journal)
    end = max((segment.end for segment in segments), default=first)
    end = max(first, end)  # what was said from `first` on may have been lost
    begins_ns = wall_ns(segments, first) if segments else conversation.doors_ns
    loudness: Loudness | None = None
    made: list[Chapter] = []
    if end > first:
        made = chapters(journal, first=first, end=end)
        loudness = _loudness(journal, first)
        _write_copy(folder, _header(conversation, loudness), plan(segments, first=first, end=end))
        listed = {"version": "1.2.0", "title": conversation.title, "chapters": made}
        replace(folder / layout.CHAPTERS, msgspec.json.format(msgspec.json.encode(listed)))
        captions = of_captions(journal, first=first, end=end)
        if captions.segments:
            replace(folder / layout.CAPTIONS, msgspec.json.encode(captions))
    missing = gaps(journal, first=first)
    manifest = Manifest(
        version=1,
        id=conversation.id,
        title=conversation.title,
        language=conversation.language,
        timezone=conversation.timezone,
        announced_ms=conversation.starts_ns // 1_000_000,
        begins_ms=begins_ns // 1_000_000,
        made_ms=now_ns // 1_000_000,
        seconds=(end - first) * CHUNK_NS / SECOND_NS,
        begun=any(each.event.value == "live" for each in journal.events if each.event.kind == "state"),
        complete=bool(segments) and not missing,
        loudness=loudness,
        gaps=missing,
        chapters=made,
        speakers=[
            Speaker(seat, journal.names.get(seat, seat), seconds)
            for seat, seconds in seconds_on_air(journal, end=end).items()
        ],
        stems=_stems(journal, begins_ns),
        files={
            path.name: digest(path)
            for path in sorted(folder.iterdir())
            if layout.parse_segment(path.name) or path.name in _LISTED
        },
        voices=voices(journal, first=first),
    )
    write_manifest(folder, manifest)
    return manifest


def _loudness(journal: Journal, first: int) -> Loudness | None:
    """Of the copy with its gain; None if nothing is to be heard in it."""
    levels = [level for number, level in journal.levels.items() if number >= first]
    lufs = integrated_lufs(level.lufs for level in levels)
    if not isfinite(lufs):
        return None
    recorded = Level(lufs, max(level.peak_dbtp for level in levels))
    gain_db = round(unlimited_gain_db(recorded), 2)
    return Loudness(round(lufs + gain_db, 2), round(recorded.peak_dbtp + gain_db, 2), gain_db)


def _header(conversation: Conversing, loudness: Loudness | None) -> bytes:
    return ogg.init(
        pre_skip=OpusEncoder(_SILENCE_BPS).pre_skip,
        application="rostra",
        gain_db=0.0 if loudness is None else loudness.gain_db,
        comments={"TITLE": conversation.title, "LANGUAGE": conversation.language},
    )


def _stems(journal: Journal, begins_ns: int) -> list[StemPiece]:
    return [
        StemPiece(
            seat=layout.seat_of(track) or "",
            file=segment.file,
            begins_ms=segment.starts_ns // 1_000_000,
            at_s=round((segment.starts_ns - begins_ns) / SECOND_NS, 3),
            seconds=(segment.ends_ns - segment.starts_ns) / SECOND_NS,
        )
        for track in journal.tracks
        if track != layout.PROGRAMME
        for segment in journal.of_track(track)
    ]


def _write_copy(folder: Path, header: bytes, parts: Sequence[Sound | Silence]) -> None:
    need_room(folder, sum((folder / part.file).stat().st_size for part in parts if isinstance(part, Sound)))
    copy, last = folder / layout.COPY, parts[-1].end - parts[0].first - 1
    made = unfinished(copy)
    try:
        with made.open("wb") as file:
            file.write(header)
            for number, page in enumerate(_pages(folder, parts)):
                file.write(ogg.moved(page, pts=number * CHUNK_SAMPLES, last=number == last))
        finish(made, copy)
    except OSError:
        with suppress(OSError):
            made.unlink(missing_ok=True)
        raise


def _pages(folder: Path, parts: Sequence[Sound | Silence]) -> Iterator[bytes]:
    """One page for each chunk of `parts`."""
    quiet = _silent_page()
    for part in parts:
        match part:
            case Silence():
                yield from (quiet for _ in range(part.first, part.end))
            case Sound():
                sound = (page for page in ogg.pages(blocks(folder / part.file)) if _reaches(page, part.first))
                yield from islice(sound, part.end - part.first)


def _reaches(page: bytes, first: int) -> bool:
    number = ogg.number(page)
    return number is not None and number >= first


def _silent_page() -> bytes:
    encoder = OpusEncoder(_SILENCE_BPS)
    for _ in range(CHUNK_FRAMES):
        encoder.encode(silence())
    return ogg.chunk([encoder.encode(silence()) for _ in range(CHUNK_FRAMES)], pts=0)
