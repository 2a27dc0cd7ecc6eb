"""What a verdict means, as decisions without words: which answer each question has, which doubts are left."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

CAUSES: Final = ("attack", "demand", "own", "external")
MAIN_U: Final = 50_000  # of the harm: less is not told in the three sentences
PART_MIN_U: Final = 10_000  # of the harm: less is told as none that mattered
TWICE_DB: Final = 3  # twice as likely: less is told as neither
SURE_U: Final = 950_000  # of the replays
INCIDENT_U: Final = 30_000
_MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """To "would it have happened without …?": `code` says which; `without_u` of people, where that is known."""

    cause: str
    code: str
    alone: str
    without_u: int
    with_u: int
    necessary_u: int


def phrase_of(label: str, *, firm: bool, absorbed: bool) -> str:
    """What a verdict is called, where it must not say more than is known."""
    if label == "none" and absorbed:
        return "absorbed"
    return f"likely.{label}" if not firm and label not in ("none", "undetermined") else f"label.{label}"


def answer(verdict: Mapping[str, Any], cause: str) -> Answer:
    found = verdict["causes"][cause]
    necessary, enough = found["necessary_u"], found["enough_u"]
    with_u = world(verdict)
    without_u = world(verdict, without=cause)
    code = alone = ""
    if verdict["label"] == "none":
        code = "nothing"
    elif verdict["label"] == "undetermined":
        code = "unknown"
    elif found["high_u"] < PART_MIN_U:
        code = "no_part"
    else:
        code = _turned(necessary, without_u)
    if code in ("no", "less", "yes", "perhaps") and found["share_u"] >= MAIN_U:
        alone = "enough" if enough >= SURE_U else "not_enough" if enough <= _MILLION - SURE_U else "unsure"
    return Answer(cause, code, alone, without_u, with_u, necessary)


def _turned(necessary: int, without_u: int) -> str:
    if necessary >= SURE_U:
        return "no" if without_u < INCIDENT_U else "less"
    return "yes" if necessary <= _MILLION - SURE_U else "perhaps"


def world(verdict: Mapping[str, Any], *, without: str = "") -> int:
    """The harm in the world in which all causes but one are there."""
    for each in verdict["worlds"]:
        if all(each[name] is (name != without) for name in CAUSES):
            harm: int = each["harm_u"]
            return harm
    raise LookupError(without)


def shown_worlds(verdict: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The eight in which what we depend on is as it was, from all causes to none."""
    eight = [each for each in verdict["worlds"] if each["external"]]
    return sorted(
        eight, key=lambda each: (-sum(each[name] for name in CAUSES), [not each[name] for name in CAUSES])
    )


def parts(verdict: Mapping[str, Any]) -> list[str]:
    """Causes with a part in the harm, the greatest first."""
    causes = verdict["causes"]
    found = [name for name in CAUSES if causes[name]["high_u"] >= PART_MIN_U]
    return sorted(found, key=lambda name: -causes[name]["share_u"])


def doubts(verdict: Mapping[str, Any]) -> list[str]:
    """Why a verdict is not firm, or none can be given: as far as it says so itself."""
    found = []
    if verdict["unknowns"]:
        found.append("missing")
    if verdict["coverage_u"] < 980_000:  # as the verdict's COMPLETE
        found.append("coverage")
    causes = verdict["causes"]
    wide = any(each["high_u"] - each["low_u"] > _MILLION // 2 for each in causes.values())
    if wide:
        found.append("wide")
    if not found:
        found.append("assumptions")
    return found
