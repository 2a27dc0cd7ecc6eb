"""A data folder that cannot be written to, or no longer: said in one sentence, and the sound goes on."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from machine import on_a_disk_of_its_own
from rostra.audio.recordings import two_cities
from rostra.rehearsal.listener import Listener
from states import wait_for_state
from system import free_port, running


def serve(folder: Path, *before: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {"ROSTRA_DATA": str(folder / "data"), "ROSTRA_EDGE_PORT": str(free_port())}
    command = [*before, sys.executable, "-m", "rostra", "serve"]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_data_folder_that_is_a_file_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    done = serve(tmp_path)
    assert done.returncode == 1
    assert "cannot be written" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(("options", "said"), [("ro,size=512m", "cannot be written"), ("size=32m", "MB left")])
def test_a_read_only_or_full_disk_is_refused_in_one_sentence(tmp_path: Path, options: str, said: str) -> None:
    done = serve(tmp_path, *on_a_disk_of_its_own(tmp_path / "data", options))
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_p2_when_the_bus_can_no_longer_write_its_disk_the_sound_goes_on(tmp_path: Path) -> None:
    with running(tmp_path) as system:
        announced = system.schedule(at="+1s", id="evening")
        system.feed("evening", str(two_cities()), "--loop", stderr=subprocess.DEVNULL)
        wait_for_state(system, "evening", "live")
        before = resource.prlimit(system.pid("bus"), resource.RLIMIT_FSIZE)
        listener = Listener(announced["url"])
        resource.prlimit(system.pid("bus"), resource.RLIMIT_FSIZE, (1024, before[1]))  # every write fails
        report = listener.listen(seconds=12)
        assert (report.missing_chunks, report.repeated_chunks) == (0, 0), report
        assert report.missed_chunks <= 10, "a hole that opens while nothing can be stored is told, not filled"
        assert report.chunks > 90, "a pause while the stage finds out, then the sound goes past the stream"
        assert report.state == "live"
        unstored = sum(stage["unstored_chunks"] for stage in system.status()["stages"])
        assert unstored > 0, "and the operator sees it"
        assert "chunk.unstorable" in system.log
