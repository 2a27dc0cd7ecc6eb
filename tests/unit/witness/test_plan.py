"""What is registered before the doors open."""

from rostra.verdict.code import code_digest
from rostra.witness.plan import Policy, plan

POLICY = Policy(code_digest(), "ab" * 32, "log example.org", ("probe key",))
SITE = {"key": "01", "versions": {"code": "c1", "python": "3.13"}, "configuration": "s1", "machine": "m1"}
EDGE = SITE | {
    "key": "02",
    "limits": {"listeners": 5_000, "egress_bps": 1_000_000_000},
    "rehearsed": {"certificate": "d1", "joins_hz": 2_800, "listeners": 9_000, "void": ["machine: cores"]},
}


def test_a_plan_has_limits_and_rehearsed_capacity_of_each_edge_and_the_code_of_everybody() -> None:
    said = plan({"site-1": SITE, "edge-1": EDGE, "operator": {"key": "03"}}, POLICY)
    assert said["processes"] == {
        "edge-1": {"code": "c1", "key": "02", "configuration": "s1", "machine": "m1"},
        "site-1": {"code": "c1", "key": "01", "configuration": "s1", "machine": "m1"},
    }
    assert said["limits"] == {"edge-1": EDGE["limits"]}
    assert said["capacity"] == {
        "edge-1": {
            "certificate": "d1",
            "joins_hz": 2_800,
            "listeners": 9_000,
            "egress_bps": 1_000_000_000,
            "void": ["machine: cores"],
        }
    }
    assert said["verdict"] == code_digest()
    assert said["witness"] == {"key": "ab" * 32, "policy": "log example.org"}


def test_the_order_in_which_processes_were_heard_makes_no_other_plan() -> None:
    assert plan({"edge-1": EDGE, "site-1": SITE}, POLICY) == plan({"site-1": SITE, "edge-1": EDGE}, POLICY)
