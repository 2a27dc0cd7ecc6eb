"""What the machine must have for a test, skipped loudly where it has not; CI allows no skips."""

import os
import shutil

import pytest

DEBIAN_PACKAGES = {
    "baresip": "baresip-core",
    "node": "nodejs",
    "cc": "gcc",
    "ffprobe": "ffmpeg",
    "chromium": "chromium",
    "firefox": "firefox-esr",
}


def require(program: str) -> str:
    """The program's path; otherwise skip with the command that provides it, or fail under ROSTRA_NO_SKIPS=1."""
    path = shutil.which(program)
    if path is not None:
        return path
    missing = f"{program} is missing: apt-get install {DEBIAN_PACKAGES.get(program, program)}"
    if os.environ.get("ROSTRA_NO_SKIPS") == "1":
        pytest.fail(missing)
    pytest.skip(missing)
