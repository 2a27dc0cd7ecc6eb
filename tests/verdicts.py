"""Verdicts as a witness would tell them, and what a ledger would have of those who speak."""

from rostra.core.messages import LiveVerdict, Part
from rostra.evidence.change import Change
from rostra.evidence.testimony import Silence

NOTHING = Part(0, 0, 20_000)
OWN_FAULT = LiveVerdict(
    conversation="evening",
    at_ns=1_763_000_010_000_000_000,
    since_ns=1_763_000_000_000_000_000,
    size=1_234,
    final=False,
    label="own",
    firm=True,
    word="limited",
    decibans=4,
    absorbed=False,
    harm=Part(340_000, 300_000, 380_000),
    causes={"attack": NOTHING, "demand": NOTHING, "own": Part(980_000, 950_000, 1_000_000), "external": NOTHING},
    onset_ms=1_762_999_990_000,
    coverage_u=1_000_000,
    unknowns=[("capacity_not_rehearsed", "edge-7")],
    exceeded_by=["attack", "demand", "dependency", "none"],
    digest="d" * 64,
)


class Told(Silence):
    """What the ledger would have."""

    def __init__(self) -> None:
        self.changes: list[Change] = []

    async def before(self, change: Change) -> bool:
        self.changes.append(change)
        return True
