"""From segments to a replay: two files of sound, and those that tell of it."""

import errno
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Final

import msgspec

from rostra.audio.containers import ogg
from rostra.audio.frame import silence
from rostra.audio.opus import OpusEncoder
from rostra.core.errors import BadInputError
from rostra.core.limits import RECORDING_DISK_FREE_MIN_BYTES
from rostra.core.units import CHUNK_FRAMES, CHUNK_NS, SECOND_NS
from rostra.recorder import layout
from rostra.recorder.disk import blocks, finish, replace, unfinished
from rostra.recorder.journal import Conversing, Journal
from rostra.recorder.level import integrated_lufs
from rostra.recorder.manifest import FileDigest, Loudness, Manifest, Speaker, StemPiece, sha256
from rostra.recorder.master import AAC_BPS, OPUS_BPS, gain_for, master
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

_LISTED: Final = {layout.REPLAY, layout.PODCAST, layout.CHAPTERS, layout.CAPTIONS, layout.JOURNAL}
_SILENCE_BPS: Final = 64_000
_ROOM: Final = 1.2  # constrained VBR and indexes, on top of the nominal rate


def merge(folder: Path, *, now_ns: int) -> Manifest:
    """Make the replay, its chapters and, last, recording.json. OSError; BadInputError without a journal."""
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
        loudness = _write_replay(
            folder, conversation, plan(segments, first=first, end=end), recorded_lufs=_recorded_lufs(journal, first)
        )
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
            path.name: FileDigest(path.stat().st_size, sha256(path))
            for path in sorted(folder.iterdir())
            if layout.parse_segment(path.name) or path.name in _LISTED
        },
        voices=voices(journal, first=first),
    )
    replace(folder / layout.MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
    return manifest


def _recorded_lufs(journal: Journal, first: int) -> float:
    """Of what the replay holds; minus infinity if nothing was heard."""
    return integrated_lufs(level.lufs for number, level in journal.levels.items() if number >= first)


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


def _write_replay(
    folder: Path, conversation: Conversing, parts: Sequence[Sound | Silence], *, recorded_lufs: float
) -> Loudness | None:
    """Both files, or neither. None if nothing is to be heard in them."""
    count = parts[-1].end - parts[0].first
    needed = count * CHUNK_NS / SECOND_NS * (OPUS_BPS + AAC_BPS) / 8 * _ROOM + RECORDING_DISK_FREE_MIN_BYTES
    if shutil.disk_usage(folder).free < needed:
        raise OSError(errno.ENOSPC, f"the replay needs {needed / 1e6:.0f} MB of room")
    pages = partial(_pages, folder, parts)
    gain_db = gain_for(recorded_lufs, pages, count=count)
    files = folder / layout.REPLAY, folder / layout.PODCAST
    opus, m4a = map(unfinished, files)
    tags = {"title": conversation.title, "language": conversation.language}
    try:
        meter = master(pages(), gain_db=gain_db, opus=opus, m4a=m4a, tags=tags)
        for file in files:
            finish(unfinished(file), file)
    except OSError:
        for made in (opus, m4a):
            with suppress(OSError):
                made.unlink(missing_ok=True)
        raise
    if not isfinite(meter.integrated_lufs):
        return None
    return Loudness(round(meter.integrated_lufs, 2), round(meter.true_peak_dbtp, 2), round(gain_db, 2))


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
