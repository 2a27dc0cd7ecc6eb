"""P9: what happened is told from evidence, in the same bits everywhere, and nobody is accused who was not there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from evenings import CAUSES, Evening, Scenario, scenario, shares, truth
from rostra.verdict.evening import read
from rostra.verdict.live import first_firm
from rostra.verdict.verdict import Verdict, judge

DRAWS = 20  # the intervals' ends differ by a few hundredths from those of a thousand


def judged(scenario: Scenario) -> Verdict:
    return judge(read(Evening(scenario).entries), count=DRAWS)


SINGLE = {
    "crowd": "demand", "stampede": "demand", "limit": "own", "syn_flood": "attack", "http_flood": "attack",
    "idle_connections": "attack", "crash": "own", "bad_configuration": "own", "dependency": "external",
    "silence": "own",
}  # fmt: skip


@pytest.mark.parametrize(("kind", "expected"), SINGLE.items())
def test_a_single_cause_is_named(kind: str, expected: str) -> None:
    verdict = judged(scenario(kind, 3))
    assert verdict.label == expected
    assert verdict.as_json()["causes"][expected]["share_u"] >= 750_000


def test_a_flood_upon_a_crowd_is_a_mixture_with_shares_near_the_true_ones() -> None:
    evening = scenario("flood_and_crowd", 0)
    verdict = judged(evening)
    true = shares(truth(evening)[1])
    assert verdict.label == "mixture"
    for cause, replayed, found in zip(CAUSES, verdict.split.central, verdict.split.shares, strict=True):
        assert replayed == pytest.approx(true[cause], abs=0.08)
        assert found.value == pytest.approx(true[cause], abs=0.15), "drawn to what is likelier, one cause"


@pytest.mark.parametrize("kind", ["nothing", "absorbed"])
def test_an_evening_on_which_nobody_was_harmed_has_no_incident(kind: str) -> None:
    assert judged(scenario(kind, 1)).label == "none"


def test_a_dead_edge_is_a_firm_verdict_within_two_minutes_of_its_end() -> None:
    evening = scenario("crash", 1)
    second = first_firm(Evening(evening).entries, since=evening.begin)
    assert second is not None
    assert evening.begin < second <= evening.begin + 120


def test_every_machine_finds_the_same_bits() -> None:
    """Another seed of Python's hashes changes the order of every set; nothing may depend on one."""
    program = (
        "from evenings import Evening, scenario\n"
        "from rostra.verdict.evening import read\n"
        "from rostra.verdict.verdict import judge\n"
        "print(judge(read(Evening(scenario('flood_and_fault', 5)).entries), count=5).digest)"
    )
    here = Path(__file__).resolve().parents[2]
    digests = set()
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{here}:{here.parent / 'src'}"}
        command = [sys.executable, "-c", program]
        digests.add(subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout)
    assert len(digests) == 1
    assert len(digests.pop().strip()) == 64
