"""The command line is there at once, and tells in one sentence what a person can put right."""

import subprocess
import sys
from pathlib import Path


def test_the_command_line_loads_no_sound_and_no_site() -> None:
    program = "import sys, rostra.cli; print({'numpy', 'av', 'fastapi', 'sqlalchemy'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_file_that_cannot_be_used_is_named_and_not_traced(tmp_path: Path) -> None:
    ledger = Path(__file__).parents[1] / "data" / "incidents" / "N-329" / "bundle.tar.xz"
    command = [sys.executable, "-m", "rostra", "report", str(ledger), "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert str(tmp_path) in done.stderr.replace("\n", "")
