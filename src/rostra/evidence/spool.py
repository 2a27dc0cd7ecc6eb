"""Where entries wait on the disk until the bus has them: bounded, and what did not fit is told."""

from collections import deque
from pathlib import Path

from rostra import disk
from rostra.core.limits import EVIDENCE_SPOOL_BYTES_MAX
from rostra.verifier.errors import FlawError
from rostra.verifier.tiles import ENTRY_BYTES_MAX, bundled, unbundled


class Spool:
    """Entries in order. They are written when the bus has not taken one, and gone when it has taken all.

    Full: the newest is refused and counted, since a chain with an end missing is still a chain.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._kept = False  # something is in the file
        self.lost = 0
        try:
            left = unbundled(path.read_bytes())
        except (FileNotFoundError, FlawError):  # half of an entry: a power cut; its run ends there
            left = []
        for entry in left:
            self.offer(entry)
        self._kept = bool(left)

    def __len__(self) -> int:
        return len(self._waiting)

    def offer(self, entry: bytes) -> bool:
        """Whether there was room, and is in a log: what is too long for that would never be taken."""
        if len(entry) > ENTRY_BYTES_MAX or self._bytes + len(entry) > EVIDENCE_SPOOL_BYTES_MAX:
            self.lost += 1
            return False
        self._waiting.append(entry)
        self._bytes += len(entry)
        return True

    def oldest(self) -> bytes | None:
        return self._waiting[0] if self._waiting else None

    def taken(self) -> None:
        """The oldest is where it belongs."""
        self._bytes -= len(self._waiting.popleft())
        if not self._waiting and self._kept:
            self._path.unlink(missing_ok=True)
            self._kept = False

    def keep(self) -> None:
        """Write what waits to the disk, so that it outlives this process. OSError if it cannot be written."""
        if self._waiting:
            disk.make_folder(self._path.parent)
            disk.replace(self._path, bundled(self._waiting))
            self._kept = True
