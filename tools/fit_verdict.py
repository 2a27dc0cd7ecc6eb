"""Fits the verdict's tables from incidents whose truth is known, and scores verdicts of others.

    python tools/fit_verdict.py fit INCIDENTS …          writes src/rostra/verdict/tables.json
    python tools/fit_verdict.py score INCIDENTS …
    python tools/fit_verdict.py fit --synthetic 20       of the even ones of 20 of each kind of tests/evenings.py

INCIDENTS are folders of folders with `truth.json` and `bundle.tar.xz` (`rostra rehearse incidents`). Those that
have been scored once are known: whoever mends the verdict after that fits it to all of them, and scores others.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from rostra.verdict.crowd import span  # noqa: E402 # the path first
from rostra.verdict.evening import Evening, Role, read  # noqa: E402
from rostra.verdict.likelihood import CLASSES, NOTHING, REPLAYS, SIDES, Sides, Tables, relation, tables  # noqa: E402
from rostra.verdict.shares import found_by  # noqa: E402
from rostra.verdict.signals import CATEGORIES  # noqa: E402
from rostra.verdict.verdict import LIVE_DRAWS, judge  # noqa: E402

TABLES = ROOT / "src" / "rostra" / "verdict" / "tables.json"
LABELS = ("attack", "demand", "own", "none", "mixture")
_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Incident:
    """An evening and the truth of it: `shares` of each side in the harm."""

    name: str
    kind: str
    split: str
    evening: Evening
    label: str
    classes: tuple[str, ...]
    shares: Mapping[str, float]

    @property
    def seed(self) -> int:
        return int(self.name.rpartition("-")[2])

    @property
    def attack(self) -> float:
        return self.shares["attack"]

    @property
    def sides(self) -> Sides:
        """Who has a part in the harm."""
        if self.label == "none":
            return ()
        order = sorted(self.shares, key=lambda each: -self.shares[each])[: 2 if self.label == "mixture" else 1]
        return tuple(each for each in SIDES.values() if each in order)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was found of an incident."""

    incident: Incident
    label: str
    classes: tuple[str, ...]
    firm: bool
    attack: float
    sure: float  # of the label


# --- where incidents come from -------------------------------------------------------------------------------


def enacted(folder: Path) -> Iterator[Incident]:
    """Incidents that were really enacted."""
    from rostra.verifier.entry import parse_entry  # noqa: PLC0415
    from rostra.verifier.log import named_key, open_log  # noqa: PLC0415 # scoring synthetic evenings needs no keys
    from rostra.verifier.source import source  # noqa: PLC0415

    for found in sorted(folder.rglob("truth.json")):
        truth: dict[str, Any] = json.loads(found.read_text())
        log = source(found.parent / "bundle.tar.xz")
        opened = open_log(log, named_key(log))
        evening = read(parse_entry(each).entry for each in opened.entries())
        shares = dict.fromkeys(SIDES.values(), 0.0)
        for name, share in truth["shares_u"].items():
            shares[SIDES[name[0]]] += share / _MILLION
        yield Incident(
            name=found.parent.name,
            kind=truth["kind"],
            split=truth["split"],
            evening=evening,
            label=truth["label"],
            classes=tuple(truth["classes"]),
            shares=shares,
        )


def synthetic(count: int, *, first: int = 0, shift: float = 0.0) -> Iterator[Incident]:
    """Evenings that never were: even seeds for fitting, odd ones for testing."""
    import evenings  # noqa: PLC0415 # of the tests

    for kind in evenings.KINDS:
        for seed in range(first, first + count):
            scenario = evenings.scenario(kind, seed, shift=shift)
            harm, worlds = evenings.truth(scenario)
            shares = evenings.shares(worlds)
            named = evenings.label(harm, shares)
            yield Incident(
                name=f"{kind}-{seed}",
                kind=kind,
                split="test" if seed % 2 else "fit",
                evening=read(evenings.Evening(scenario).entries),
                label=named,
                classes=() if named == "none" else evenings.CLASS_OF[kind],
                shares=shares,
            )


# --- fitting -------------------------------------------------------------------------------------------------


