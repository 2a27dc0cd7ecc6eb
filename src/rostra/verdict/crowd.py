"""Who asked, who of them were people, and who heard nothing: from what an edge counted, with no model of why.

People are told from others by what they do when nothing hinders them: who was let in opens the stream and listens.
Whoever was let in and did neither, while those who opened it heard at once, was no listener. That alone accuses
nobody: how much of it is hostile is a parameter, unless sources, or the lack of any trouble of our own, agree.
"""

from dataclasses import dataclass
from typing import Final

from rostra.verdict.evening import Evening, Process, Role, Status
from rostra.verdict.listening import stalled, starved
from rostra.verdict.wire import on_the_wire, unreached, usual_bytes

BLOCK_S: Final = 10  # in which somebody who asks has to hear something
SPAN_S: Final = 300  # the least that is looked at: before and after belong to what happened
HARM_MIN_U: Final = 30_000  # less is no incident
_MILLION: Final = 1_000_000
FIRST: Final = ("asked_first_speaker", "asked_first_registered", "asked_first_signed_in", "asked_first_anonymous")
IN_TIME: Final = (
    "sound_within_100_ms", "sound_within_300_ms", "sound_within_1000_ms", "sound_within_3000_ms",
    "sound_within_10000_ms",
)  # fmt: skip
SOUNDS: Final = (*IN_TIME, "sound_later")
# Refusals of refusals.py that are answered with a 503 or, as they say where else to go, are no failures of ours.
_REFUSALS_503: Final = ("refused_full", "refused_draining", "refused_bus", "refused_early", "refused_starting")
_LEAVES_EARLY: Final = 0.12  # people who hear ten seconds and less: wrong link, a call, a look
_UNOPENED: Final = 0.05  # and who are let in and close the page
_CONDUCT_MIN: Final = 0.10  # what is below cannot be told from that
_REFUSED_USUAL: Final = 0.15  # requests refused, of each that asks or hears: old links, robots, icons
_FAST: Final = 0.8  # of the sounds within a second: nothing hinders those who open a stream
_COUNTED_MIN: Final = 5
_COUNTED_WELL: Final = 40  # so many that a share of them is known to 8 %


