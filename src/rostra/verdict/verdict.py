"""The verdict: what an evening's evidence says of who was harmed, how much, by what, and how sure that is."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from rostra.verdict.arithmetic import MILLION, micro
from rostra.verdict.contrast import Contrast, contrasts
from rostra.verdict.coverage import Coverage, coverage
from rostra.verdict.crowd import HARM_MIN, Span, measured, span
from rostra.verdict.draws import DRAWS, Draw, draws, published
from rostra.verdict.evening import Evening
from rostra.verdict.likelihood import (
    MIXTURE,
    NONE,
    PRIORS,
    Evidence,
    Sides,
    Strength,
    Tables,
    decibans,
    label_of,
    sides_of,
    tables,
)
from rostra.verdict.path import Path, path
from rostra.verdict.replay import NAMES, harm
from rostra.verdict.shares import PART_MIN, Interval, Split, believed, found_by, interval, split
from rostra.verdict.signals import CATEGORIES, Signal, signals
from rostra.verdict.what_if import WhatIf

FORMAT: Final = "rostra-verdict/1"
UNDETERMINED: Final = "undetermined"
ATTACK: Final = NAMES[0]
KNOWN: Final = 0.93  # of incidents: found on 611, leaving a seed out, and a little less, as they had been looked at
COUNTED: Final = (
    0.6  # of "none", which is counted: of those of which signals speak for harm so many are right (same)
)
SURE_MIN: Final = 0.37  # of a label, or the cause cannot be determined
LIVE_DRAWS: Final = 40  # while the evening goes on: ends of intervals to a few hundredths
AGREED: Final = 0.95  # of the draws
HOSTILE_MIN: Final = 20.0  # attempts and requests: fewer are a handful of people's
MISFIT_MAX: Final = 0.25  # of the harm that was counted and the one that the model replays


@dataclass(frozen=True, slots=True)
class Replayed:
    """The answer to a question: the harm there would have been."""

    what_if: WhatIf
    harm: Interval


@dataclass(frozen=True, slots=True)
class Verdict:
    """`label`: none, attack, demand, own, external, mixture or undetermined. `firm`: no assumption turns it."""

    evening: Evening
    label: str
    sure: float  # the chance that the label is right, before which no cause was likelier than another
    firm: bool
    span: Span
    harm: Interval
    estimated: bool  # some who were harmed cannot have been counted
    split: Split
    classes: tuple[str, ...]
    posteriors: Mapping[str, Mapping[str, float]]
    strength: Strength  # of "an attack was there" against "none was", by the signals alone
    word: str
    signals: tuple[Signal, ...]
    weights: tuple[float, ...]
    contrasts: tuple[Contrast, ...]
    coverage: Coverage
    hostile: float  # of what was asked
    replayed: Replayed | None = None

    @property
    def absorbed(self) -> bool:
        """Attack present, and not a cause."""
        there = self.hostile >= PART_MIN or self.strength.certain > 1
        return there and self.label != UNDETERMINED and self.split.shares[0].high < PART_MIN

    def as_json(self) -> dict[str, Any]:
        """Everything that was found, in whole numbers: fractions are millionths, and their names end in `_u`."""
        began = self.evening.began_s
        found: dict[str, Any] = {
            "format": FORMAT,
            "conversation": self.evening.conversation,
            "label": self.label,
            "firm": self.firm,
            "sure_u": micro(self.sure),
            "attack_absorbed": self.absorbed,
            "harm": {
                **_interval(self.harm),
                "estimated": self.estimated,
                "asked": self.span.asked,
                "unheard": self.span.unheard,
                "cut": self.span.cut,
                "silenced": self.span.silenced,
                "from_s": began + self.span.begin,
                "to_s": began + self.span.end,
                "onset_s": None if self.span.onset is None else began + self.span.onset,
            },
            "causes": {name: self._cause(cause) for cause, name in enumerate(NAMES)},
            "worlds": [{**each._asdict(), "harm_u": micro(value)} for each, value in self.split.worlds.items()],
            "classes": list(self.classes),
            "posteriors": {
                named: {name: micro(value) for name, value in found.items()}
                for named, found in self.posteriors.items()
            },
            "attack_evidence": {"word": self.word, "decibans": decibans(self.strength.certain)},
            "hostile_u": micro(self.hostile),
            "signals": [
                self._signal(each, weight) for each, weight in zip(self.signals, self.weights, strict=True)
            ],
            "contrasts": [
                {"code": each.code, "subject": each.subject, "numbers": each.numbers} for each in self.contrasts
            ],
            "coverage_u": micro(self.coverage.share),
            "unknowns": [
                {"code": each.code, "subject": each.subject, "number": each.number}
                for each in self.coverage.unknowns
            ],
            "statements": [
                {
                    "entry": each.index,
                    "at_s": began + each.at_s,
                    "claims": each.claims,
                    "exceeds": self.exceeds(each.claims),
                }
                for each in self.evening.statements
            ],
            "method": {"made_from": tables().made_from, "incidents": tables().incidents, "draws": published()},
        }
        if self.replayed is not None:
            found["what_if"] = {"asked": self.replayed.what_if.text, **_interval(self.replayed.harm)}
        return found

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON (RFC 8785), in hexadecimal."""
        return digest(self.as_json())

    def _cause(self, cause: int) -> dict[str, int]:
        return {
            **_interval(self.split.shares[cause]),
            "necessary_u": micro(self.split.necessary[cause]),
            "enough_u": micro(self.split.enough[cause]),
        }

    def _signal(self, signal: Signal, weight: float) -> dict[str, Any]:
        return {
            "group": signal.group,
            "category": signal.category,
            "permille": signal.permille,
            "attack_decibans": decibans(weight),
            "expected": _expected(signal.group),
            "entries": list(signal.entries),
        }

    def exceeds(self, claims: str) -> bool:
        """Whether a statement claims a cause that the evidence does not show to be one, or that all was well."""
        if claims == NONE:
            return self.label not in (NONE, UNDETERMINED)
        if claims not in (*NAMES, "dependency"):
            return False
        cause = NAMES.index("external" if claims == "dependency" else claims)
        return self.label != NAMES[cause] and self.split.shares[cause].low < PART_MIN


