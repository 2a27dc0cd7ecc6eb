"""Writes the verifier as one file, as every bundle carries it: `python tools/single_file.py [FILE]`."""

import sys
from pathlib import Path

from rostra.witness.single_file import FILE, single_file

if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else FILE)
    target.write_text(single_file(), encoding="utf-8")
    print(f"{target}: {len(target.read_text(encoding='utf-8').splitlines())} lines")
