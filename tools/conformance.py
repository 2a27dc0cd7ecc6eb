"""Two clients' own test suites against this site: `make conformance`, on port 3000 where they expect it.

Downloads toot (GPL-3.0, never kept here) and Mastodon.py from the package index into a cache folder, starts the
site with an empty database, seeds what Mastodon.py's suite needs, runs both, prints a line for each. Exit code 1
below the floor of either. `--only toot` or `--only Mastodon.py`; what follows `--` goes to pytest (`-- -k poll`).
"""

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

from conformance_seed import seed

ROOT: Final = Path(__file__).parents[1]
URL: Final = "http://localhost:3000"
UP_S: Final = 90.0
LOOPBACK: Final = "--allow-hosts=127.0.0.1,::1,localhost"  # pytest-socket: the suites reach nobody else
TOOLS: Final = (
    "pytest-timeout==2.4.0", "pytest-socket==0.8.1", "websocket-client==1.9.2", "setuptools>=77", "setuptools_scm",
    "wheel",
)  # fmt: skip


@dataclass(frozen=True)
class Suite:
    """`tests` is how many talk to a server; fewer than `floor` that pass are a failure of ours.

    toot joins and posts at once; Mastodon.py joins and asks for the confirming letter again.
    """

    name: str
    requirement: str
    folder: str
    package: str
    tests: int
    floor: int
    confirm_email: bool
    arguments: tuple[str, ...]


SUITES: Final = (
    Suite("toot", "toot==0.52.1", "toot-0.52.1", "toot", 114, 114, False, ("tests/integration", "--timeout=60")),
    Suite(
        "Mastodon.py",
        "Mastodon.py[test,webpush,blurhash,grapheme]==2.3.3",
        "mastodon_py-2.3.3",
        "mastodon",
        219,
        190,
        True,
        # No cassette is there, so each request is made; "once" rather than none: the streaming tests need VCR.
        ("tests", "-m", "vcr", "--record-mode=once", "-o", "addopts=", "--timeout=120", "-p", "conformance_haste"),
    ),
)


def main() -> int:
    arguments, pytest_arguments = _arguments()
    suites = [suite for suite in SUITES if arguments.only in {None, suite.name}]
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "rostra" / "conformance"
    python = prepare(cache)
    lines, low = [], False
    for suite in suites:
        with tempfile.TemporaryDirectory(prefix="rostra-conformance-") as folder, site(Path(folder), suite):
            passed = run(suite, python, cache, Path(folder), pytest_arguments)
        lines.append(f"{suite.name} {passed}/{suite.tests}")
        low |= passed < suite.floor
    print(*lines, sep="\n")
    return 1 if low else 0


