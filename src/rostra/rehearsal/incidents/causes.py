"""What can befall an evening: the classes, who answers for them, and the kinds of incidents made of them. Pure."""

from enum import StrEnum
from typing import Final


class Side(StrEnum):
    """Who answers for a cause."""

    ATTACK = "attack"
    DEMAND = "demand"
    OWN = "own"
    EXTERNAL = "external"


# The classes of attribution: X and others are told apart by their first letter.
CLASSES: Final[dict[str, str]] = {
    "A1": "the line to an edge is filled with junk",
    "A2": "half-open connections from addresses that nobody has",
    "A3": "requests for places by the hundred, without anybody who listens",
    "A4": "bots that hold tickets and take the places of people",
    "A5": "connections that are opened and never used",
    "D1": "more people than were rehearsed",
    "D2": "a client that asks again and again without a pause",
    "O1": "an edge that dies or hangs",
    "O2": "a worse version is deployed",
    "O3": "a wrong setting",
    "O4": "a limit far below what was rehearsed",
    "O5": "edges moved to weaker machines",
    "O6": "a source that is silent or gone",
    "X1": "a network between the machines, or to them, that somebody else keeps",
}
MIXTURES: Final = ("A3+D1", "A2+O2", "D1+O4", "A5+O5", "A3+O3", "D1+X1")
NOTHING: Final = "N"
CROWD: Final = "D1"
REHEARSED: Final = "rehearsed"  # what is left of a crowd in a re-run without it: as many as were rehearsed
ABSORBED: Final = "absorbed"  # an attack that is there and harms nobody
KINDS: Final = (NOTHING, ABSORBED, *CLASSES, *MIXTURES)
_SIDES: Final = {"A": Side.ATTACK, "D": Side.DEMAND, "O": Side.OWN, "X": Side.EXTERNAL}


def side(name: str) -> Side:
    return _SIDES[name[0]]
