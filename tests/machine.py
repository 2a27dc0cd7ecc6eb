"""What the machine must have for a test, skipped loudly where it has not; CI allows no skips."""

import os
import shutil
from typing import NoReturn

import pytest

DEBIAN_PACKAGES = {
    "baresip": "baresip-core",
    "node": "nodejs",
    "cc": "gcc",
    "ffprobe": "ffmpeg",
    "chromium": "chromium",
    "firefox": "firefox-esr",
}


def lacks(what: str, command: str) -> NoReturn:
    """Skip, with the command that provides what is missing, or fail under ROSTRA_NO_SKIPS=1."""
    missing = f"{what} is missing: {command}"
    if os.environ.get("ROSTRA_NO_SKIPS") == "1":
        pytest.fail(missing)
    pytest.skip(missing)


def require(program: str) -> str:
    """The program's path, or `lacks`."""
    path = shutil.which(program)
    if path is not None:
        return path
    lacks(program, f"apt-get install {DEBIAN_PACKAGES.get(program, program)}")
