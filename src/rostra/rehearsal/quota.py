"""A share of a core for some processes: a cgroup of either version with a quota, where this machine gives one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ROOT: Final = Path("/sys/fs/cgroup")
_PERIOD_US: Final = 100_000  # the kernel's own default
_QUOTA_MIN_US: Final = 1_000  # the kernel refuses less


@dataclass(frozen=True, slots=True)
class Quota:
    """A group; `folder` is where it is seen. Whoever leaves it goes back to `parent`."""

    folder: Path
    parent: Path

    def limit(self, share: float) -> None:
        """From now on all in the group have `share` of a core together. OSError if the kernel refuses."""
        quota_us = max(_QUOTA_MIN_US, round(share * _PERIOD_US))
        if (self.folder / "cpu.max").exists():
            (self.folder / "cpu.max").write_text(f"{quota_us} {_PERIOD_US}", encoding="ascii")
        else:
            (self.folder / "cpu.cfs_period_us").write_text(str(_PERIOD_US), encoding="ascii")
            (self.folder / "cpu.cfs_quota_us").write_text(str(quota_us), encoding="ascii")

    def take(self, pid: int) -> None:
        (self.folder / "cgroup.procs").write_text(str(pid), encoding="ascii")


@contextmanager
def quota(name: str, *, parent_of: int | None = None) -> Iterator[Quota]:
    """A group of that name. At the end all in it go to the group of `parent_of`, else to that of this process.

    OSError where none can be made.
    """
    controlled = _ROOT / "cpu" if (_ROOT / "cpu" / "cgroup.procs").exists() else _ROOT
    if controlled == _ROOT and not (_ROOT / "cgroup.controllers").exists():
        raise OSError("there is no cgroup with a controller of the CPU")
    made = Quota(controlled / name, controlled / _group_of(parent_of or os.getpid(), v2=controlled == _ROOT))
    made.folder.mkdir()
    try:
        yield made
    finally:
        for pid in (made.folder / "cgroup.procs").read_text(encoding="ascii").split():
            with suppress(ProcessLookupError):
                (made.parent / "cgroup.procs").write_text(pid, encoding="ascii")
        made.folder.rmdir()


def _group_of(pid: int, *, v2: bool) -> str:
    """The path of a process's group (cgroups(7), /proc/PID/cgroup)."""
    for line in Path(f"/proc/{pid}/cgroup").read_text(encoding="ascii").splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0" if v2 else "cpu" in controllers.split(","):
            return path.strip("/")
    return ""
