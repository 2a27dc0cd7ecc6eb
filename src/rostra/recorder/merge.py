"""From segments to a replay: one Ogg/Opus file without encoding anything anew, and the files that tell of it."""

import os
from collections.abc import Iterator, Sequence
from hashlib import file_digest
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from rostra.audio.containers import ogg
from rostra.audio.frame import silence
from rostra.audio.opus import OpusEncoder
from rostra.core.errors import BadInputError
from rostra.core.units import CHUNK_FRAMES, CHUNK_NS, CHUNK_SAMPLES, SECOND_NS
from rostra.recorder import layout
from rostra.recorder.disk import blocks
from rostra.recorder.journal import Conversing, Journal
from rostra.recorder.level import gain_db, integrated_lufs
from rostra.recorder.replay import (
    Chapter,
    Gap,
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

_SILENCE_BPS: Final = 64_000
_R128_LUFS: Final = -23.0  # what R128_TRACK_GAIN leads to, on top of the output gain (RFC 7845 §5.2.1)
_GAIN_STEPS_PER_DB: Final = 256


class FileDigest(msgspec.Struct, frozen=True):
    """A file as it was when the recording was finished."""

    bytes: int
    sha256: str


class Loudness(msgspec.Struct, frozen=True):
    """What was measured (LUFS, dBTP), and the gain that every player of the replay applies."""

    lufs: float
    peak_dbtp: float
    gain_db: float


class Speaker(msgspec.Struct, frozen=True):
    """Who was on the air, and for how long; `name` is the seat's where nobody gave one (a feed)."""

    seat: str
    name: str
    seconds: float


class StemPiece(msgspec.Struct, frozen=True):
    """A seat's sound without a hole. `at_s`: its place in the replay as the seat meant it to be heard."""

    seat: str
    file: str
    begins_ms: int
    at_s: float
    seconds: float


class Manifest(msgspec.Struct, frozen=True):
    """recording.json: everything that is known of a finished recording. `begun`: somebody was on the air."""

    version: int
    id: str
    title: str
    language: str
    timezone: str
    announced_ms: int
    begins_ms: int
    made_ms: int
    seconds: float
    begun: bool
    complete: bool
    loudness: Loudness | None
    gaps: list[Gap]
    chapters: list[Chapter]
    speakers: list[Speaker]
    stems: list[StemPiece]
    files: dict[str, FileDigest]


def read_manifest(folder: Path) -> Manifest | None:
    """What recording.json says; None while the recording is not finished. BadInputError if it is damaged."""
    try:
        data = (folder / layout.MANIFEST).read_bytes()
    except FileNotFoundError:
        return None
    try:
        return msgspec.json.decode(data, type=Manifest)
    except msgspec.DecodeError as error:
        raise BadInputError(f"{folder.name}/{layout.MANIFEST} cannot be read: {error}.") from error


def merge(folder: Path, *, now_ns: int) -> Manifest:
    """Make replay.opus, chapters.json and, last, recording.json. OSError; BadInputError without a journal."""
    journal = surveyed(folder, read_journal(folder))
    conversation = journal.conversation
    if conversation is None:
        raise BadInputError(f"The journal of {folder.name} does not say which conversation it is.")
    segments = journal.programme
    first = first_chunk(journal)
    end = max((segment.end for segment in segments), default=first)
    begins_ns = wall_ns(segments, first) if segments else conversation.doors_ns
    loudness = _loudness(journal, first)
    made: list[Chapter] = []
    if end > first:
        made = chapters(journal, first=first, end=end)
        _write_replay(folder, _header(conversation, loudness), plan(segments, first=first, end=end))
        listed = {"version": "1.2.0", "title": conversation.title, "chapters": made}
        _replace(folder / layout.CHAPTERS, msgspec.json.format(msgspec.json.encode(listed)))
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
            path.name: FileDigest(path.stat().st_size, sha256(path))
            for path in sorted(folder.iterdir())
            if layout.parse_segment(path.name) or path.name in {layout.REPLAY, layout.CHAPTERS, layout.JOURNAL}
        },
    )
    _replace(folder / layout.MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
    return manifest


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _loudness(journal: Journal, first: int) -> Loudness | None:
    """Of what the replay holds; None if nothing was measured or heard."""
    levels = [level for number, level in journal.levels.items() if number >= first]
    lufs = integrated_lufs(level.lufs for level in levels)
    if lufs == float("-inf"):
        return None
    peak_dbtp = max(level.peak_dbtp for level in levels)
    return Loudness(round(lufs, 2), peak_dbtp, round(gain_db(lufs, peak_dbtp), 2))


def _header(conversation: Conversing, loudness: Loudness | None) -> bytes:
    comments = {"TITLE": conversation.title, "LANGUAGE": conversation.language}
    if loudness is not None:
        rest_db = _R128_LUFS - loudness.lufs - loudness.gain_db
        comments["R128_TRACK_GAIN"] = str(round(rest_db * _GAIN_STEPS_PER_DB))
    return ogg.init(
        pre_skip=OpusEncoder(_SILENCE_BPS).pre_skip,
        application="rostra",
        gain_db=0.0 if loudness is None else loudness.gain_db,
        comments=comments,
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


def _write_replay(folder: Path, header: bytes, parts: Sequence[Sound | Silence]) -> None:
    unfinished = folder / f".{layout.REPLAY}"
    last = parts[-1].end - parts[0].first - 1
    with unfinished.open("wb") as file:
        file.write(header)
        for number, page in enumerate(_pages(folder, parts)):
            file.write(ogg.moved(page, pts=number * CHUNK_SAMPLES, last=number == last))
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(folder / layout.REPLAY)


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


def _replace(path: Path, data: bytes) -> None:
    """Write `path` as a whole or not at all."""
    unfinished = path.with_name(f".{path.name}")
    with unfinished.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
