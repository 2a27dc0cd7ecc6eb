"""P3 under attack: attackers of six kinds, one after the other, while people listen and others come."""

import multiprocessing
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

import machine
from rostra.rehearsal.attackers import KINDS, Tally, Target, addresses_of
from rostra.rehearsal.crowd import CrowdPlan, CrowdReport, run_crowd

pytestmark = pytest.mark.alone
ROOT = Path(__file__).parents[2]
LISTENERS = 100
ATTACK_S = 3.0
PAUSE_MAX_MS = 100  # what a test machine with two cores does to anybody; nothing is missed
CONNECTIONS = 1_000  # ten for each listener


@contextmanager
def edge(spared: str = "") -> Iterator[Target]:
    """One worker whose shield knows no friends."""
    command = [sys.executable, "-m", "benchmarks.edge_process", "0", "5", spared]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            _, port, ticket = process.stdout.readline().split()
            reports = threading.Thread(target=process.stdout.read, daemon=True)
            reports.start()
            yield Target("127.0.0.1", int(port), "bench", "/", ticket)
        finally:
            process.kill()


@pytest.mark.parametrize("kind", KINDS)
def test_p3_who_listens_misses_nothing_and_who_comes_is_let_in_while_attackers_do_their_worst(kind: str) -> None:
    with edge() as target:
        # A fifth of the crowd a second: half of them come while the attack is under way.
        plan = CrowdPlan(f"http://127.0.0.1:{target.port}/c/bench", LISTENERS, LISTENERS / 5, 7.5)
        heard: list[CrowdReport] = []
        crowd = threading.Thread(target=lambda: heard.append(run_crowd(plan)))
        crowd.start()
        attacker = KINDS[kind](CONNECTIONS, 500)
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            tally: Tally = pool.submit(attacker.run, target, ATTACK_S, addresses_of("127.200", 50)).result()
        crowd.join()
        (report,) = heard
    assert tally.connections >= CONNECTIONS, tally
    assert report.heard == LISTENERS, (report, tally)
    assert report.missing_chunks == report.missed_chunks == report.connections_lost == 0, (report, tally)
    assert report.longest_pause_ms < PAUSE_MAX_MS, (report, tally)


@pytest.mark.parametrize(
    ("program", "arguments"),
    [
        ("slowhttptest", "-H -c 1000 -r 500 -i 1 -l 3 -u http://127.0.0.1:{port}/"),
        ("slowhttptest", "-X -c 1000 -r 500 -w 1 -y 8 -n 1 -z 8 -l 3 -u http://127.0.0.1:{port}/c/bench"),
        ("wrk", "-t 1 -c 500 -d 3 http://127.0.0.1:{port}/"),
    ],
)
def test_p3_attackers_that_others_wrote_are_not_heard_either(program: str, arguments: str) -> None:
    command = machine.require(program)
    with edge() as target:
        plan = CrowdPlan(f"http://127.0.0.1:{target.port}/c/bench", LISTENERS, LISTENERS / 5, 7.5)
        heard: list[CrowdReport] = []
        crowd = threading.Thread(target=lambda: heard.append(run_crowd(plan)))
        crowd.start()
        words = arguments.format(port=target.port).split()
        attacked = subprocess.run([command, *words], capture_output=True, text=True, timeout=60, check=False)
        crowd.join()
    (report,) = heard
    assert report.heard == LISTENERS, (report, attacked.stdout)
    assert report.missing_chunks == report.missed_chunks == report.connections_lost == 0, report
    assert report.longest_pause_ms < PAUSE_MAX_MS, report
