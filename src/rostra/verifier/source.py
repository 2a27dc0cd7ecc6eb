"""Where a log is read from: a folder, an address, or a bundle that anybody may have made."""

import lzma
import re
import tarfile
import time
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Final, Protocol, Self
from urllib.error import HTTPError
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
)

from rostra.verifier.errors import FlawError
from rostra.verifier.tiles import bundled, unbundled

FILE_BYTES_MAX: Final = 256 * (2 + 65_535)  # of a bundle of entries, the largest file that a log has
BUNDLE_BYTES_MAX: Final = 1 << 29  # unpacked, in memory: two hours of forty processes, or twelve of seven
NAMES: Final = re.compile(
    r"(key|checkpoint|rostra_verify\.py|report\.(en|nl)\.html|verdict\.json|certificate/[0-9a-f]{64}|"
    r"tile/(entries|[0-9])/(x[0-9]{3}/){0,3}[0-9]{3}(\.p/[0-9]{1,3})?)"
)
FETCH_S: Final = 20  # one file: the largest is a few megabytes
_PIECE_BYTES: Final = 65_536


class Source(Protocol):
    """`read` gives a file of the log by its name. FlawError if it has none."""

    def read(self, name: str) -> bytes: ...


class Folder:
    """The files as the witness writes them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> bytes:
        try:
            with (self._folder / name).open("rb") as file:
                data = file.read(FILE_BYTES_MAX + 1)
        except OSError as error:
            full, partial, width = name.rpartition(".p/")
            if not isinstance(error, FileNotFoundError) or not partial:
                raise FlawError(f"{name} cannot be read: {error.strerror}.") from error
            return _first(self.read(full), width)
        if len(data) > FILE_BYTES_MAX:
            raise FlawError(f"{name} is larger than any file of a log.")
        return data


class _PlainFile(tarfile.TarInfo):
    """A header of a plain file. Others may say that they are as long as they like, and all of it would be read."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        made = super().frombuf(buf, encoding, errors)
        if not made.isreg():
            raise FlawError(f"{made.name[:100]!r} has no place in a bundle.")
        return made


class Bundle:
    """The files in a `.tar.xz`. Nothing is unpacked to the disk; other names, links and too much are refused."""

    def __init__(self, path: Path) -> None:
        self._files: dict[str, bytes] = {}
        left = BUNDLE_BYTES_MAX
        try:
            with tarfile.open(path, "r|xz", tarinfo=_PlainFile) as archive:
                for member in archive:
                    if not NAMES.fullmatch(member.name) or member.name in self._files:
                        raise FlawError(f"{member.name[:100]!r} has no place in a bundle.")
                    left -= member.size
                    if member.size > FILE_BYTES_MAX or left < 0:
                        raise FlawError(f"The bundle is too large at {member.name}.")
                    file = archive.extractfile(member)
                    assert file is not None  # a regular file
                    self._files[member.name] = file.read()
        except (OSError, EOFError, ValueError, tarfile.TarError, lzma.LZMAError) as error:
            raise FlawError(f"The bundle cannot be read: {error}.") from error

    def read(self, name: str) -> bytes:
        try:
            return self._files[name]
        except KeyError:
            raise FlawError(f"The bundle has no {name}.") from None


class Site:
    """The files as somebody serves them over HTTP. Each is fetched once, and redirections are not followed."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._files: dict[str, bytes] = {}
        self._left = BUNDLE_BYTES_MAX
        self._opener = OpenerDirector()
        for handler in (HTTPHandler(), HTTPSHandler(), HTTPDefaultErrorHandler(), HTTPErrorProcessor()):
            self._opener.add_handler(handler)

    def read(self, name: str) -> bytes:
        if name not in self._files:
            try:
                self._files[name] = self._fetched(name)
            except HTTPError as error:
                full, partial, width = name.rpartition(".p/")
                if error.code != HTTPStatus.NOT_FOUND or not partial:
                    raise FlawError(f"{self._url}/{name}: {error.code} {error.reason!s:.80}.") from error
                self._files[name] = _first(self.read(full), width)
        return self._files[name]

    def _fetched(self, name: str) -> bytes:
        data, until_s = bytearray(), time.monotonic() + FETCH_S
        try:
            with self._opener.open(f"{self._url}/{name}", timeout=FETCH_S) as response:
                while piece := response.read(_PIECE_BYTES):
                    data += piece
                    self._left -= len(piece)
                    if len(data) > FILE_BYTES_MAX or self._left < 0:
                        raise FlawError(f"{name} is larger than any file of a log.")
                    if time.monotonic() > until_s:
                        raise FlawError(f"{name} does not come within {FETCH_S} s.")
        except HTTPError:
            raise
        except (OSError, HTTPException, ValueError) as error:
            raise FlawError(f"{self._url}/{name} cannot be fetched: {error!s:.100}.") from error
        return bytes(data)


def _first(bundle: bytes, width: str) -> bytes:
    """A narrow bundle that has become full since the checkpoint was made (tlog-tiles, §Partial Tiles)."""
    return bundled(unbundled(bundle)[: int(width)])


def source(place: str | Path) -> Source:
    """What a folder, a bundle or an address holds."""
    if isinstance(place, str) and place.startswith(("http://", "https://")):
        return Site(place)
    path = Path(place)
    return Folder(path) if path.is_dir() else Bundle(path)
