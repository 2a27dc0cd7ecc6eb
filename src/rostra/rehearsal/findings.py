"""What a rehearsal has shown: the seconds and tallies of its companies, made into a certificate's figures. Pure."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from rostra.core.errors import BadInputError
from rostra.rehearsal.arrivals import Step, held_steps, join_steps
from rostra.rehearsal.certificate import JOINS, LISTENERS, Arrival, Episode, Stage
from rostra.rehearsal.crowd_report import CrowdReport, Second, Tally, percentile
from rostra.rehearsal.muster import Word
from rostra.rehearsal.scalability import Law, Point, fit
from rostra.rehearsal.script import Script

SERVED_MS: Final = 3_000  # who hears nothing within three seconds thinks that it does not work
SETTLE_S: Final = 5.0  # after a fault: the time in which its pause would be heard
NEWCOMERS_SERVED_MIN: Final = 0.99


class Moment(msgspec.Struct, frozen=True):
    """The whole crowd in one second."""

    at_s: float
    come: int
    left: int
    heard: int
    listening: int
    paused: int
    pause_max_ms: float
    lost: int
    waiting: int
    refused: int
    missing: int


def moments(words: Iterable[Word]) -> list[Moment]:
    """The companies' seconds, added up: what had become of each company by 1 s, 2 s and so on."""
    by_company: dict[int, list[Second]] = {}
    for word in words:
        if isinstance(word.said, Second):
            by_company.setdefault(word.company, []).append(word.said)
    if not by_company:
        return []
    last_s = max(round(seconds[-1].at_s) for seconds in by_company.values())
    return [_moment(at_s, by_company.values()) for at_s in range(1, last_s + 1)]


def _moment(at_s: int, companies: Iterable[list[Second]]) -> Moment:
    newest, during = [], []
    for seconds in companies:
        newest += [second for second in seconds if round(second.at_s) <= at_s][-1:]
        during += [second for second in seconds if round(second.at_s) == at_s]
    return Moment(
        at_s=float(at_s),
        come=sum(second.come for second in newest),
        left=sum(second.left for second in newest),
        heard=sum(second.heard for second in newest),
        listening=sum(second.listening for second in newest),
        paused=sum(second.paused for second in during),
        pause_max_ms=max((second.pause_max_ms for second in during), default=0.0),
        lost=sum(second.lost for second in newest),
        waiting=sum(second.waiting for second in newest),
        refused=sum(second.refused for second in newest),
        missing=sum(second.missing for second in newest),
    )


def arrivals(course: Iterable[Moment]) -> tuple[Arrival, ...]:
    return tuple(Arrival(each.at_s, each.come, each.heard, each.listening, each.waiting) for each in course)


# --- offered and served ----------------------------------------------------------------------------------


def stages(
    script: Script, tallies: Sequence[Tally], course: Sequence[Moment], *, workers: int
) -> tuple[Stage, ...]:
    crowds, calm = script.crowd, undisturbed(script, course)
    joins = [point for crowd in crowds for step in join_steps(crowd) if (point := _joins(step, tallies))]
    held = [point for crowd in crowds for step in held_steps(crowd) if (point := _held(step, calm))]
    if not held and calm:
        held = _plateaus(calm)
    return tuple(
        Stage(name, unit, workers, tuple(points), law, remark)
        for name, unit, points in ((JOINS, "joins/s", joins), (LISTENERS, "listeners", held))
        if points
        for law, remark in (_law(points),)
    )


def undisturbed(script: Script, course: Iterable[Moment]) -> list[Moment]:
    """The seconds in which nothing was done to the system: what it bears is what it bears then."""
    spans = [(fault.at_s, fault.at_s + fault.for_s + SETTLE_S) for fault in script.faults]
    spans += [(attack.at_s, attack.at_s + attack.for_s + SETTLE_S) for attack in script.attacks]
    return [each for each in course if not any(from_s <= each.at_s <= until_s for from_s, until_s in spans)]


