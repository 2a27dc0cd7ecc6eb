"""The command line is there at once: it loads sound and sites only for the commands that need them."""

import subprocess
import sys


def test_the_command_line_loads_no_sound_and_no_site() -> None:
    program = "import sys, rostra.cli; print({'numpy', 'av', 'fastapi', 'sqlalchemy'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
