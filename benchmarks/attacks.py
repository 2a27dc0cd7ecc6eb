"""P3 under attack: ten attackers' connections for each listener, six kinds in turn, and newcomers meanwhile.

`attacks:LISTENERS,SECONDS,KIND+KIND` (5,000, 20 and all). An edge of one worker whose shield knows no friends carries the listeners, who
check every byte; attackers come from 500 addresses in 250 networks each of three processes, newcomers from where the
listeners are. Attackers' CPU time is told apart; on two cores they share one with the listeners. Before that, what an
accept costs the shield by its verdict.
"""

import multiprocessing
import threading
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from benchmarks import subjects
from benchmarks.record import keep
from rostra.core.shield import SOURCE_BUDGET, Shield, Strike
from rostra.rehearsal.attackers import KINDS, Target, addresses_of
from rostra.rehearsal.crowd import CrowdPlan, CrowdReport, run_crowd

FACTOR = 10
PROCESSES = 3  # 20,000 descriptors each
NEWCOMERS_SHARE = 0.1
FIRST_SOUND_MAX_MS = 3_000
JOIN_RATE_HZ = 150  # all of them from one address, whose budget that fits


def crowd(url: str, listeners: int, seconds: float, rate_hz: float) -> tuple[threading.Thread, list[CrowdReport]]:
    heard: list[CrowdReport] = []
    plan = CrowdPlan(url, listeners, rate_hz, seconds)
    thread = threading.Thread(target=lambda: heard.append(run_crowd(plan)))
    thread.start()
    return thread, heard


def attacked(kind: str, listeners: int, seconds: float) -> dict[str, Any]:
    """One kind of attack on an edge of its own: what those inside and those who come hear."""
    with subjects.edge(cadence_ms=1_000, spared="") as edge:
        url = f"http://127.0.0.1:{edge.port}/c/bench"
        target = Target("127.0.0.1", edge.port, "bench", "/", edge.ask.partition("ticket=")[2].partition("&")[0])
        joining_s = listeners / JOIN_RATE_HZ
        inside, heard_inside = crowd(url, listeners, joining_s + seconds + 10, JOIN_RATE_HZ)
        time.sleep(joining_s + 5)
        before_s = edge.cpu_s()
        time.sleep(3)
        quiet_share = (edge.cpu_s() - before_s) / 3
        newcomers = max(10, int(listeners * NEWCOMERS_SHARE))
        coming, heard_coming = crowd(url, newcomers, seconds, newcomers / (seconds / 2))
        began_s, before_s = time.monotonic(), edge.cpu_s()
        attacker = KINDS[kind](listeners * FACTOR // PROCESSES, 2_000)
        with ProcessPoolExecutor(PROCESSES, multiprocessing.get_context("spawn")) as pool:
            shares = [
                pool.submit(attacker.run, target, seconds, addresses_of(f"127.{200 + n}", 500))
                for n in range(PROCESSES)
            ]
            tallies = [share.result() for share in shares]
        attacked_share = (edge.cpu_s() - before_s) / (time.monotonic() - began_s)
        coming.join()
        inside.join()
    (were,), (came,) = heard_inside, heard_coming
    return {
        "admitted: chunks missed, connections lost": (
            were.missing_chunks + were.missed_chunks,
            were.connections_lost,
        ),
        "admitted: longest pause (ms)": round(were.longest_pause_ms),
        "newcomers: heard of all": f"{came.heard}/{came.listeners}",
        "newcomers: first sound p99 (ms)": came.first_sound_p99_ms,
        "newcomers: 99 % within 3 s": came.heard >= 0.99 * came.listeners
        and (came.first_sound_p99_ms or 0) <= FIRST_SOUND_MAX_MS,
        "edge's share of a core: quiet, attacked": (round(quiet_share, 2), round(attacked_share, 2)),
        "attackers: connections, held at once": (
            sum(tally.connections for tally in tallies),
            sum(tally.held_max for tally in tallies),
        ),
        "attackers: answers": dict(sum((tally.answers for tally in tallies), start=Counter[int]())),
        "attackers: CPU (s)": round(sum(tally.cpu_s for tally in tallies), 1),
    }


def accept_costs() -> dict[str, float]:
    """CPU nanoseconds that the shield adds to an accept, by what it says."""

    def timed(shield: Shield, address: str, count: int) -> float:
        began_ns = time.process_time_ns()
        for n in range(count):
            source = shield.source(address, n * 1e-9)
            shield.meet(source, n * 1e-9)
        return round((time.process_time_ns() - began_ns) / count)

    banned = Shield()
    for n in range(300):
        banned.strike(banned.source("192.0.2.7", n / 10), Strike.TIMEOUT, n / 10)
    busy = Shield()
    timed(busy, "192.0.2.7", int(SOURCE_BUDGET.burst))
    fresh = Shield()
    began_ns = time.process_time_ns()
    for n in range(50_000):
        fresh.meet(fresh.source(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", 0.0), 0.0)
    return {
        "shield, known source (ns an accept)": timed(Shield(), "192.0.2.7", int(SOURCE_BUDGET.burst)),
        "shield, new source (ns an accept)": round((time.process_time_ns() - began_ns) / 50_000),
        "shield, over budget (ns an accept)": timed(busy, "192.0.2.7", 50_000),
        "shield, banned (ns an accept)": timed(banned, "192.0.2.7", 50_000),
    }


def main(asked: str = "5000,20") -> None:
    listeners, seconds, kinds = (*asked.split(","), "+".join(KINDS))[:3]
    table: dict[str, Any] = dict(accept_costs())
    print(table, flush=True)
    for kind in kinds.split("+"):
        run = attacked(kind, int(listeners), float(seconds))
        print(kind, run, flush=True)
        table |= {f"{kind}: {what}": value for what, value in run.items()}
    keep("attacks", table)
