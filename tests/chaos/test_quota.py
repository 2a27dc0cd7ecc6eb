import os
import subprocess
import sys
import time

import pytest

from machine import lacks
from rostra.rehearsal.quota import quota

pytestmark = pytest.mark.alone
SHARE, SECONDS = 0.2, 1.0
SPIN = "import time\nend = time.monotonic() + 30\nwhile time.monotonic() < end: pass"


def cpu_s(pid: int) -> float:
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:  # noqa: PTH123 # procfs
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_process_has_no_more_of_a_core_than_its_quota() -> None:
    try:
        with quota(f"rostra-test-{os.getpid()}") as group:
            group.limit(SHARE)
            with subprocess.Popen([sys.executable, "-c", SPIN]) as process:
                group.take(process.pid)
                before_s, began_s = cpu_s(process.pid), time.monotonic()
                time.sleep(SECONDS)
                used = (cpu_s(process.pid) - before_s) / (time.monotonic() - began_s)
                process.kill()
    except OSError as error:
        lacks("a cgroup with a quota", f"run as root, or delegate one ({error})")
    assert used < 1.5 * SHARE
    assert not group.folder.exists()