def judge_now(evening: Evening) -> Verdict:
    """What an evening that goes on is so far: fewer draws, and no comparisons, which do not enter it."""
    return judge(evening, count=LIVE_DRAWS, compared=False)


def judge(
    evening: Evening,
    *,
    what_if: WhatIf | None = None,
    count: int = DRAWS,
    of: Tables | None = None,
    compared: bool = True,
) -> Verdict:
    """What the evening was, from `count` draws of what nobody measured, by the tables `of` this version."""
    seconds = span(evening)
    way = path(evening, seconds)
    drawn = list(draws(count))
    found = split(way, drawn)
    counted = seconds.harm_u / MILLION
    harmed = Interval(counted, counted, counted)
    if way.hidden and found.harm.value > counted:
        harmed = Interval(found.harm.value, max(counted, found.harm.low), found.harm.high)
    seen = signals(evening, seconds, way)
    replayed = found_by(found, harmed.value)
    evidence = Evidence(seen, replayed, of or tables())
    found = found._replace(shares=believed(found, evidence.sides("uniform")))
    covered = coverage(evening, seconds, seen, way)
    chances = {named: _labels(evidence.sides(named), harmed.value, replayed) for named in PRIORS}
    named, sure = _likeliest(chances["uniform"])
    unexplained = not covered.seen if named == NONE else not replayed or not covered.enough
    if unexplained or not measured(evening):
        named, sure = UNDETERMINED, 0.0
    strength = evidence.strength("attack")
    return Verdict(
        evening=evening,
        label=named,
        sure=sure,
        firm=_firm(named, found, harmed, chances, covered),
        span=seconds,
        harm=harmed,
        estimated=way.hidden,
        split=found,
        classes=_classes(named, evidence),
        posteriors={prior: evidence.posterior(prior) for prior in PRIORS},
        strength=strength,
        word=covered.capped(strength.word),
        signals=seen,
        weights=tuple(evidence.weight(each, "attack") for each in seen),
        contrasts=contrasts(evening, seconds) if compared else (),
        coverage=covered,
        hostile=_hostile(way),
        replayed=None if what_if is None else Replayed(what_if, _replay(way, what_if, drawn)),
    )


