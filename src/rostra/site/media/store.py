"""The folder of files that people may see: random names in 256 folders, never written twice."""

import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

# What is served, by the extension that we gave it: nothing that a browser would run.
CONTENT_TYPES: Final = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "mp4": "video/mp4",
    "mp3": "audio/mpeg",
}
_NAME: Final = re.compile(r"[0-9a-f]{2}/[0-9a-f]{30}\.(jpg|png|mp4|mp3)")


class Store:
    """`files` are served; `withheld` are those of hidden posts; `incoming` waits to be made anew."""

    def __init__(self, folder: Path) -> None:
        self._files = folder / "files"
        self._withheld = folder / "withheld"
        self._incoming = folder / "incoming"

    def path(self, name: str) -> Path | None:
        """The file of that name, or None for what is no name of ours."""
        return self._files / name if _NAME.fullmatch(name) else None

    def withheld(self, name: str) -> Path | None:
        """Likewise of a file that is withheld."""
        return self._withheld / name if _NAME.fullmatch(name) else None

    @contextmanager
    def draft(self) -> Iterator[Path]:
        """A path to write to; what is still there at the end is removed."""
        path = self.incoming(secrets.token_hex(16))
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    @contextmanager
    def provisional(self) -> Iterator[list[str | None]]:
        """Names that are put in the list are removed again if the block fails."""
        names: list[str | None] = []
        try:
            yield names
        except BaseException:
            self.remove(*names)
            raise

    def incoming(self, key: str) -> Path:
        """Where an upload waits for its job."""
        assert key.isalnum(), "Keys are ours."
        return self._incoming / key

    def await_job(self, draft: Path) -> str:
        """Keep a draft for a job; the key of `incoming`."""
        key = secrets.token_hex(16)
        draft.rename(self.incoming(key))
        return key

    def adopt(self, draft: Path, extension: str) -> str:
        """Move a draft, whole, to where it is served; its name. It is on the disk when this returns."""
        assert extension in CONTENT_TYPES, "Only what is served is adopted."
        random = secrets.token_hex(16)
        name = f"{random[:2]}/{random[2:]}.{extension}"
        path = self._files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.rename(path)
        return name

    def withhold(self, *names: str | None) -> None:
        """Serve these no longer: at no cost for what is served, since they are not there."""
        self._move(self._files, self._withheld, names)

    def release(self, *names: str | None) -> None:
        """Serve again what was withheld."""
        self._move(self._withheld, self._files, names)

    def remove(self, *names: str | None) -> None:
        for name in names:
            if name and _NAME.fullmatch(name):
                (self._files / name).unlink(missing_ok=True)
                (self._withheld / name).unlink(missing_ok=True)

    @staticmethod
    def _move(source: Path, target: Path, names: Iterable[str | None]) -> None:
        for name in names:
            if name and _NAME.fullmatch(name) and (source / name).exists():
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                (source / name).rename(target / name)