def prepare(cache: Path) -> Path:
    """A Python with both clients and their suites' needs; the suites beside it. Kept for the next run."""
    environment = cache / "venv"
    python = environment / "bin" / "python"
    pip = [str(python), "-m", "pip", "--disable-pip-version-check"]
    wanted = "\n".join([*(suite.requirement for suite in SUITES), *TOOLS])
    mark = cache / "prepared"
    if mark.exists() and mark.read_text() == wanted:
        return python
    shutil.rmtree(cache, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    subprocess.run([*pip, "install", "-q", *(suite.requirement for suite in SUITES), *TOOLS], check=True)
    # The tests are only in the source distributions; what is tested is the installed package.
    sources = [re.sub(r"\[.*\]", "", suite.requirement) for suite in SUITES]
    download = ["download", "-q", "--no-deps", "--no-binary", ":all:", "--no-build-isolation", "-d", str(cache)]
    subprocess.run([*pip, *download, *sources], check=True)
    for suite in SUITES:
        with tarfile.open(cache / f"{suite.folder}.tar.gz") as archive:
            archive.extractall(cache, filter="data")
        shutil.rmtree(cache / suite.folder / suite.package)
    mark.write_text(wanted)
    return python


@contextmanager
def site(folder: Path, suite: Suite) -> Iterator[None]:
    """A site and its bus on an empty folder, seeded. No stage, edge or recorder: nothing here needs them."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 3000))
        except OSError:
            sys.exit("Port 3000 is in use, and the suites know no other: stop what listens there.")
    settings = {
        "DATA": str(folder / "data"),
        "STAGES": "0",
        "EDGE_WORKERS": "0",
        "GATES": "0",
        "RECORDERS": "0",
        "CAPTIONS": "off",
        "SITES": "1",
        "SITE_HOST": "127.0.0.1",
        "SITE_PORT": "3000",
        "SITE_URL": URL,
        "SITE_DESCRIPTION": "Speaks the API of Mastodon.",  # toot's suite looks for the name
        "SITE_CONTACT": "office@example.com",
        "PASSWORD_GRANT": "true",
        "CONFIRM_EMAIL": "true" if suite.confirm_email else "false",
        "RATE_LIMITS": "false",
    }
    environment = os.environ | {f"ROSTRA_{name}": value for name, value in settings.items()}
    process = subprocess.Popen([sys.executable, "-m", "rostra", "serve"], cwd=folder, env=environment)
    try:
        _wait_until_up(process, folder)
        seed(folder / "data" / "site.db", URL)
        yield
    finally:
        process.terminate()
        process.wait(60)
        shutil.copy(folder / "data" / "rostra.log", ROOT / f"conformance-{suite.name}.log")


def run(suite: Suite, python: Path, cache: Path, folder: Path, arguments: Sequence[str]) -> int:
    """How many tests passed."""
    work = folder / suite.name
    # Without the recorded answers: with them a second run would be a replay of the first.
    shutil.copytree(cache / suite.folder, work, ignore=shutil.ignore_patterns("cassettes"))
    report = folder / f"{suite.name}.xml"
    left_out = [argument for name in deselected(suite.name) for argument in ("--deselect", name)]
    command = [
        str(python), "-m", "pytest", *suite.arguments, "-q", "-W", "ignore", "-p", "no:cacheprovider", LOOPBACK,
        f"--junitxml={report}", *left_out, *arguments,
    ]  # fmt: skip
    subprocess.run(command, cwd=work, env=os.environ | _homes(folder), check=False)
    return _passed(report)


def deselected(suite: str) -> list[str]:
    """The tests of a suite that are left out, each with its reason in the file."""
    lines = (ROOT / "tests" / "conformance" / "deselected.txt").read_text(encoding="utf-8").splitlines()
    names = [line.partition("#")[0].split() for line in lines]
    return [name for whose, name in (each for each in names if each) if whose == suite]


def _passed(report: Path) -> int:
    cases = ET.parse(report).iter("testcase")  # noqa: S314 # written by pytest a moment ago
    return sum(not any(child.tag in {"failure", "error", "skipped"} for child in case) for case in cases)


def _homes(folder: Path) -> Mapping[str, str]:
    return {
        "PYTHONPATH": str(Path(__file__).parent),  # conformance_haste
        "TOOT_TEST_BASE_URL": URL,
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_CACHE_HOME": str(folder / "cache"),
    }


def _wait_until_up(process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline_s = time.monotonic() + UP_S
    while True:
        try:
            with urllib.request.urlopen(f"{URL}/health", timeout=5):
                return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline_s:
                sys.exit(f"The site did not start: {(folder / 'data' / 'rostra.log').read_text()[-2000:]}")
        time.sleep(0.1)


def _arguments() -> tuple[argparse.Namespace, list[str]]:
    own = sys.argv[1:]
    rest = own[own.index("--") + 1 :] if "--" in own else []
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=[suite.name for suite in SUITES])
    return parser.parse_args(own[: len(own) - len(rest) - ("--" in own)]), rest


if __name__ == "__main__":
    sys.exit(main())