def digest(verdict: Mapping[str, Any]) -> str:
    whole = json.dumps(verdict, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(whole.encode()).hexdigest()


def _labels(sides: Mapping[Sides, float], harm: float, replayed: Sides) -> dict[str, float]:
    """How likely each label is that may be given: where nobody was harmed it is none; else one of the others.

    No signal accuses: an attack that has no part in the replays is no attack, whatever speaks for one.
    """
    found: dict[str, float] = {}
    for each, chance in sides.items():
        name = label_of(each)
        allowed = name == NONE if harm < HARM_MIN else name != NONE and (name != ATTACK or ATTACK in replayed)
        if allowed:
            found[name] = found.get(name, 0.0) + chance
    return found


def _likeliest(chances: Mapping[str, float]) -> tuple[str, float]:
    """And how sure it is; `undetermined` where that is not enough."""
    named = max(chances, key=lambda each: chances[each])
    if named == NONE:
        return named, KNOWN * (COUNTED + (1 - COUNTED) * chances[named])
    sure = KNOWN * chances[named]
    return (named, sure) if sure >= SURE_MIN else (UNDETERMINED, 0.0)


def _classes(named: str, evidence: Evidence) -> tuple[str, ...]:
    """The likeliest ones that are of the label."""
    chances = evidence.believed("uniform")
    fitting = [each for each in chances if label_of(sides_of(each)) == named]
    return max(fitting, key=lambda each: chances[each], default=())


def _firm(
    named: str, found: Split, harmed: Interval, chances: Mapping[str, Mapping[str, float]], covered: Coverage
) -> bool:
    """No draw, no starting assumption and nothing that is missing turns it."""
    if named == UNDETERMINED or not covered.complete:
        return False
    if named == NONE:
        return all(each[NONE] >= SURE_MIN for each in chances.values())
    if found.harm.value and abs(found.harm.value - harmed.value) > MISFIT_MAX:
        return False
    if any(_likeliest(each)[0] != named for each in chances.values()):
        return False
    if named == MIXTURE:
        return all(each.low >= PART_MIN / 2 or each.high < 2 * PART_MIN for each in found.shares)
    return found.necessary[NAMES.index(named)] >= AGREED


def _replay(way: Path, what_if: WhatIf, drawn: Sequence[Draw]) -> Interval:
    found = [harm(way, what_if.world, draw, what_if.cap) for draw in drawn]
    return interval(sorted(found)[len(found) // 2], found)


def _hostile(way: Path) -> float:
    """Of all first attempts and refused requests, those of nobody who wanted to listen."""
    hostile = people = 0.0
    for road in way.roads:
        for cell in road.cells:
            hostile += cell.hostile + cell.refused
            people += cell.people
    return hostile / (hostile + people) if hostile >= HOSTILE_MIN else 0.0


def _expected(group: str) -> dict[str, dict[str, int]]:
    """What was seen of this group in incidents of each class: counts."""
    names = CATEGORIES[group]
    return {
        name: {category: counts.get(category, 0) for category in names}
        for name, counts in tables().counts.get(group, {}).items()
    }


def _interval(value: Interval) -> dict[str, int]:
    return {"share_u": micro(value.value), "low_u": micro(value.low), "high_u": micro(value.high)}
