"""P9: comparisons are of all edges on which something was so with all on which it was not."""

from dataclasses import replace

from evenings import Evening, scenario
from rostra.verdict.contrast import Contrast
from rostra.verdict.evening import read
from rostra.verdict.verdict import judge


def differences(evening: Evening) -> list[Contrast]:
    found = judge(read(evening.entries), count=3).contrasts
    return [each for each in found if each.code == "difference" and each.subject != "attack"]


def test_edges_that_were_changed_alike_are_compared_together_with_the_others() -> None:
    bad = replace(scenario("bad_deploy", 3), edges=5, hit=2)
    at = bad.begin - 5
    changes = (
        (at, "move", "edge-4"),
        (at, "deploy", "edge-2"),
        (at + 1, "deploy", "edge-1"),
        (at, "deploy", "site"),
    )
    moved, deployed = differences(Evening(replace(bad, changes=changes)))
    assert [moved.subject, deployed.subject] == ["move", "deploy"]
    assert (moved.numbers["exposed_edges"], moved.numbers["other_edges"]) == (1, 4)
    assert (deployed.numbers["exposed_edges"], deployed.numbers["other_edges"]) == (2, 3)
    assert deployed.numbers["exposed_more_u"] > 300_000 > deployed.numbers["other_more_u"]


def test_what_was_changed_on_every_edge_is_compared_with_nothing() -> None:
    bad = replace(scenario("bad_deploy", 3), edges=3, hit=3)
    changes = tuple((bad.begin - 5, "deploy", f"edge-{number}") for number in (1, 2, 3))
    assert differences(Evening(replace(bad, changes=changes))) == []
