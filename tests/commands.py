"""Commands of `rostra`, each in a process of its own that is forked from one which has read the program already."""

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

# Reading the program is nine tenths of what most commands do, and a run of the suite gives hundreds of them.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["rostra.cli"])


def run_command(
    arguments: tuple[str, ...], *, folder: Path, environment: Mapping[str, str], within_s: float
) -> subprocess.CompletedProcess[str]:
    """What `rostra` with these arguments says in `folder`; TimeoutExpired if it is not done in time."""
    command = ["rostra", *arguments]
    with TemporaryDirectory() as said:
        process = _FORKS.Process(target=_be, args=(command, folder, dict(environment), Path(said)))
        process.start()
        process.join(within_s)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(command, within_s)
        out, err = (path.read_text() if path.exists() else "" for path in _outputs(Path(said)))
        done = subprocess.CompletedProcess(command, process.exitcode, out, err)
        process.close()
    return done


def _outputs(folder: Path) -> tuple[Path, Path]:
    return folder / "out", folder / "err"


def _be(command: list[str], folder: Path, environment: dict[str, str], said: Path) -> None:
    from rostra.cli import main

    for descriptor, path in enumerate(_outputs(said), 1):
        file = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.dup2(file, descriptor)
        os.close(file)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = command
    main()
