"""Campaigns of incidents, with a world that costs nothing; and a lab's wires, from inside."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from machine import lacks
from rostra.core.errors import BadInputError
from rostra.rehearsal.incidents.campaign import BUNDLE, TRUTH, WORLDS, Tally, Truth, campaign
from rostra.rehearsal.incidents.network import inside, namespace

WORLD = """
import json, sys
from pathlib import Path

orders = json.loads(sys.stdin.readline())
causes = {cause["name"] for cause in orders["recipe"]["causes"]}
seed = orders["recipe"]["seed"]
harmed = 4 if causes - {"rehearsed"} else 0
if seed == 6 and not causes:
    harmed = 1
Path(orders["bundle"]).write_bytes(b"evidence")
with Path(TOLD).open("a") as told:
    told.write("+".join(sorted(causes)) + "\\n")
if seed == 8:
    sys.exit("no such luck")
fates = [{"asked_s": 1.0, "heard_s": None, "harm": "unheard" if n < harmed else ""} for n in range(10)]
strain = {"cpu_some_us": 0, "cpu_full_us": 0, "seconds": 1.0, "lag_median_s": 0.0, "lag_p99_s": 0.0}
print(json.dumps({"fates": fates, "began_ms": 1, "strain": strain, "refused": {}, "took_s": 1.0, "quotas": False}))
"""
LAB = """
import subprocess, sys, threading, time
from random import Random
from rostra.rehearsal.incidents.floods import Sender
from rostra.rehearsal.incidents.network import Line, Network, address, edge_name, within

def received():
    text = subprocess.run([*within(edge_name(1)), "cat", "/proc/net/dev"], capture_output=True, text=True).stdout
    return next(int(line.split()[2]) for line in text.splitlines() if line.strip().startswith("world:"))

outside = int(sys.argv[1])
network = Network(2, Line(1_000, 1_000), outside=outside)
before = received()
sender = Sender(address(1), outside=outside)
sender.half_open(8080, rate_hz=1_000, seconds=0.2, chance=Random(1))
print(sender.sent, received() - before)
"""


@pytest.fixture(autouse=True)
def namespaces() -> None:
    try:
        inside(["true"])
    except BadInputError as error:
        lacks("a namespace of one's own", str(error))


def run(wanted: list[tuple[str, int]], out: Path) -> tuple[Tally, list[str]]:
    said: list[str] = []
    tally = campaign(
        wanted,
        out,
        parallel=1,
        command=[sys.executable, "-c", WORLD.replace("TOLD", repr(str(out / "told")))],
        cache=out,
        on_progress=lambda _, words: said.append(words),
        takes_s=0.0,
    )
    return tally, said


def test_a_campaign_keeps_each_incident_beside_its_truth_and_makes_it_once(tmp_path: Path) -> None:
    wanted = [("N", 4), ("D1", 4), ("A3+D1", 5)]
    tally, _ = run(wanted, tmp_path)
    assert tally.made == 3
    truths = {
        name: msgspec.json.decode((tmp_path / name / TRUTH).read_bytes(), type=Truth)
        for name in ("N-4", "D1-4", "A3+D1-5")
    }
    assert [truth.label for truth in truths.values()] == ["none", "demand", "mixture"]
    assert [truth.split for truth in truths.values()] == ["fit", "fit", "test"]
    assert truths["A3+D1-5"].worlds_u == {"": 0, "A3": 400_000, "D1": 400_000, "A3+D1": 400_000}
    assert truths["A3+D1-5"].shares_u == {"A3": 500_000, "D1": 500_000}
    assert (tmp_path / "D1-4" / BUNDLE).read_bytes() == b"evidence"
    again, said = run(wanted, tmp_path)
    assert (again.there, again.made, said) == (3, 0, [])


def test_what_the_machine_disturbed_or_broke_is_thrown_away_and_counted(tmp_path: Path) -> None:
    tally, said = run([("O1", 6), ("O1", 8), ("O1", 10)], tmp_path)
    assert (tally.disturbed, tally.failed, tally.made) == (1, 1, 1)
    assert "O1-8 failed: no such luck" in said
    assert {path.name for path in tmp_path.iterdir()} == {"O1-10", WORLDS, "told"}


def test_incidents_of_one_seed_share_the_worlds_that_they_have_in_common(tmp_path: Path) -> None:
    run([("N", 4), ("A3", 4), ("D1", 4), ("A3+D1", 4)], tmp_path)
    without_too_many = ["A3+rehearsed", "rehearsed"]
    told = sorted((tmp_path / "told").read_text().split("\n")[:-1])
    assert told == sorted(["", "A3", "A3+D1", "D1", *without_too_many])


def test_a_flood_in_a_lab_reaches_the_edge_that_it_is_sent_to() -> None:
    done = subprocess.run(
        inside([sys.executable, "-c", LAB, str(namespace())]),
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    )
    sent, received = map(int, done.stdout.split())
    assert sent > 50
    assert received >= sent / 2  # the line carries 1 Mbit/s, and loses what does not wait in it
