"""How a process steps behind all others: what it does may take all night, and is never to be heard."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_NICENESS: Final = 19  # the lowest priority among ours
# Against whatever else the machine does, where the kernel weighs sessions first (sched(7), autogroup): a tenth of
# what another one gets. 19 would be a hundredth: on a busy machine it would take all night.
_SESSION_NICENESS: Final = 10


def yield_to_all() -> None:
    """Let recording, serving and everything else go first; of a process that has a session of its own."""
    os.nice(_NICENESS)
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(_SESSION_NICENESS), encoding="ascii")
