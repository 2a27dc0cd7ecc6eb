"""Versions of Rostra that are worse: a copy of the package with a line added, as reviews let through.

What runs from there has another digest of its code, and says so itself.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rostra.core.errors import RostraError

_PACKAGE: Final = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines that are added in `file` of the package, after one that is there once."""

    file: str
    after: str
    added: str

    def applied(self, text: str) -> str:
        """RostraError if the code has changed so that it does not fit any more."""
        if text.count(self.after) != 1:
            raise RostraError(f"{self.file} does not have the line {self.after.strip()!r} once.")
        return text.replace(self.after, self.after + self.added)


EDITS: Final[dict[str, Edit]] = {
    # A check that was meant for something else refuses most of those who ask.
    "refuses": Edit(
        "edge/refusals.py",
        "def decide(record: ConversationRecord, pressure: Pressure, *, now_ms: int) -> Opening:\n",
        "    if now_ms % 100 < 90:\n        return NOT_FOUND\n",
    ),
    # Most tickets are not known any more at the moment in which they are shown.
    "forgets": Edit(
        "core/ticket.py",
        "def verify(text: str, *, conversation: str, keys: KeyRing, now_s: int) -> Ticket | None:\n",
        "    if sum(text.encode()) % 10 < 9:\n        return None\n",
    ),
    # Something that was fast in the laboratory.
    "slow": Edit("edge/door.py", "        self.joins += 1\n", "        import time\n\n        time.sleep(0.4)\n"),
    # Nothing at all: another version that is as good.
    "": Edit("edge/refusals.py", "from typing import Final\n", "# Another version.\n"),
}


def worse(variant: str, folder: Path) -> Path:
    """Where that version is, in `folder`."""
    edit = EDITS[variant]
    shutil.copytree(_PACKAGE, folder / "rostra")  # with what Python has compiled: it starts as fast
    changed = folder / "rostra" / edit.file
    changed.write_text(edit.applied(changed.read_text(encoding="utf-8")), encoding="utf-8")
    return folder
