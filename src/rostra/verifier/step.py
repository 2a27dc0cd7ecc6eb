"""One step of a verification: what was looked at, and whether it is as it must be."""

from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple, Protocol

from rostra.verifier.entry import Entry


class Outcome(Enum):
    PASS = "PASS"  # noqa: S105 # a word on a page
    INCOMPLETE = "INCOMPLETE"  # nothing is wrong with what is here, and something is missing
    FAIL = "FAIL"


class Step(NamedTuple):
    """`found` is for people; `code` says it to programs, where one asks."""

    outcome: Outcome
    name: str
    found: str
    code: str = ""


class Check(Protocol):
    """A question that is put to every entry in the order of the log; `steps` is the answer.

    Either may raise FlawError: then the log fails this check, and no other is asked.
    """

    name: str

    def take(self, index: int, entry: Entry) -> None: ...
    def steps(self) -> Iterator[Step]: ...