def _law(points: Sequence[Point]) -> tuple[Law | None, str]:
    try:
        return fit(points), ""
    except BadInputError as error:
        return None, str(error)


def _joins(step: Step, tallies: Sequence[Tally]) -> Point | None:
    """Of those who came during the step: who heard sound soon enough."""
    waits = [
        after_ms
        for tally in tallies
        for came_s, after_ms in zip(tally.came_s, tally.sound_after_ms, strict=True)
        if step.from_s <= came_s < step.until_s
    ]
    if not waits:
        return None
    seconds = step.until_s - step.from_s
    heard = sorted(after_ms for after_ms in waits if after_ms is not None)
    served = sum(after_ms <= SERVED_MS for after_ms in heard)
    return Point(len(waits) / seconds, served / seconds, seconds, percentile(heard, 0.99))


def _held(step: Step, course: Sequence[Moment]) -> Point | None:
    """Of those who should listen during the step: who did so without a pause."""
    within = [each for each in course if step.from_s + 1 <= each.at_s <= step.until_s]
    if not within:
        return None
    served = sum(max(0, each.listening - each.paused) for each in within) / len(within)
    return Point(step.offered, min(step.offered, served), step.until_s - step.from_s)


def _plateaus(course: Sequence[Moment]) -> list[Point]:
    """A crowd that is no stairs has one plateau: the last five seconds in which nobody came or went."""
    calm = [then for before, then in pairwise(course) if (before.come, before.left) == (then.come, then.left)]
    here = calm[-1].come - calm[-1].left if calm else 0
    if here == 0:
        return []
    calm = [each for each in calm if each.come - each.left == here][-5:]
    served = sum(max(0, each.listening - each.paused) for each in calm) / len(calm)
    return [Point(float(here), min(float(here), served), float(len(calm)))]


# --- what broke, and what failed -------------------------------------------------------------------------


def judged(episode: Episode, course: Sequence[Moment], *, pause_max_s: float) -> Episode:
    """The episode, and whether those who listened noticed it."""
    if not episode.done:
        return episode
    end_s = episode.at_s + episode.seconds + SETTLE_S
    before = next((each for each in reversed(course) if each.at_s < episode.at_s), None)
    within = [each for each in course if episode.at_s <= each.at_s <= end_s]
    if not within:
        return msgspec.structs.replace(episode, remark=f"{episode.remark}; nobody listened after it")
    missing = within[-1].missing - (before.missing if before else 0)
    pause_ms = max(each.pause_max_ms for each in within)
    counted = {
        "missing_chunks": float(missing),
        "pause_max_ms": round(pause_ms, 1),
        "paused_listeners": float(max(each.paused for each in within)),
        "connections_lost": float(within[-1].lost - (before.lost if before else 0)),
    }
    survived = missing == 0 and pause_ms <= pause_max_s * 1_000
    return msgspec.structs.replace(episode, survived=survived, counted=episode.counted | counted)


def failures(heard: CrowdReport, stages: Iterable[Stage], episodes: Iterable[Episode]) -> tuple[str, ...]:
    """What did not hold, in sentences; a load beyond the limit is no failure, for it was meant to be."""
    befell = [each for each in episodes if each.done]
    found = [f"{each.kind} of {each.about} was not survived." for each in befell if not each.survived]
    found += [f"{each.kind} of {each.about} could not be done: {each.remark}" for each in episodes if not each.done]
    beyond = any(stage.known for stage in stages)
    if heard.heard < NEWCOMERS_SERVED_MIN * heard.listeners and not beyond:
        found.append(f"{heard.listeners - heard.heard} of {heard.listeners} listeners never heard anything.")
    if heard.listeners_with_gaps and not beyond:
        found.append(f"{heard.listeners_with_gaps} listeners missed chunks.")
    if heard.repeated_chunks or heard.disordered_chunks:
        found.append(f"{heard.repeated_chunks} chunks came twice, {heard.disordered_chunks} in disorder.")
    return tuple(found)
