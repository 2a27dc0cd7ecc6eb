"""Where `rostra listen` puts what it hears: a file, or a player that is installed."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rostra.core.errors import BadInputError, RostraError

_PLAYERS = (
    ("mpv", "--really-quiet", "--no-video", "--cache=no", "-"),
    ("ffplay", "-nodisp", "-loglevel", "error", "-i", "-"),
)


@contextmanager
def sound_sink(to: Path | None, *, play: bool) -> Iterator[Callable[[bytes], object] | None]:
    """A function that takes container bytes; None if they are only to be judged."""
    if to is not None and play:
        raise BadInputError("Choose one: --to FILE or --play.")
    if to is not None:
        try:
            file = to.open("wb", buffering=0)
        except OSError as error:
            raise RostraError(f"{to} cannot be written ({error.strerror}).") from error
        with file:
            yield file.write
    elif play:
        command = next((player for player in _PLAYERS if shutil.which(player[0])), None)
        if command is None:
            raise RostraError("No player here: install mpv or ffmpeg, or use --to FILE.")
        with subprocess.Popen(command, stdin=subprocess.PIPE, bufsize=0) as player:  # noqa: S603 # from the table above
            assert player.stdin is not None
            yield player.stdin.write
    else:
        yield None
