"""The verdict: what an evening's evidence says of who was harmed, how much, and by what."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from rostra.verdict.crowd import Span, measured, span
from rostra.verdict.draws import DRAWS, draws
from rostra.verdict.evening import Evening
from rostra.verdict.path import path
from rostra.verdict.replay import NAMES, UNCHANGED, Cap
from rostra.verdict.shares import Interval, Split, label, split

FORMAT: Final = "rostra-verdict/1"
UNDETERMINED: Final = "undetermined"
_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """`label`: none, attack, demand, own, external, mixture or undetermined."""

    evening: Evening
    label: str
    span: Span
    harm: Interval
    estimated: bool  # some who were harmed cannot have been counted
    split: Split

    def as_json(self) -> dict[str, Any]:
        """Everything that was found, in whole numbers: fractions are millionths, and their names end in `_u`."""
        return {
            "format": FORMAT,
            "conversation": self.evening.conversation,
            "label": self.label,
            "harm": {
                **_interval(self.harm),
                "estimated": self.estimated,
                "asked": self.span.asked,
                "unheard": self.span.unheard,
                "cut": self.span.cut,
                "silenced": self.span.silenced,
                "from_s": self.evening.began_s + self.span.begin,
                "to_s": self.evening.began_s + self.span.end,
            },
            "causes": {
                name: {
                    **_interval(self.split.shares[cause]),
                    "necessary_u": _micro(self.split.necessary[cause]),
                    "enough_u": _micro(self.split.enough[cause]),
                }
                for cause, name in enumerate(NAMES)
            },
            "worlds": [{**world._asdict(), "harm_u": _micro(harm)} for world, harm in self.split.worlds.items()],
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON (RFC 8785), in hexadecimal."""
        return digest(self.as_json())


def judge(evening: Evening, *, cap: Cap = UNCHANGED, count: int = DRAWS) -> Verdict:
    """What the evening was, from `count` draws of what nobody measured. `cap`: had limits been other ones."""
    seconds = span(evening)
    way = path(evening, seconds)
    found = split(way, list(draws(count)), cap)
    counted = seconds.harm_u / _MILLION
    harm = Interval(counted, counted, counted)
    if way.hidden and found.harm.value > counted:
        harm = Interval(found.harm.value, max(counted, found.harm.low), found.harm.high)
    named = label(found, harm.value) if measured(evening) else UNDETERMINED
    return Verdict(evening, named, seconds, harm, way.hidden, found)


def digest(verdict: Mapping[str, Any]) -> str:
    whole = json.dumps(verdict, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(whole.encode()).hexdigest()


def _interval(value: Interval) -> dict[str, int]:
    return {"share_u": _micro(value.value), "low_u": _micro(value.low), "high_u": _micro(value.high)}


def _micro(value: float) -> int:
    return round(value * _MILLION)
