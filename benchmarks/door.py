"""The door over capacity: whether everybody hears something, places are honest, and the ladder keeps its order.

`door:line` sends three times as many people as there are places, who stay for a while. `door:ladder` sends a crowd that
the line of the machine does not carry at full quality, takes most of it away again, and watches each rung (a quarter
of an hour: going down takes a minute a rung).
"""

import asyncio
import json
import random
import re
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.record import keep
from benchmarks.visitors import Visitor
from system import System, running

PLACES = 200
STAYS_S = 60.0
ARRIVALS_HZ = 20
LISTENERS = 100
LEFT = 15
EGRESS_MBPS = 5.0  # 100 listeners at 64 kbit/s are 7
UP_S, DOWN_S = 120, 800


def main(only: str | None = None) -> None:
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        if only in (None, "line"):
            settings = {"edge_workers": "2", "edge_listeners_max": str(PLACES // 2)}
            with running(Path(folder) / "line", shield_spared="127.0.0.0/8", **settings) as system:
                figures |= asyncio.run(_line(system))
        if only in (None, "ladder"):
            settings = {"edge_workers": "1", "edge_egress_mbps": str(EGRESS_MBPS)}
            with running(Path(folder) / "ladder", shield_spared="127.0.0.0/8", **settings) as system:
                figures |= asyncio.run(_ladder(system))
    keep("door", figures)


async def _line(system: System) -> dict[str, Any]:
    conversation = str(system.schedule(at="+1h", doors="1h", id="line")["id"])
    await _doors_open(system, conversation)
    chance = random.Random(1)
    visitors = [Visitor(n, system.port, conversation, chance.expovariate(1 / STAYS_S)) for n in range(3 * PLACES)]
    most = 0
    async with asyncio.TaskGroup() as tasks:
        coming = [tasks.create_task(_come(visitor, n / ARRIVALS_HZ)) for n, visitor in enumerate(visitors)]
        while not all(task.done() for task in coming):
            most = max(most, sum(visitor.listening for visitor in visitors))
            await asyncio.sleep(0.5)
    errors = []
    for visitor in visitors:
        for told_s, answer in visitor.told:
            true_s = (visitor.in_s or told_s) - told_s
            if answer["wait_s"] is not None and true_s >= 5:
                errors.append(abs(answer["wait_s"] - true_s) / true_s)
    waited = [visitor for visitor in visitors if visitor.told]
    words = sorted(visitor.first_word_s or 1e9 for visitor in visitors)
    return {
        "line: places, people, of them waited": (PLACES, len(visitors), len(waited)),
        "line: heard nothing": sum(visitor.first_word_s is None for visitor in visitors),
        "line: music or programme p50, p99 (ms)": tuple(
            round(1e3 * words[int(q * len(words))]) for q in (0.5, 0.99)
        ),
        "line: most listeners at once": most,
        "line: estimates, median error": (len(errors), round(statistics.median(errors), 3)),
        "line: nobody could tell (share of answers)": round(
            sum(answer["wait_s"] is None for visitor in waited for _, answer in visitor.told)
            / sum(len(visitor.told) for visitor in waited),
            3,
        ),
        "line: missing chunks": sum(visitor.gaps for visitor in visitors),
        "line: other answers": [words for visitor in visitors for words in visitor.strange][:5],
    }


async def _ladder(system: System) -> dict[str, Any]:
    conversation = str(system.schedule(at="+2h", doors="2h", id="ladder")["id"])
    await _doors_open(system, conversation)
    visitors = [
        Visitor(n, system.port, conversation, UP_S + (DOWN_S if n < LEFT else 0.0)) for n in range(LISTENERS)
    ]
    async with asyncio.TaskGroup() as tasks:
        for n, visitor in enumerate(visitors):
            tasks.create_task(_come(visitor, n / ARRIVALS_HZ))
    steps = re.findall(r'\{[^\n]*"event": "ladder.step"[^\n]*\}', system.log)
    rungs = [json.loads(step)["rung"] for step in steps]
    return {
        "ladder: rungs": rungs,
        "ladder: renditions at the end": sorted({visitor.rendition for visitor in visitors[:LEFT]}),
        "ladder: missing chunks": sum(visitor.gaps for visitor in visitors),
        "ladder: other answers": [words for visitor in visitors for words in visitor.strange][:5],
    }


async def _come(visitor: Visitor, after_s: float) -> None:
    await asyncio.sleep(after_s)
    await visitor.visit()


async def _doors_open(system: System, conversation: str) -> None:
    until_s = time.monotonic() + 30
    while not system.state(conversation)["seq"]:
        assert time.monotonic() < until_s, "the doors did not open"
        await asyncio.sleep(0.2)