def fit(incidents: Iterable[Incident], made_from: str) -> dict[str, Any]:
    """How often each category was seen, of incidents with one class, or none: mixtures are what is predicted.

    And how often replays named those who had a part, of all of them.
    """
    counts = {group: {name: Counter[str]() for name in (NOTHING, *CLASSES)} for group in CATEGORIES}
    replays = {row: dict.fromkeys(columns, 0) for row, columns in REPLAYS.items()}
    taken = 0
    seeds: set[int] = set()
    for incident in incidents:
        taken += 1
        seeds.add(incident.seed)
        verdict = judge(incident.evening, count=1, compared=False)
        row, column = relation(incident.sides, found_by(verdict.split, verdict.harm.value))
        replays[row][column] += 1
        if len(incident.classes) > 1:
            continue
        name = incident.classes[0] if incident.classes else NOTHING
        for signal in verdict.signals:
            if signal.category is not None:
                counts[signal.group][name][signal.category] += 1
    return {
        "made_from": made_from,
        "incidents": taken,
        "seeds": sorted(seeds),
        "replays": replays,
        "counts": {
            group: {name: {each: seen[each] for each in CATEGORIES[group]} for name, seen in of_class.items()}
            for group, of_class in counts.items()
        },
    }


# --- scoring -------------------------------------------------------------------------------------------------


def outcomes(incidents: Iterable[Incident], of: Tables, *, draws: int = LIVE_DRAWS) -> Iterator[Outcome]:
    for incident in incidents:
        verdict = judge(incident.evening, count=draws, of=of)
        attack = verdict.split.shares[0].value
        yield Outcome(incident, verdict.label, verdict.classes, verdict.firm, attack, verdict.sure)


def wilson(hits: int, of: int) -> tuple[float, float]:
    """95 % interval of a share (E. B. Wilson, 1927)."""
    if not of:
        return 0.0, 1.0
    z, share = 1.96, hits / of
    middle, spread = share + z * z / (2 * of), z * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    return (middle - spread) / (1 + z * z / of), (middle + spread) / (1 + z * z / of)


def naive(incident: Incident) -> str:
    """The rule of those who say: more came than usual, and some heard nothing, so it was an attack."""
    evening = incident.evening
    seconds = span(evening)
    if seconds.harm_u < 30_000:
        return "none"
    before = during = 0
    for edge in evening.of(Role.EDGE):
        before += edge.counted("accepts", 0, max(1, seconds.onset or 1)) * (seconds.end - (seconds.onset or 0))
        during += edge.counted("accepts", seconds.onset or 0, seconds.end) * max(1, seconds.onset or 1)
    return "attack" if during > 1.5 * before else "own"


def report(found: Sequence[Outcome]) -> Iterator[str]:
    """Every figure with its interval, chance and the naive rule beside it, and the failures by name."""
    sides = [each for each in found if each.incident.label in LABELS]
    yield f"{len(found)} incidents, {len(sides)} of them with one of the five labels (the others are external)"
    yield "truth \\ found  " + "".join(f"{each:>9}" for each in (*LABELS, "external", "undeterm."))
    recalls = []
    for truth in (*LABELS, "external"):
        row = Counter(each.label for each in found if each.incident.label == truth)
        whole = row.total()
        if whole:
            cells = "".join(f"{row[each]:9}" for each in (*LABELS, "external", "undetermined"))
            low, high = wilson(row[truth], whole)
            yield f"{truth:15}{cells}   {row[truth] / whole:.3f} ({low:.3f}-{high:.3f})"
            if truth in LABELS:
                recalls.append(row[truth] / whole)
    right = sum(each.label == each.incident.label for each in sides)
    low, high = wilson(right, len(sides))
    balanced = sum(recalls) / max(1, len(recalls))
    yield f"right {_part(right, sides)} ({low:.3f}-{high:.3f}), balanced {balanced:.3f}, chance 0.200"
    guessed = sum(naive(each.incident) == each.incident.label for each in sides)
    innocent = [each for each in found if each.incident.attack < 0.25]
    accused = [each for each in innocent if each.label == "attack"]
    naively = sum(naive(each.incident) == "attack" for each in innocent)
    low, high = wilson(len(accused), len(innocent))
    yield f"the naive rule: right {_part(guessed, sides)}, false accusations {naively} of {len(innocent)}"
    yield f"false accusations {len(accused)} of {len(innocent)} ({low:.3f}-{high:.3f})"
    guilty = [each for each in found if each.incident.attack >= 0.75 and each.incident.label != "none"]
    missed = sum(each.attack < 0.25 for each in guilty)
    yield f"missed attacks {missed} of {len(guilty)}"
    harmed = [each for each in found if each.incident.label != "none"]
    error = sum(abs(each.attack - each.incident.attack) for each in harmed) / max(1, len(harmed))
    yield f"mean error of the attack's share {error:.3f}"
    firm = [each for each in found if each.firm]
    held = sum(each.label == each.incident.label for each in firm)
    low, high = wilson(held, len(firm))
    yield f"firm: {len(firm)}, of these right {held} ({low:.3f}-{high:.3f})"
    yield f"expected calibration error {calibration(found):.3f}"
    yield "as sure as, of these right: " + ", ".join(_reliability(found))
    yield from _by_class(found)
    yield from _confused(found)
    yield from _by_kind(found)
    wrong = [each for each in found if each.label != each.incident.label]
    yield "wrong: " + ", ".join(f"{e.incident.name} ({e.incident.label}: {e.label})" for e in wrong)


