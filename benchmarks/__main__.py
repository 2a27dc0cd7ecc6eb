"""Run benchmarks by name, `NAME` or `NAME:ARGUMENT`; without a name, list them."""

import importlib
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "tests"), str(HERE.parent / "tests" / "e2e"), str(HERE.parent / "tools")]


def main() -> None:
    names = sys.argv[1:]
    known = {
        "fanout": "cost per listener-second beside the kernel's floor, Icecast and nginx",
        "door": "three times as many people as places; the ladder",
        "joins": "joins a second and first sound, while others listen on",
        "many": "60,000 listeners on one machine over several workers, and the most that hold",
        "verdict": "verdicts of synthetic evenings beside the naive rule; their cost",
        "live": "how soon a live verdict is firm, by kind of evening, and what it costs",
        "plan": "what `rostra plan` predicts beside what is measured",
        "attacks": "six kinds of attackers, ten connections for each listener",
        "memory": "memory per listener, ours and the kernel's",
        "start": "lateness of the announced instant, idle and under load",
        "latency": "mouth to ear, from a feed to Chromium",
        "kills": "pauses after kill -9 of an edge, a stage, the bus, 20 times each",
        "soak": "half an hour with 2,000 listeners",
        "replay": "cost of recording, and how soon the replay is there",
        "moves": "planned moves during continuous speech, 20 times",
        "conversation": "people on the stage: quality, mouth to ear, what thirteen cost",
        "tick": "CPU time of thirteen speakers' sound at the gate, without sockets",
        "captions": "lateness, word error rate and cost of captions and transcripts",
        "verify": "an evening's ledger, two hours of eight edges, checked from one file",
        "site": "posts and timelines a second, on SQLite and PostgreSQL",
        "isolation": "posts and timelines while 5,000 a second join an edge beside the site",
        "evidence": "what it costs an edge to be witnessed, beside 20,000 connections",
        "speaker": "what a bad network leaves of a speaker, by PESQ",
    }
    if not names:
        for name, about in known.items():
            print(f"{name:12} {about}")
    for name in names:
        if name.split(":")[0] not in known:
            sys.exit(f"There is no benchmark {name!r}: choose from {', '.join(known)}.")
        module, _, argument = name.partition(":")
        importlib.import_module(f"benchmarks.{module}").main(*([argument] if argument else []))


main()
