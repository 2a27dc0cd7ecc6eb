"""Every text of the site exists in every language."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_no_text_is_missing_in_any_language() -> None:
    command = [sys.executable, str(ROOT / "tools" / "messages.py"), "--check"]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
