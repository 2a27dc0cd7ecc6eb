"""Probes: whether those who looked from outside heard what the edges say was to be heard (exact binomial test)."""

from collections import Counter
from collections.abc import Iterator, Mapping
from math import comb
from typing import Final

from rostra.verifier.checks.physics import Reading, added, reading, whole
from rostra.verifier.checks.registration import Registration
from rostra.verifier.entry import Entry
from rostra.verifier.errors import FlawError
from rostra.verifier.note import parse_key
from rostra.verifier.step import Outcome, Step

PROBE: Final = "probe"  # by a probe: one visit
HEARD: Final = "heard"
WAITING: Final = "waiting"  # neither served nor refused: no claim is about it
RARE: Final = 1_000_000  # one in so many: what a probe saw contradicts what the edges say
CONTRADICTIONS: Final = 2  # by as many it is false; one probe's own network may have failed
VISITS_MAX: Final = 10_000  # of one probe: a day and more, each ten seconds
_MILLION: Final = 1_000_000
_CLASSES: Final = ("speaker", "registered", "signed_in", "anonymous")
_WITHIN_MS: Final = (100, 300, 1_000, 3_000, 10_000)


class Probes:
    """Each probe's visits against the share of those who asked that, as edges say, heard sound within ten seconds.

    `keys` are those with which everybody speaks.
    """

    name = "probes"

    def __init__(self, registration: Registration, keys: Mapping[str, bytes]) -> None:
        self._registration = registration
        self._keys = keys
        self._visits: dict[str, Counter[bool]] = {}
        self._first: dict[tuple[str, int], Reading] = {}
        self._last: dict[tuple[str, int], Reading] = {}

    def take(self, _: int, entry: Entry) -> None:
        if entry.kind == PROBE:
            outcome, visits = entry.body.get("outcome"), self._visits.setdefault(entry.who, Counter())
            if outcome != WAITING and visits.total() < VISITS_MAX:
                visits[outcome == HEARD] += 1
        elif whole((now := reading(entry)).did, "asked_again") is not None:
            place = entry.who, entry.run
            self._first.setdefault(place, now)
            self._last[place] = now

    def steps(self) -> Iterator[Step]:
        if not self._visits:
            yield Step(Outcome.INCOMPLETE, self.name, "nobody looked from outside")
            return
        claimed_u = self.claimed_u()
        against = 0
        for who, visits in self._visits.items():
            found = f"{who} heard {visits[True]} of {visits.total()} times"
            if not self._registered(who):
                yield Step(Outcome.INCOMPLETE, self.name, f"{found}; it was not registered before the doors opened")
            elif claimed_u is None:
                yield Step(Outcome.INCOMPLETE, self.name, f"{found}; no edge says anything to compare it with")
            elif is_rare(visits[True], visits.total(), claimed_u):
                against += 1
                found += f", where the edges say {claimed_u / 10_000:.1f} %: less than one in {RARE} by chance"
                outcome = Outcome.FAIL if against >= CONTRADICTIONS else Outcome.INCOMPLETE
                yield Step(outcome, self.name, found)
            else:
                yield Step(Outcome.PASS, self.name, f"{found}, which {claimed_u / 10_000:.1f} % allows")

    def _registered(self, who: str) -> bool:
        plan = self._registration.plan
        told = None if plan is None else plan.body.get("probes")
        known = [parse_key(each) for each in told if isinstance(each, str)] if isinstance(told, list) else []
        own = [key.key for key in known if key.name == who]
        if own and self._keys[who] not in own:
            raise FlawError(f"{who} speaks with another key than was registered before the doors opened: forged.")
        return bool(own)

    def claimed_u(self) -> int | None:
        """Of a million who asked for the first time, how many heard sound within ten seconds."""
        asked = heard = 0
        for place, first in self._first.items():
            last = self._last[place]
            asked += added(first, last, "did", *(f"asked_first_{each}" for each in _CLASSES)) or 0
            heard += added(first, last, "did", *(f"sound_within_{limit}_ms" for limit in _WITHIN_MS)) or 0
        return min(_MILLION, heard * _MILLION // asked) if asked > 0 else None


def is_rare(heard: int, visits: int, claimed_u: int) -> bool:
    """Whether so few, or fewer, of `visits` are heard less than once in RARE times, if each is with `claimed_u`.

    In whole numbers: no rounding decides.
    """
    missed_u = _MILLION - claimed_u
    below = sum(comb(visits, count) * claimed_u**count * missed_u ** (visits - count) for count in range(heard + 1))
    return bool(below * RARE < _MILLION**visits)
