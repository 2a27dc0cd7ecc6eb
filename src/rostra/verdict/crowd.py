"""Who asked, who of them were people, and who heard nothing: from what an edge counted, with no model of why.

People are told from others by what they do when nothing hinders them: who was let in opens the stream and listens.
Whoever was let in and did neither, while those who opened it heard at once, was no listener. That alone accuses
nobody: how much of it is hostile is a parameter, unless sources, or the lack of any trouble of our own, agree.
"""

from dataclasses import dataclass
from typing import Final

from rostra.verdict.arithmetic import added, micro
from rostra.verdict.changes import changed_before
from rostra.verdict.conduct import Conduct, by_second, conduct
from rostra.verdict.counters import BLOCK_S, FIRST, IN_TIME, SOUNDS, concentrated, failed, networks
from rostra.verdict.departures import departed, gone
from rostra.verdict.evening import Evening, Process, Role, Status, total
from rostra.verdict.listening import dripped, is_unwell, silence, without_sound
from rostra.verdict.wire import on_the_wire, unreached

SPAN_S: Final = 300  # the least that is looked at: before and after belong to what happened
HARM_MIN: Final = 0.03  # of the people: less is no incident
_PAGES_USUAL: Final = 15.0  # requests of a browser that opens the page and stays
_REFUSED_USUAL: Final = 0.15  # requests refused, of each that asks or hears: old links, robots, icons
_REFUSALS: Final = ("refused_unknown", "refused_ticket", "refused_pass")
_SILENT: Final = ("timeouts", "shield_half_open")
_RETURN_S: Final = 2  # after a pause: what was asked meanwhile is answered, whoever has gone elsewhere
_TRIED_S: Final = 5  # who asks somewhere again waited as long for an answer, as players do
_TOLD_MIN: Final = 3  # listeners who say in ten seconds that they were interrupted
_TOLD_PART: Final = 0.01  # of those who listen: fewer of many are any evening's tunnels and lids
_TRIES: Final = 6.0  # of who is refused, in ten seconds: at once, and after pauses that double up to five seconds
_CALM_S: Final = 30
_MORE: Final = 3.0  # times as many people as come to edges that understand them, or came before
_STORM_EACH: Final = 30  # attempts of a network (/24): who is told to wait asks every few seconds


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
    squatting: float  # sounds of the others, who hold a place with it
    turned_away: float  # of the people, who could not even ask
    reached: float  # of the people, who got through to no edge when they asked first
    anew: float  # attempts of people that say that they are first ones, and are not
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
        return micro(1 - late * stayed * loud)


def measured(evening: Evening) -> bool:
    """Whether somebody counted who asked and who heard."""
    return any(
        any(edge.knows(name) for name in FIRST) and any(edge.knows(name) for name in SOUNDS)
        for edge in evening.of(Role.EDGE)
    )


def block(evening: Evening, edge: Process, begin: int, end: int) -> Block:
    """`begin` to `end`, judged by what was done around it too. Found once: a verdict asks for each five times."""
    key = "block", edge.name, begin, end
    return evening.memo.once(key, lambda: _block(evening, edge, begin, end))


def _conduct(evening: Evening, edge: Process, begin: int) -> Conduct:
    """Of ten seconds; a second is judged as the ten that it is in."""
    end = min(edge.seconds, begin + BLOCK_S)
    return evening.memo.once(("conduct", edge.name, begin), lambda: conduct(evening, edge, begin, end))