@dataclass(frozen=True, slots=True)
class Block:
    """One edge in ten seconds: people (fractions of them, since some are only likely to be)."""

    asked: float  # first attempts, of all
    again: float
    people: float  # of `asked`, those who are likely to be listeners
    hostile: float  # of `asked`, the others
    refused: float  # requests beyond what is usual that were refused
    heard: float  # people who heard their first sound, in time or not
    in_time: float
    sure: bool  # that the hostile are: more than their conduct says so
    failed: float  # answers that say that we failed
    watched: int  # seconds in which the edge's records are here


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds of the evening that are judged, and what is measured in them."""

    begin: int
    end: int
    asked: int
    unheard: int  # people who asked and had no sound in ten seconds
    cut: int
    silenced: int
    people: int  # who asked, or listened already
    onset: int | None  # when the harm began; None if there was none

    @property
    def harm_u(self) -> int:
        """Share of people who were harmed, each counted once at most."""
        late = 1 - min(1.0, self.unheard / self.asked) if self.asked else 1.0
        stayed = 1 - min(1.0, self.cut / self.people) if self.people else 1.0
        loud = 1 - min(1.0, self.silenced / self.people) if self.people else 1.0
        return round((1 - late * stayed * loud) * _MILLION)


def total(edge: Process, names: tuple[str, ...], begin: int, end: int) -> int:
    return sum(edge.counted(name, begin, end) for name in names)


def measured(evening: Evening) -> bool:
    """Whether somebody counted who asked and who heard."""
    return any(
        any(edge.knows(name) for name in FIRST) and any(edge.knows(name) for name in SOUNDS)
        for edge in evening.of(Role.EDGE)
    )


def failed(edge: Process, begin: int, end: int) -> int:
    """Answers by which an edge says that it failed: not that it was full, or is going away."""
    return max(0, edge.counted("answers_5xx", begin, end) - total(edge, _REFUSALS_503, begin, end))


def block(evening: Evening, edge: Process, begin: int, end: int) -> Block:
    """`begin` to `end`, judged by what was done around it too. Found once: a verdict asks for each five times."""
    place = edge.name, begin, end
    found = evening.blocks.get(place)
    if found is None:
        found = evening.blocks[place] = _block(evening, edge, begin, end)
    return found


def _block(evening: Evening, edge: Process, begin: int, end: int) -> Block:
    near = max(0, begin - 2), min(edge.seconds, end + 2)
    wide = max(0, begin - BLOCK_S), min(edge.seconds, end + BLOCK_S)
    if edge.counted("admitted", *near) >= _COUNTED_WELL:
        wide = near
    share, sure = _hostile_share(edge, *wide, changed=changed_before(evening, edge, begin))
    asked, again = total(edge, FIRST, begin, end), edge.counted("asked_again", begin, end)
    hostile = min(float(asked), share * (asked + again))  # nobody but people asks again for what bots do not want
    heard, in_time = total(edge, SOUNDS, begin, end), total(edge, IN_TIME, begin, end)
    leaving = _left_early(edge, *wide)
    refused = edge.counted("answers_4xx", begin, end) + edge.counted("timeouts", begin, end)
    return Block(
        asked=float(asked),
        again=float(again),
        people=asked - hostile,
        hostile=hostile,
        refused=max(0.0, refused - _REFUSED_USUAL * (asked + heard) - edge.counted("refused_full", begin, end)),
        heard=heard * (1 - leaving),
        in_time=in_time * (1 - leaving),
        sure=sure,
        failed=float(failed(edge, begin, end)),
        watched=edge.spent(Status.SEEN, begin, end),
    )


def _left_early(edge: Process, begin: int, end: int) -> float:
    """Of those who heard something, the share that went again at once, beyond what people do."""
    heard = total(edge, SOUNDS, begin, end)
    if heard < _COUNTED_MIN:
        return 0.0
    share = edge.counted("left_before_10s", begin, end) / heard
    return min(1.0, max(0.0, share - _LEAVES_EARLY) / (1 - _LEAVES_EARLY)) if share > 2 * _LEAVES_EARLY else 0.0


def _hostile_share(edge: Process, begin: int, end: int, *, changed: bool) -> tuple[float, bool]:
    """Of those who were let in: who did not do what listeners do, and whether more than that speaks for it."""
    admitted = edge.counted("admitted", begin, end) - edge.counted("admitted_plain", begin, end)
    heard = total(edge, SOUNDS, begin, end)
    if max(admitted, heard) < _COUNTED_MIN:
        return 0.0, False
    ours = failed(edge, begin, end)
    unopened = max(0.0, (admitted - heard - ours) - _UNOPENED * admitted) if admitted else 0.0
    gone = _left_early(edge, begin, end) * heard
    share = min(1.0, (unopened + gone) / max(admitted, heard))
    if share < _CONDUCT_MIN:
        return 0.0, False
    at_once = heard - edge.counted("admitted_after_wait", begin, end)
    fast = total(edge, IN_TIME[:3], begin, end) >= _FAST * at_once and ours < _UNOPENED * admitted
    return share, (fast and not changed) or concentrated(edge, begin, end)


def concentrated(edge: Process, begin: int, end: int) -> bool:
    """Whether a few networks ask far more than the others."""
    entropy, usual = edge.level("sources_entropy_u", begin, end), edge.level("requests_per_source_p50", begin, end)
    top = edge.level("requests_per_source_p99", begin, end)
    uneven = entropy is not None and entropy < 600_000
    return uneven and usual is not None and top is not None and top > 20 * max(1, usual)


def changed_before(evening: Evening, edge: Process, second: int, *, within_s: int = 900) -> bool:
    """Whether something of ours was changed at this edge, or everywhere, in the quarter of an hour before."""
    ours = ("deploy", "rollback", "configuration", "move", "start")
    return any(
        change.what in ours and change.subject in (edge.name, "", evening.conversation)
        for change in evening.changes
        if second - within_s <= change.at_s <= second + BLOCK_S
    )


# --- the span ------------------------------------------------------------------------------------------------


def span(evening: Evening) -> Span:
    """The seconds in which the most people were harmed beyond what is no incident (largest sum of differences).

    It is widened to SPAN_S: what happened before and after belongs to it. Nobody who asked in the last ten seconds
    of the log can have been late yet.
    """
    blocks = range(0, max(BLOCK_S, evening.seconds), BLOCK_S)
    edges = evening.of(Role.EDGE)
    usual = [usual_bytes(edge) for edge in edges]
    best = running = 0.0
    begin = first = 0
    end = evening.seconds
    for at in blocks:
        missed = 0.0
        for edge, bytes_s in zip(edges, usual, strict=True):
            each = block(evening, edge, at, at + BLOCK_S)
            wire = on_the_wire(edge, at, at + BLOCK_S, evening.capacities.get(edge.name), bytes_s)
            missed += each.people * unreached(max(wire))
            missed += each.people * (1 - HARM_MIN_U / _MILLION) - each.in_time
            missed += edge.counted("cut_streams", at, at + BLOCK_S) + fallen_with(evening, edge, at, at + BLOCK_S)
            missed += stalled(edge, at, at + BLOCK_S) + starved(edge, at, at + BLOCK_S)
        missed += _silenced(evening, at, at + BLOCK_S)
        if running <= 0:
            running, first = 0.0, at
        running += missed
        if running > best:
            best, begin, end = running, first, at + BLOCK_S
    onset = begin if best > 0 else None
    if onset is None:
        begin, end = 0, evening.seconds
    missing = max(0, SPAN_S - (end - begin))
    begin = max(0, begin - missing // 2)
    end = min(evening.seconds, max(end, begin + SPAN_S))
    return measure(evening, begin, end, onset=onset)


def measure(evening: Evening, begin: int, end: int, *, onset: int | None) -> Span:
    edges = evening.of(Role.EDGE)
    asked = unheard = 0.0
    cut = listening = 0
    last = min(end, evening.seconds - BLOCK_S)
    for edge in edges:
        people = in_time = 0.0
        for at in range(begin, end, BLOCK_S):
            each = block(evening, edge, at, min(end, at + BLOCK_S))
            if at < last:  # who asked later cannot have been late yet
                people += each.people
                in_time += each.in_time
        asked += people
        unheard += max(0.0, people - in_time)
        cut += edge.counted("cut_streams", begin, end) + fallen_with(evening, edge, begin, end)
        cut += max(stalled(edge, begin, end), starved(edge, begin, end))
        playing = edge.levels("playing", begin, end)
        listening += playing[0] if playing else 0
    silenced = _silenced(evening, begin, end)
    there = round(asked) + listening
    return Span(begin, end, round(asked), round(unheard), cut, silenced, there, onset)


def fallen_with(evening: Evening, edge: Process, begin: int, end: int) -> int:
    """Listeners of an edge that went down from `begin` to before `end` and did not go on at another one."""
    fallen = 0
    for at in range(max(1, begin), min(end, edge.seconds)):
        if edge.status[at] == Status.DOWN and edge.status[at - 1] == Status.SEEN:
            before = edge.levels("playing", max(0, at - BLOCK_S), at)
            resumed = 0
            for other in evening.of(Role.EDGE):
                if other is not edge:
                    resumed += other.counted("resumed", at, at + BLOCK_S)
            fallen += max(0, (before[-1] if before else 0) - resumed)
    return fallen


def _silenced(evening: Evening, begin: int, end: int) -> int:
    """Listeners while the programme was silent for a second at least."""
    quiet = max((stage.counted("silent_frames", begin, end) for stage in evening.of(Role.STAGE)), default=0)
    if quiet < 50:
        return 0
    return sum(max(edge.levels("playing", begin, end), default=0) for edge in evening.of(Role.EDGE))
