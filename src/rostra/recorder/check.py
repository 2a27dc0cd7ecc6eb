"""`rostra fsck` for recordings: is every segment there, readable, as its journal says; what is missing, when."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rostra.bus.fsck import Finding
from rostra.core.errors import BadInputError
from rostra.disk import try_lock
from rostra.recorder import archive, layout
from rostra.recorder.journal import Journal, Segment
from rostra.recorder.manifest import Manifest, read_manifest, sha256
from rostra.recorder.replay import gaps
from rostra.recorder.survey import held_end, read_journal


def check_recordings(recordings: Path) -> tuple[int, list[Finding]]:
    """How many segments were read, and every finding. Nothing is changed: the recorder repairs what it can."""
    findings: list[Finding] = []
    read = 0
    deleted: list[Path] = []
    try:
        deleted = archive.leftovers(recordings)
    except BadInputError as error:
        findings.append(Finding(layout.TOMBSTONES, str(error)))
    findings += [Finding(folder.name, "deleted, but files of it are still there") for folder in deleted]
    for folder in archive.folders(recordings):
        if folder in deleted:
            continue
        try:
            names = sorted(path.name for path in folder.iterdir())  # before the journal: a segment is in it first
            journal = read_journal(folder)
            read += len(journal.segments)
            findings += _findings(folder, names, journal)
        except BadInputError as error:
            findings.append(Finding(folder.name, str(error)))
    return read, findings


def _findings(folder: Path, names: list[str], journal: Journal) -> Iterator[Finding]:
    for segment in journal.segments.values():
        end = held_end(folder, segment)
        if end < segment.end:
            yield Finding(f"{folder.name}/{segment.file}", _truncated(segment, end))
            segment.end = end
    for gap in gaps(journal, first=0):
        span = f"from {_wall(gap.from_ms)} to {_wall(gap.to_ms)}"
        yield Finding(folder.name, f"{gap.seconds:.1f} s of the programme are missing {span} ({gap.because})")
    for name in names:
        if layout.parse_segment(name) and name not in journal.segments:
            yield Finding(f"{folder.name}/{name}", "the journal does not know this file")
    manifest = read_manifest(folder)
    if manifest is None:
        if journal.closed is not None and not _is_held(folder / layout.LOCK):
            yield Finding(folder.name, "ended, and no recorder is making its replay")
        return
    if manifest.replay == layout.COPY and not _is_held(folder.parent / layout.MASTERING):
        yield Finding(folder.name, "its replay is only a copy, and no recorder is there to master it")
    found = list(_changed(folder, manifest))
    if found and (mastered := read_manifest(folder)) is not None and mastered != manifest:
        found = list(_changed(folder, mastered))  # while we read
    yield from found


def _changed(folder: Path, manifest: Manifest) -> Iterator[Finding]:
    for name, digest in manifest.files.items():
        path = folder / name
        if not path.exists():
            yield Finding(f"{folder.name}/{name}", "the file is gone")
        elif path.stat().st_size != digest.bytes or sha256(path) != digest.sha256:
            yield Finding(f"{folder.name}/{name}", "the file is not what it was when the recording was finished")


def _truncated(segment: Segment, end: int) -> str:
    unit_ns = layout.unit_ns(segment.track)
    missing_s = (segment.end - end) * unit_ns / 1e9
    from_ms = (segment.ends_ns - (segment.end - end) * unit_ns) // 1_000_000
    span = f"from {_wall(from_ms)} to {_wall(segment.ends_ns // 1_000_000)}"
    return f"damaged: its last {missing_s:.1f} s, {span}, cannot be read"


def _wall(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")


def _is_held(path: Path) -> bool:
    """Whether a recorder has locked it."""
    with path.open("ab") as lock:
        return not try_lock(lock)
