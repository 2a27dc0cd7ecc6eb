"""Fixtures for whole systems."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from system import System, running


@pytest.fixture(scope="session", autouse=True)
def _sounds_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Systems of one test run share their composed hold music."""
    os.environ.setdefault("ROSTRA_TEST_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def system(tmp_path: Path) -> Iterator[System]:
    """A running system with two stages and two edges."""
    with running(tmp_path) as started:
        yield started
