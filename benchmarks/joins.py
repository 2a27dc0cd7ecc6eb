"""Joins a second on one core until first sound is late, and whether those who are in notice.

Visitors come at an even rate for VISITS_S, hear their first chunk and leave, so that the rate can be held for longer than
descriptors last: a visit is a join, a first sound and a leave. Two ways in: with a ticket at hand (`GET stream`), and as
the player comes (`POST join`, then `GET stream`, on one connection). From FLOOR_FROM_HZ on, the same visits are made right
afterwards to a server in C that answers with the same bytes and knows nothing (doorman.c): what a visit costs is told as
times that floor, since machines differ, and one machine from minute to minute. At last, as many as fit come at the highest
rate that held, and stay.
"""

import socket
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import subjects
from benchmarks.record import keep
from benchmarks.subjects import Subject, readers, told

ADMITTED = 5_000
STAYING = 12_000
VISITS_S = 10
QUIET_S = 3
FLOOR_S = 4
RATES_HZ = (2_000, 4_000, 6_000, 8_000, 10_000, 12_000, 14_000, 15_000, 16_000, 18_000, 20_000)
FLOOR_FROM_HZ = 4_000
FIRST_SOUND_P99_MAX_MS = 1_000
OTHERS_SHARE_MAX = 0.15  # of the edge's core: beyond it a limit that is met may be the machine's, not the edge's
WAYS = {"ticket": False, "player": True}


def main(ways: str = ",".join(WAYS)) -> None:
    table: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name, subjects.edge() as edge:
        folder = Path(name)
        answer, sound = visit(edge)
        for way in ways.split(","):
            held_hz = 0
            for rate_hz in RATES_HZ:
                run = stampede(edge, folder, round(rate_hz * VISITS_S), rate_hz, joining=WAYS[way], mode="visit")
                print(way, rate_hz, run, flush=True)
                table |= {f"{way}, {rate_hz}/s: {what}": value for what, value in run.items()}
                if rate_hz >= FLOOR_FROM_HZ:
                    floor = beside(folder, answer, sound, rate_hz, run["server us per join"], joining=WAYS[way])
                    print(way, rate_hz, floor, flush=True)
                    table |= {f"{way}, {rate_hz}/s: {what}": value for what, value in floor.items()}
                if run["verdict"] != "held":
                    break
                held_hz = rate_hz
            table[f"{way}: highest rate that held (joins/s)"] = held_hz
            if held_hz:
                run = stampede(edge, folder, STAYING, held_hz, joining=WAYS[way], mode="frames")
                print(way, "staying", run, flush=True)
                table |= {f"{way}, {held_hz}/s who stay: {what}": value for what, value in run.items()}
    keep("joins", table)


def stampede(edge: Subject, folder: Path, count: int, rate_hz: int, *, joining: bool, mode: str) -> dict[str, Any]:
    """What `count` who join at `rate_hz` meet, and what those who were in before hear of it."""
    with readers(edge, folder, count=ADMITTED, rate_hz=3_000, seconds=600) as admitted:
        time.sleep(ADMITTED / 3_000 + 6)  # everybody is in step, and the readers count
        quiet_s = edge.cpu_s()
        time.sleep(QUIET_S)
        quiet_s = (edge.cpu_s() - quiet_s) / QUIET_S
        before_s, others_s, began_s = edge.cpu_s(), edge.others_cpu_s(), time.monotonic()
        with readers(edge, folder, count=count, rate_hz=rate_hz, seconds=2, mode=mode, joining=joining) as coming:
            came = told(coming)
        elapsed_s = time.monotonic() - began_s
        cost_s = edge.cpu_s() - before_s - quiet_s * elapsed_s
        others_share = (edge.others_cpu_s() - others_s) / elapsed_s
        admitted.terminate()
        were = told(admitted)
    judged = verdict(came, were, rate_hz)
    if judged != "held" and others_share > OTHERS_SHARE_MAX:
        judged += ", but others used the edge's core: repeat this on a quiet machine"
    return {
        "verdict": judged,
        "first sound p50, p99 (ms)": (came["first_p50_ms"], came["first_p99_ms"]),
        "asked, heard (per s)": (came["asked_hz"], came["heard_hz"]),
        "lost": came["lost"],
        "server us per join": round(1e6 * cost_s / count, 1),
        "readers' share of their core": round(came["cpu_s"] / (count / came["asked_hz"] + 2), 2),
        "others' share of the edge's core": round(others_share, 2),
        "admitted: gaps, lost, longest silence (ms)": (were["gaps"], were["lost"], were["longest_silence_ms"]),
    }


def visit(edge: Subject) -> tuple[bytes, bytes]:
    """What the edge answers to a join, and what it writes at once to who may listen."""
    with socket.create_connection(("127.0.0.1", edge.port)) as connection:
        connection.sendall(subjects.JOIN.encode())
        answer = connection.recv(65_536)
        connection.sendall(edge.ask.encode())
        time.sleep(0.02)
        return answer, connection.recv(262_144)


def beside(
    folder: Path, answer: bytes, sound: bytes, rate_hz: int, edge_us: float, *, joining: bool
) -> dict[str, Any]:
    """The floor's cost of the same visits, and how many times as much the edge's is."""
    with subjects.doorman(folder, answer, sound) as floor:
        before_s = floor.cpu_s()
        with readers(
            floor, folder, count=rate_hz * FLOOR_S, rate_hz=rate_hz, seconds=1, mode="visit", joining=joining
        ) as coming:
            came = told(coming)
        us = 1e6 * (floor.cpu_s() - before_s) / came["heard"]
    return {"floor us per join": round(us, 1), "times the floor": round(edge_us / us, 2)}


def verdict(came: dict[str, Any], were: dict[str, Any], rate_hz: int) -> str:
    """`held`, or the first reason why not."""
    if came["asked_hz"] < 0.95 * rate_hz:
        return "the readers cannot ask so fast"
    if came["lost"]:
        return "some heard nothing"
    if came["first_p99_ms"] > FIRST_SOUND_P99_MAX_MS:
        return "first sound was late"
    if were["gaps"] or were["lost"]:
        return "the admitted noticed"
    return "held"