def _block(evening: Evening, edge: Process, begin: int, end: int) -> Block:
    found = _conduct(evening, edge, begin // BLOCK_S * BLOCK_S)
    asked, again = total(edge, FIRST, begin, end), edge.counted("asked_again", begin, end)
    anew = found.anew * asked
    hostile = min(asked - anew, found.hostile * (asked - anew + again))  # nobody but people asks again for nothing
    heard, in_time = total(edge, SOUNDS, begin, end), total(edge, IN_TIME, begin, end)
    theirs = 1 - found.leaving  # of the sounds: people's
    reached = 0
    if found.known is not None:
        people, share = _among_strangers(edge, found.known, begin, end)
        # Who asks again and has no place found no way through a flood before: nobody has counted them. That they do
        # is no more than they say: so many at most as passes say that there are people.
        reached = min(again, edge.counted("asked_again_unproven", begin, end))
        before, _ = _among_strangers(edge, found.known, max(0, begin - BLOCK_S), begin)
        again, reached = again - reached, min(reached, round(before + people))
        if found.squat:
            theirs, again = share, min(again, round(people))  # who pushes is none of them
        hostile = max(0.0, asked - people)
    elif found.each is not None:
        anew = max(0.0, asked - found.each * _networks_more(edge, begin, end))
    refused = _refused(edge, asked, again, heard, begin, end)
    ours, unread, turned_away = _turned_away(evening, edge, refused, begin, end)
    stale = _stale(evening, edge, begin, end)
    hostile = max(0.0, hostile - stale)  # whoever has gone on elsewhere does nothing here
    return Block(
        asked=float(asked),
        again=again + anew + stale,
        people=max(0.0, asked - anew - hostile - stale) + turned_away + reached,
        turned_away=turned_away,
        reached=reached,
        hostile=hostile,
        refused=refused - ours,
        heard=heard * theirs,
        in_time=in_time * theirs,
        squatting=heard * (1 - theirs),
        anew=anew,
        sure=found.sure,
        failed=failed(edge, begin, end) + ours + unread,
        watched=edge.spent(Status.SEEN, begin, end),
    )


def _refused(edge: Process, asked: int, again: int, heard: int, begin: int, end: int) -> float:
    """Requests that were refused, beyond the usual; and of pages far more than people want, who get some each."""
    refused = float(edge.counted("answers_4xx", begin, end) + edge.counted("timeouts", begin, end))
    refused = max(0.0, refused - _REFUSED_USUAL * (asked + heard) - edge.counted("refused_full", begin, end))
    answered = edge.counted("answers_2xx", begin, end) - asked - again - edge.counted("streams", begin, end)
    return refused + max(0.0, answered - _PAGES_USUAL * (asked + again + heard))


def _turned_away(
    evening: Evening, edge: Process, refused: float, begin: int, end: int
) -> tuple[float, float, float]:
    """Answers and misread requests that are ours, as something was changed before, and how many people they met.

    Each tries a few times and has not asked yet; and the same are turned away again in the next ten seconds.
    """
    if not changed_before(evening, edge, begin) or concentrated(edge, begin, end):
        return 0.0, 0.0, 0.0
    ours = min(refused, float(total(edge, _REFUSALS, begin, end)))
    unread = float(_unread(edge, begin, end))
    if _unread(edge, begin - BLOCK_S, begin):
        return ours, unread, 0.0
    people = (min(ours, float(edge.counted("refused_unknown", begin, end))) + unread) / _TRIES
    most = _plausible(evening, edge, begin, end)
    return ours, unread, people if most is None else min(people, most)


def _among_strangers(edge: Process, known: float, begin: int, end: int) -> tuple[float, float]:
    """People who asked, and the share of people in those who heard, while strangers push."""
    first = begin // BLOCK_S * BLOCK_S
    seconds = by_second(edge, known, max(0, first - BLOCK_S), min(end, edge.seconds))
    people = heard = whole = 0.0
    for at in range(begin, min(end, edge.seconds)):
        each, share = seconds[at - min(end, edge.seconds)]
        sounds = total(edge, SOUNDS, at, at + 1)
        people, heard, whole = people + each, heard + share * sounds, whole + sounds
    return people, heard / whole if whole else 0.0


def _networks_more(edge: Process, begin: int, end: int) -> int:
    """Networks of the last minute at the end, beyond those when it began: new ones, less those forgotten."""
    before, after = (networks(edge, max(0, at - 1), max(1, at)) for at in (begin, end))
    return max(0, after - before)


def _plausible(evening: Evening, edge: Process, begin: int, end: int) -> float | None:
    """As many people as may have come, by who came here before and comes to other edges; None if nobody did."""
    here = total(edge, FIRST, max(0, begin - _CALM_S), begin) * (end - begin) / _CALM_S
    others = [total(each, FIRST, begin, end) for each in evening.of(Role.EDGE) if each is not edge]
    most = max(here, float(max(others, default=0)))
    return _MORE * most if most else None


def _unread(edge: Process, begin: int, end: int) -> int:
    """Connections whose requests the edge did not understand, for three seconds in which it understood none.

    Where others say nothing at all, it is not that we read people wrongly.
    """
    unread = 0
    for at in range(max(0, begin), min(end, edge.seconds)):
        near = max(0, at - 1), min(edge.seconds, at + 2)
        false, opened = edge.counted("shield_bad_request", *near), edge.counted("accepts", *near)
        if 2 * false > opened and not total(edge, (*FIRST, *_SILENT), *near):
            unread += edge.counted("shield_bad_request", at, at + 1)
    return unread


def _stale(evening: Evening, edge: Process, begin: int, end: int) -> int:
    """First attempts that waited in the kernel while the edge stood still, of people who could ask another one."""
    stale = 0
    for at in range(max(1, begin), min(end, edge.seconds)):
        if edge.status[at] == Status.SEEN and edge.status[at - 1] == Status.DOWN:
            others = (each for each in evening.of(Role.EDGE) if each is not edge)
            if any(each.status[at - 1] == Status.SEEN for each in others):
                stale += total(edge, FIRST, at, min(end, at + _RETURN_S))
    return stale


# --- the span ------------------------------------------------------------------------------------------------


def span(evening: Evening) -> Span:
    """The seconds in which the most people were harmed beyond what is no incident (largest sum of differences).

    It is widened to SPAN_S: what happened before and after belongs to it. Nobody who asked in the last ten seconds
    of the log can have been late yet.
    """
    blocks = range(0, max(BLOCK_S, evening.seconds), BLOCK_S)
    edges = evening.of(Role.EDGE)
    best = running = seen = told = 0.0
    begin = first = 0
    end = evening.seconds
    for at in blocks:
        missed = 0.0
        for edge in edges:
            each = block(evening, edge, at, at + BLOCK_S)
            wire = on_the_wire(evening, edge, at, at + BLOCK_S)
            missed += each.people * unreached(max(wire))
            missed += each.people * (1 - HARM_MIN) - each.in_time
        more = max(0.0, told - seen)  # who was seen to be cut says so a little later
        for edge in edges:
            cut = _hindered(evening, edge, at, at + BLOCK_S, lasting=1.0)
            seen, missed = seen + cut, missed + cut
        told += _told(evening, at, at + BLOCK_S)
        missed += max(0.0, max(0.0, told - seen) - more)
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
    begin = max(0, begin - missing // 2) // BLOCK_S * BLOCK_S  # a block is judged by the ten seconds that it is in
    end = min(evening.seconds, max(end, begin + SPAN_S))
    return measure(evening, begin, end, onset=onset)


def measure(evening: Evening, begin: int, end: int, *, onset: int | None) -> Span:
    edges = evening.of(Role.EDGE)
    asked = unheard = moved = 0.0
    listening = 0
    last = min(end, evening.seconds - BLOCK_S)
    for edge in edges:
        people = in_time = anew = 0.0
        for at in range(begin, end, BLOCK_S):
            each = block(evening, edge, at, min(end, at + BLOCK_S))
            if at < last:  # who asked later cannot have been late yet
                people += each.people
                in_time += each.in_time
                anew += each.anew
        asked += people
        unheard += max(0.0, people - in_time)
        moved += min(max(0.0, in_time - people - anew), float(edge.counted("asked_again", begin, end)))
        playing = edge.levels("playing", begin, end)
        listening += playing[0] if playing else 0
    unheard = max(0.0, unheard - moved)  # who heard nothing at one edge asked another one again, and heard
    came, unserved = newcomers(evening, begin, end)
    asked, unheard = asked + came, unheard + unserved
    cut = added(interrupted(evening, begin, end).values())
    silenced = _silenced(evening, begin, end)
    there = round(asked) + listening
    return Span(begin, end, round(asked), round(unheard), round(cut), silenced, there, onset)


def newcomers(evening: Evening, begin: int, end: int) -> tuple[int, int]:
    """People whom no edge counted as they asked first; and those of them who had no sound ten seconds later.

    An edge that was down or a line that was dark counts nobody: they ask again elsewhere, or later. So many have
    come as heard something or wait, though fewer had asked until then. Where each network asks again as no player
    does, those who wait are the same people many times.
    """
    edges = evening.of(Role.EDGE)
    again = from_networks = 0
    for edge in edges:
        again += edge.counted("asked_again", begin, end)
        from_networks += max((networks(edge, at, at + 1) for at in range(begin, end)), default=0)
    storm = 0 < from_networks * _STORM_EACH < again
    missing = 0
    wait: list[int] = []  # of those, at each second
    heard: list[int] = []
    balance = -sum(edge.level("waiting", begin, begin + 1) or 0 for edge in edges)  # they had asked before
    for at in range(begin, end):
        sounds = waiting = 0
        for edge in edges:
            sounds += total(edge, SOUNDS, at, at + 1)
            balance -= total(edge, FIRST, at, at + 1) - _stale(evening, edge, at, at + 1)
            waiting += 0 if storm else edge.level("waiting", at, at + 1) or 0
        balance += sounds
        missing = max(missing, balance + waiting)
        wait.append(min(balance + waiting, waiting))
        heard.append(sounds)
    after = range(end, min(evening.seconds, end + BLOCK_S))
    heard += [sum(total(edge, SOUNDS, at, at + 1) for edge in edges) for at in after]
    late = 0
    for at in range(max(0, min(end, evening.seconds - _TRIED_S) - begin)):
        late = max(late, wait[at] - sum(heard[at + 1 : at + 1 + BLOCK_S]))
    away = 0.0  # counted already, though they could not ask
    for edge in edges:
        for at in range(begin, end, BLOCK_S):
            each = block(evening, edge, at, min(end, at + BLOCK_S))
            away += each.turned_away + each.reached
    return max(0, missing - round(away)), late


def interrupted(evening: Evening, begin: int, end: int) -> dict[str, float]:
    """Listeners of each edge who were cut, by the edge's name: as edges saw it, or more, as they say themselves.

    Who goes on at another edge says what it has lacked by then. More than edges saw are of those from which most
    went.
    """
    edges = evening.of(Role.EDGE)
    lasting = lasting_part(evening, begin, end)
    found = {edge.name: _hindered(evening, edge, begin, end, lasting=lasting) for edge in edges}
    more = _told(evening, begin, end) - added(found.values())
    if more > 0:
        went = {edge.name: gone(evening, edge, begin, end) for edge in edges}
        whole = sum(went.values())
        for name, number in went.items():
            found[name] += more * (number / whole if whole else 1 / len(edges))
    return found


def _told(evening: Evening, begin: int, end: int) -> float:
    """Listeners who say that they were, ten seconds by ten: one by one they were in a tunnel, or closed a lid.

    It is not proved: so many at most as listened at once.
    """
    edges = evening.of(Role.EDGE)
    told, most = 0.0, 0
    for at in range(begin, end, BLOCK_S):
        playing, say = 0, 0.0
        for edge in edges:
            playing += max(edge.levels("playing", at, min(end, at + BLOCK_S)), default=0)
            said = edge.counted("interrupted", at, min(end, at + BLOCK_S))
            say += max(0.0, said - _squatters(evening, edge, at, min(end, at + BLOCK_S))) if said else 0.0
        most = max(most, playing)
        told += say if say >= max(_TOLD_MIN, _TOLD_PART * playing) else 0.0
    return min(told, float(most))


def _hindered(evening: Evening, edge: Process, begin: int, end: int, *, lasting: float) -> float:
    """Listeners of this edge who were cut: by it, with it, or who had no sound for too long and stayed, or went.

    Of those without sound only a `lasting` part was so for long; who went because of it is one of them. Who takes
    a place and is no listener does not read, or goes soon: as many of them are none.
    """
    fell, went = departed(evening, edge, begin, end)
    mute = (without_sound(edge, begin, end) + dripped(edge, begin, end)) * lasting
    seen = max(float(edge.counted("cut_streams", begin, end)), mute, float(went))
    return fell + max(0.0, seen - _squatters(evening, edge, begin, end))


def _squatters(evening: Evening, edge: Process, begin: int, end: int) -> float:
    """Who heard something and is no listener, from ten seconds before."""
    squatters = 0.0
    for at in range(max(0, begin // BLOCK_S - 1) * BLOCK_S, end, BLOCK_S):
        squatters += block(evening, edge, at, min(end, at + BLOCK_S)).squatting
    return squatters


def lasting_part(evening: Evening, begin: int, end: int) -> float:
    """Of listeners without sound, those who did not go on at an edge at which nobody was."""
    return evening.memo.once(("lasting", begin, end), lambda: _lasting_part(evening, begin, end))


def _lasting_part(evening: Evening, begin: int, end: int) -> float:
    edges = evening.of(Role.EDGE)
    mute = sum(without_sound(edge, begin, end) + dripped(edge, begin, end) for edge in edges)
    well = sum(edge.counted("resumed", begin, end) for edge in edges if not is_unwell(edge, begin, end))
    return max(0, mute - well) / mute if mute else 0.0


def _silenced(evening: Evening, begin: int, end: int) -> int:
    """Listeners while the programme was silent for a second at least, or music stood for it for three."""
    if not silence(evening.of(Role.STAGE), begin, end).is_long:
        return 0
    return sum(max(edge.levels("playing", begin, end), default=0) for edge in evening.of(Role.EDGE))
