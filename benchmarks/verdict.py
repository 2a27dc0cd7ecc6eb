"""Verdicts of synthetic evenings beside the naive rule, and what a verdict of two hours and eight edges costs.

They were made by who made the verdict: read them as whether causes can be told apart at all, never as accuracy.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import fit_verdict

import evenings
from rostra.verdict.evening import read
from rostra.verdict.likelihood import tables
from rostra.verdict.verdict import LIVE_DRAWS, judge
from rostra.verifier.entry import Entry

HOURS = 2
EDGES = 8


def main(count: str = "10") -> None:
    """So many evenings of each kind, none of which the tables were fitted from, at two operating points."""
    print(f"tables made from {tables().made_from}, {tables().incidents} incidents")
    for shift in (0.0, 0.8):
        print(f"\noperating point {'other' if shift else 'usual'}")
        found = fit_verdict.synthetic(2 * int(count), first=1_000, shift=shift)
        told = list(fit_verdict.outcomes((each for each in found if each.split == "test"), tables()))
        print("\n".join(fit_verdict.report(told)))
    cost()


def cost() -> None:
    entries = list(long_evening())
    began = time.process_time()
    evening = read(entries)
    after_reading = time.process_time()
    judge(evening)
    after = time.process_time()
    judge(evening, count=LIVE_DRAWS)
    live = time.process_time()
    print(
        f"\n{HOURS} h, {EDGES} edges, {len(entries)} entries: read in {after_reading - began:.1f} s of CPU, ",
        end="",
    )
    print(f"judged in {after - after_reading:.1f} s, live ({LIVE_DRAWS} draws) in {live - after:.1f} s")


def long_evening() -> Iterator[Entry]:
    """One evening's people, again and again, for two hours: every counter goes on growing."""
    scenario = replace(evenings.scenario("flood_and_crowd", 1), edges=EDGES)
    once = evenings.Evening(scenario).entries
    before: dict[str, dict[str, Any]] = {}
    for turn in range(HOURS * 3_600 // evenings.SECONDS):
        later_ms = turn * evenings.SECONDS * 1_000
        newest: dict[str, dict[str, Any]] = {}
        for entry in once:
            if entry.kind != "record":
                if not turn:
                    yield entry
                continue
            body = dict(entry.body)
            for part in ("did", "has"):
                add = before.get(entry.who, {}).get(part, {})
                body[part] = {name: value + add.get(name, 0) for name, value in body.get(part, {}).items()}
            newest[entry.who] = body
            yield entry._replace(
                seq=entry.seq + turn * evenings.SECONDS, wall_ms=entry.wall_ms + later_ms, body=body
            )
        before = newest
