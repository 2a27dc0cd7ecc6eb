"""What the machine must have for a test, skipped loudly where it has not; CI allows no skips."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

DEBIAN_PACKAGES = {
    "nft": "nftables",
    "ip": "iproute2",
    "unshare": "util-linux",
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


def on_a_disk_of_its_own(folder: Path, options: str) -> list[str]:
    """What to write before a command so that it finds a tmpfs at `folder`: in a mount namespace of its own."""
    namespace = ["unshare", "--mount", "--map-root-user"]
    script = f'mkdir -p {folder} && mount -t tmpfs -o {options} none {folder} && exec "$@"'
    command = [*namespace, "sh", "-c", script, "sh"]
    probe = subprocess.run([*command, "true"], capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        pytest.xfail(f"this machine allows no mount: {probe.stderr.strip()}")
    return command
