"""Where a log is read from: a folder, or a bundle that anybody may have made."""

import lzma
import re
import tarfile
from pathlib import Path
from typing import Final, Protocol

from rostra.verifier.errors import FlawError

FILE_BYTES_MAX: Final = 256 * (2 + 65_535)  # of a bundle of entries, the largest file that a log has
BUNDLE_BYTES_MAX: Final = 1 << 30  # unpacked: twelve hours of thirty processes
_NAMES: Final = re.compile(r"(key|checkpoint|tile/(entries|[0-9])/(x[0-9]{3}/){0,3}[0-9]{3}(\.p/[0-9]{1,3})?)")


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
            raise FlawError(f"{name} cannot be read: {error.strerror}.") from error
        if len(data) > FILE_BYTES_MAX:
            raise FlawError(f"{name} is larger than any file of a log.")
        return data


class Bundle:
    """The files in a `.tar.xz`. Nothing is unpacked to the disk; other names, links and too much are refused."""

    def __init__(self, path: Path) -> None:
        self._files: dict[str, bytes] = {}
        left = BUNDLE_BYTES_MAX
        try:
            with tarfile.open(path, "r|xz") as archive:
                for member in archive:
                    if not member.isreg() or not _NAMES.fullmatch(member.name) or member.name in self._files:
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


def source(path: Path) -> Source:
    return Folder(path) if path.is_dir() else Bundle(path)
