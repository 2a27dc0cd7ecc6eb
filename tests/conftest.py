"""Fixtures for whole systems."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from system import System, running

# A suite that judges a change asks the same of every change: what nobody has thought of yet is for tools/fuzz.py,
# and for whoever sets HYPOTHESIS_PROFILE=default. And how long an example takes is the machine's business.
settings.register_profile(
    "suite", deadline=None, derandomize=True, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


@pytest.fixture(scope="session", autouse=True)
def _sounds_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Systems of one test run share their composed hold music."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:  # whose folder is in that of the run
        folder = folder.parent
    (folder / "cache").mkdir(exist_ok=True)
    os.environ.setdefault("ROSTRA_TEST_CACHE", str(folder / "cache"))


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    """A running system with two stages and two edges."""
    with running(tmp_path) as started:
        yield started
