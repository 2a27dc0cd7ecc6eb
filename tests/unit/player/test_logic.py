"""The player's pure parts are tested in their own language."""

import subprocess
from pathlib import Path

from machine import require


def test_the_players_buffer_frames_and_words() -> None:
    done = subprocess.run(
        [require("node"), "--test", str(Path(__file__).with_name("logic.test.mjs"))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
