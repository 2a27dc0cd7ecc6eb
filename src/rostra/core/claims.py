"""What somebody official may claim was the cause, and when that is more than the evidence shows. Pure."""

import re
from typing import Final

from rostra.core.messages import LiveVerdict, Part

CLAIMS: Final = ("attack", "demand", "own", "dependency", "none")
NO_CLAIM: Final = ""
UNCLAIMED: Final = "unclaimed"  # the text has words of an attack, and nobody chose what it claims
# Published in docs/operate/the-evening.md. Whole words: what is not in it is not asked about.
ATTACK_WORDS: Final = frozenset(
    {
        "attack", "attacks", "attacked", "attacker", "attackers", "cyberattack", "ddos", "dos", "hack", "hacked",
        "hacker", "hackers", "hacking", "botnet", "sabotage",
        "aanval", "aanvallen", "aanvaller", "aanvallers", "aangevallen", "cyberaanval", "gehackt", "gesaboteerd",
    }
)  # fmt: skip
_WORD: Final = re.compile(r"\w+")


def speaks_of_attack(text: str) -> bool:
    return not ATTACK_WORDS.isdisjoint(_WORD.findall(text.casefold()))


def warning(claims: str, verdict: LiveVerdict | None) -> str:
    """How a claim says more than the evidence does so far, as the ledger has it; empty if it does not."""
    if claims not in CLAIMS:
        return ""
    if verdict is None:
        return "" if claims == "none" else f"claimed: {claims}; evidence so far: none"
    if claims not in verdict.exceeded_by:
        return ""
    shown = [f"claimed: {claims}"]
    if claims == "attack":
        shown.append(f"evidence so far: {evidence(verdict)}")
    if (part := part_of(claims, verdict)) is not None:
        shown.append(f"part in the harm: {percent(part.low_u)}-{percent(part.high_u)} %")
    return "; ".join([*shown, f"verdict: {verdict.label}{' (firm)' if verdict.firm else ''}"])


def doubt(text: str, claims: str, verdict: LiveVerdict | None, *, seen: str) -> str:
    """What its author has to see before this is said; empty if nothing, or if it is what they have `seen`."""
    unclaimed = UNCLAIMED if claims == NO_CLAIM and speaks_of_attack(text) else ""
    found = unclaimed or warning(claims, verdict)
    return "" if found == seen else found


def evidence(verdict: LiveVerdict) -> str:
    """That an attack was there: a word of the scale, or `none` where the signals speak against it."""
    return verdict.word if verdict.decibans > 0 else "none"


def part_of(claims: str, verdict: LiveVerdict) -> Part | None:
    return verdict.causes.get("external" if claims == "dependency" else claims)


def percent(share_u: int) -> int:
    return round(share_u / 10_000)
