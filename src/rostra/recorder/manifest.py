"""recording.json: all that is known of a finished recording. Loads no sound: the command line reads it too."""

from hashlib import file_digest
from pathlib import Path

import msgspec

from rostra.core.errors import BadInputError
from rostra.disk import replace
from rostra.recorder import layout
from rostra.recorder.replay import Chapter, Gap
from rostra.recorder.voices import VoiceAccount


class FileDigest(msgspec.Struct, frozen=True):
    """A file as it was when the recording was finished."""

    bytes: int
    sha256: str


class Loudness(msgspec.Struct, frozen=True):
    """Of the replay: its loudness (LUFS), its true peak (dBTP), and by how much it is louder than what was said."""

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
    voices: list[VoiceAccount] = []

    @property
    def replay(self) -> str:
        """The file that is served as the replay: a copy of what was recorded, until it is mastered."""
        return layout.COPY if layout.COPY in self.files else layout.REPLAY


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


def has_transcript(manifest: Manifest) -> bool:
    return not manifest.files.keys().isdisjoint({layout.TRANSCRIPT, layout.CAPTIONS})


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """What it says holds from now on."""
    replace(folder / layout.MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))


def digest(path: Path) -> FileDigest:
    return FileDigest(path.stat().st_size, sha256(path))


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
