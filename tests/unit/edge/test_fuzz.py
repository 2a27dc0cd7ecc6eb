"""A short run of `tools/fuzz.py`, which a maintainer runs for an hour."""

import importlib.util
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[3] / "tools" / "fuzz.py"


def loaded() -> Any:
    spec = importlib.util.spec_from_file_location("fuzz", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    fuzz = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fuzz)
    return fuzz


@pytest.mark.parametrize("seed", range(3))
def test_what_strangers_reach_first_answers_or_refuses_whatever_comes(seed: int) -> None:
    fuzz = loaded()
    assert fuzz.fuzz(1.0, seed) > 100


def test_a_target_that_breaks_is_found() -> None:
    fuzz = loaded()

    def broken(data: bytes, _: object) -> None:
        data.decode("ascii")

    fuzz.TARGETS = {broken: (b"plain",)}
    with pytest.raises(UnicodeDecodeError):
        fuzz.fuzz(5.0, 1)