def _confused(found: Sequence[Outcome]) -> Iterator[str]:
    """Of incidents with one class, or none: what was said instead of it, or beside it."""
    for name in (NOTHING, *CLASSES):
        truly = [each for each in found if (each.incident.classes or (NOTHING,)) == (name,)]
        said = Counter(label for each in truly for label in (each.classes or (NOTHING,)))
        if truly:
            told = ", ".join(f"{label} {count}" for label, count in said.most_common())
            yield f"  truly {name} alone ({len(truly)}): {told}"


def _by_kind(found: Sequence[Outcome]) -> Iterator[str]:
    for kind in dict.fromkeys(each.incident.kind for each in found):
        of_kind = [each for each in found if each.incident.kind == kind]
        right = sum(each.label == each.incident.label for each in of_kind)
        yield f"  {kind}: right {right} of {len(of_kind)}"


def _part(hits: int, of: Sequence[object]) -> str:
    return f"{hits / max(1, len(of)):.3f}"


def calibration(found: Sequence[Outcome]) -> float:
    """Expected calibration error over ten bins."""
    error = 0.0
    for at in range(10):
        bin_ = [each for each in found if at / 10 <= each.sure < (at + 1) / 10 or (at == 9 and each.sure == 1)]
        if bin_:
            right = sum(each.label == each.incident.label for each in bin_)
            error += abs(right - sum(each.sure for each in bin_)) / len(found)
    return error


def _reliability(found: Sequence[Outcome]) -> Iterator[str]:
    for at in range(10):
        bin_ = [each for each in found if min(9, int(10 * each.sure)) == at]
        if bin_:
            right = sum(each.label == each.incident.label for each in bin_)
            yield f"{at / 10:.1f}: {right}/{len(bin_)}"


def _by_class(found: Sequence[Outcome]) -> Iterator[str]:
    scores = []
    for name in CLASSES:
        truly = [each for each in found if name in each.incident.classes]
        said = [each for each in found if name in each.classes]
        both = sum(name in each.classes for each in truly)
        if truly:
            score = 2 * both / (len(truly) + len(said))
            scores.append(score)
            low, high = wilson(both, len(truly))
            yield f"  {name}: found {both} of {len(truly)} ({low:.2f}-{high:.2f}), said {len(said)}, F1 {score:.2f}"
    yield f"macro-F1 of classes {sum(scores) / max(1, len(scores)):.3f}, chance {1 / len(CLASSES):.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("fit", "score"))
    parser.add_argument("incidents", type=Path, nargs="*")
    parser.add_argument("--synthetic", type=int, default=0, help="so many evenings of each kind")
    given = parser.parse_args()
    if bool(given.incidents) == bool(given.synthetic):
        parser.error("name folders of incidents, or --synthetic.")
    chosen: Iterable[Incident] = [each for folder in given.incidents for each in enacted(folder)]
    known = set(json.loads(TABLES.read_text()).get("seeds", ()))
    if given.synthetic:
        wanted = "fit" if given.what == "fit" else "test"
        chosen = (each for each in synthetic(given.synthetic) if each.split == wanted)
    elif not chosen:
        parser.error("there are no incidents in these folders.")
    if given.what == "score":
        if given.incidents and (seen := sorted({each.seed for each in chosen if each.seed in known})):
            parser.error(f"the tables are made of seeds {seen}: score others.")
        print("\n".join(report(list(outcomes(chosen, tables())))))
        return
    made_from = "enacted incidents" if given.incidents else "synthetic evenings (tests/evenings.py)"
    fitted = fit(chosen, made_from)
    TABLES.write_text(json.dumps(fitted, indent=1) + "\n")
    print(f"{fitted['incidents']} incidents in {TABLES.relative_to(ROOT)}.")


if __name__ == "__main__":
    main()
