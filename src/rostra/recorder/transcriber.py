"""A better transcript after the end: each seat's stem, where it was on the air, read to whoever can transcribe.

The sound of a recording leaves its folder only as a question on the bus, and nobody else keeps anything of it: so a
recording that is deleted is gone with its words.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

import structlog

from rostra.audio.frame import Samples, frame_to_pcm16
from rostra.audio.resample import for_recogniser
from rostra.audio.source import frames_from
from rostra.audio.utterance import Utterance, UtteranceCutter
from rostra.bus.captions import transcribed
from rostra.bus.connection import Connection
from rostra.core.errors import BadInputError, BusError, SourceError
from rostra.core.limits import UTTERANCE_LONG_MAX_S
from rostra.core.units import CHUNK_NS, FRAME_NS, SAMPLE_RATE_HZ, SECOND_NS
from rostra.recorder import archive, layout
from rostra.recorder.journal import Journal
from rostra.recorder.manifest import Manifest, StemPiece, read_manifest
from rostra.recorder.replay import first_chunk
from rostra.recorder.survey import read_journal
from rostra.recorder.transcript import Segment, transcript

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Said:
    """Something that `seat` said at second `at_s` of the replay; `sound` is at 16 kHz."""

    seat: str
    at_s: float
    sound: Samples


async def transcribe_all(connection: Connection, recordings: Path) -> None:
    """Transcribe what has no transcript yet, unless another recorder of this machine is doing so."""
    if not recordings.exists():
        return
    with (recordings / layout.TRANSCRIBING).open("ab") as mine:
        try:
            flock(mine, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            return
        for folder in await asyncio.to_thread(lambda: list(archive.folders(recordings))):
            try:
                manifest = await asyncio.to_thread(read_manifest, folder)
                if manifest is not None and manifest.stems and layout.TRANSCRIPT not in manifest.files:
                    await _transcribe(connection, folder, manifest)
            except BusError as error:
                _log.debug("transcript.postponed", conversation=folder.name, error=str(error))
            except (BadInputError, OSError) as error:  # damaged, or deleted meanwhile
                _log.warning("transcript.failed", conversation=folder.name, error=str(error))


async def _transcribe(connection: Connection, folder: Path, manifest: Manifest) -> None:
    made_by = (await transcribed(connection, manifest.language, b"")).recogniser  # is there anybody?
    names = {speaker.seat: speaker.name for speaker in manifest.speakers}
    heard = said(folder, manifest, await asyncio.to_thread(read_journal, folder))
    segments = []
    while (each := await asyncio.to_thread(next, heard, None)) is not None:
        answer = await transcribed(connection, manifest.language, frame_to_pcm16(each.sound))
        made_by = answer.recogniser
        name = names.get(each.seat, each.seat)
        segments += [
            Segment(name, round(each.at_s + phrase.start_s, 3), round(each.at_s + phrase.end_s, 3), phrase.text)
            for phrase in answer.phrases
        ]
    made = transcript(segments, language=manifest.language, made_by=made_by)
    if await asyncio.to_thread(archive.keep_transcript, folder, made):
        _log.info("transcript.made", conversation=manifest.id, segments=len(segments), by=made_by)


def said(folder: Path, manifest: Manifest, journal: Journal) -> Iterator[Said]:
    """Every utterance of every stem, as far as it was on the air; what cannot be read is left out, and logged."""
    first = first_chunk(journal)
    for stem in manifest.stems:
        spans = on_air(journal, stem.seat, first=first, seconds=manifest.seconds)
        if not any(begins_s < stem.at_s + stem.seconds and stem.at_s < ends_s for begins_s, ends_s in spans):
            continue
        try:
            for utterance in _utterances(folder, stem, spans):
                at_s = utterance.start / SAMPLE_RATE_HZ
                yield Said(stem.seat, at_s, for_recogniser(utterance.sound))
        except SourceError as error:
            _log.warning("stem.unreadable", conversation=folder.name, file=stem.file, error=str(error))


def on_air(journal: Journal, seat: str, *, first: int, seconds: float) -> list[tuple[float, float]]:
    """When `seat` was on the air, in seconds of the replay that begins with chunk `first`."""
    spans: list[tuple[float, float]] = []
    begins_s: float | None = None
    for seated in journal.seats:
        at_s = (seated.seq - first) * CHUNK_NS / SECOND_NS
        if seat in seated.seats:
            begins_s = at_s if begins_s is None else begins_s
        elif begins_s is not None:
            spans.append((begins_s, at_s))
            begins_s = None
    if begins_s is not None:
        spans.append((begins_s, seconds))
    return [(max(0.0, begins_s), min(ends_s, seconds)) for begins_s, ends_s in spans]


def _utterances(folder: Path, stem: StemPiece, spans: list[tuple[float, float]]) -> Iterator[Utterance]:
    cutter = UtteranceCutter(longest_s=UTTERANCE_LONG_MAX_S)
    ended: Utterance | None
    for number, frame in enumerate(frames_from(str(folder / stem.file))):
        at_s = stem.at_s + number * FRAME_NS / SECOND_NS
        if any(begins_s <= at_s < ends_s for begins_s, ends_s in spans):
            ended = cutter.push(round(at_s * SAMPLE_RATE_HZ), frame)
        else:
            ended = cutter.flush()
        if ended is not None:
            yield ended
    if (ended := cutter.flush()) is not None:
        yield ended
