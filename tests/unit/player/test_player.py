"""The player's own logic under node: pure modules, a clock that the test turns, edges made of a few lines."""

import json
import re
import shutil
import subprocess
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from machine import require
from rostra.verifier.receipt import parse_receipt

TESTS = Path(__file__).parent


@pytest.mark.parametrize("name", sorted(path.name for path in TESTS.glob("*.test.js")))
def test_the_players_logic(name: str, tmp_path: Path) -> None:
    """Runs `NAME` beside a copy of the modules, which node must be told are modules."""
    run = run_node(name, tmp_path)
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"^# pass [1-9]", run.stdout, re.MULTILINE), "no test was found"


def test_p9_what_a_player_signs_is_what_the_verifier_reads(tmp_path: Path) -> None:
    run = run_node("receipts.test.js", tmp_path)
    signed = re.findall(r"^#? ?receipt (.+)$", run.stdout, re.MULTILINE)
    assert [len(parse_receipt(each.encode()).key) for each in signed] == [32, 65], run.stdout


def run_node(name: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    node = shutil.which("node") or require("nodejs")
    for part in TESTS.glob("*.js"):
        shutil.copy(part, tmp_path)
    with as_file(files("rostra.edge").joinpath("pages", "assets")) as assets:
        shutil.copytree(assets, tmp_path / "assets")
    (tmp_path / "package.json").write_text(json.dumps({"type": "module"}))
    command = [node, "--test", "--test-reporter=tap", name]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
