"""Who of those who ask are listeners, by what they do: open the stream, listen, ask again while they wait.

None of it accuses where something else explains it: what we changed ourselves, a line that fails, or a player that
forgets who it is and asks anew (few networks, and the same passes as before).
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from rostra.verdict.changes import changed_before
from rostra.verdict.counters import BLOCK_S, FIRST, IN_TIME, KNOWN, SOUNDS, concentrated, failed, networks
from rostra.verdict.evening import Evening, Process, Role, total
from rostra.verdict.listening import unreached_listeners

_MINUTE_S: Final = 60  # of sources
_LEAVES_EARLY: Final = 0.12  # people who hear ten seconds and less: wrong link, a call, a look
_UNOPENED: Final = 0.05  # and who are let in and close the page
_CONDUCT_MIN: Final = 0.10  # what is below cannot be told from that
_FAST: Final = 0.8  # of the sounds within a second: nothing hinders those who open a stream
_COUNTED_MIN: Final = 5
_COUNTED_ENOUGH: Final = 10  # of those who ask: then neighbours tell of other times more than of this one
_WAITERS_MIN: Final = 20
_ASKS_AGAIN_S: Final = 5  # who waits has asked once more by then
_ASKING_AGAIN_MIN: Final = 0.5  # of those who wait
_PUSHES_HZ: Final = 0.6  # attempts of one who waits: players are told 3 s, less a quarter, or longer
_INSISTS: Final = 4  # times as many attempts as people: who is let in twice opens one stream
_ANEW_MIN: Final = 5.0  # times as many first attempts from each network as before
_EACH_S: Final = 300  # before: five minutes of an evening are alike
_USUAL_S: Final = 1_800
_FEW: Final = 4  # people whom nobody knows, added: that the first three have passes says little
_USUAL_MIN: Final = 10  # people: of fewer a share is chance
_KNOWN_MIN: Final = 0.10  # share of those with a pass: less tells nothing
_UNREACHED_MAX: Final = 0.2  # of the listeners: it is the line that hinders
_AGE_MAX_MS: Final = 1_500


class Conduct(NamedTuple):
    """Of the first attempts: the share of nobody who listens, and that made anew by the same people."""

    hostile: float = 0.0
    anew: float = 0.0
    sure: bool = False  # that the hostile are: more than their conduct says so
    leaving: float = 0.0  # of those who heard something, who went again for good, beyond what people do
    known: float | None = None  # share of the people with a pass: strangers beyond it are nobody
    squat: bool = False  # and those strangers take places: of what is heard, a part is theirs
    each: float | None = None  # people of a network: first attempts beyond that are made anew


def conduct(evening: Evening, edge: Process, begin: int, end: int) -> Conduct:
    """Of ten seconds; where few asked, what they did not do is judged of thirty."""
    changed = changed_before(evening, edge, begin)
    anew = _anew(evening, edge, begin, end)
    if anew > _CONDUCT_MIN:
        return Conduct(anew=anew, each=_each(evening, edge, begin, end))
    known = _pushing_strangers(evening, edge, begin, end)
    if known is not None:
        return Conduct(sure=True, known=known, squat=True)
    first = total(edge, FIRST, begin, end)
    if max(first, edge.counted("admitted", begin, end)) < _COUNTED_ENOUGH:
        begin, end = max(0, begin - BLOCK_S), min(edge.seconds, end + BLOCK_S)
        first = total(edge, FIRST, begin, end)
    known = _idle_strangers(evening, edge, begin, end)
    if known is not None:
        return Conduct(sure=True, known=known)
    insisting = edge.counted("asked_again", begin, end) > _INSISTS * first
    deaf, sure = (0.0, False) if insisting else _deaf(evening, edge, begin, end, changed=changed)
    leaving = left_early(evening, edge, begin, end) if deaf > 0 else 0.0
    if deaf > 0 and _strange(evening, edge, begin, end):
        return Conduct(sure=sure, known=_usual(evening, begin, end), squat=leaving > 0)
    return Conduct(deaf, sure=sure, leaving=leaving)


def by_second(edge: Process, known: float, begin: int, end: int) -> list[tuple[float, float]]:
    """For each second: people who asked, as their passes say, and the share of people among those let in.

    A pass more than there were people for is of somebody in one of the next seconds.
    """
    found = []
    due, people, asked = 1 / known, 0.0, 0.0
    for at in range(begin, end):
        first = float(total(edge, FIRST, at, at + 1))
        due += total(edge, KNOWN, at, at + 1) / known
        each = min(first, due)
        due, people, asked = due - each, people + each, asked + first
        found.append((each, each / first if first else people / asked if asked else 1.0))
    return found


def left_early(evening: Evening, edge: Process, begin: int, end: int) -> float:
    """Of those who heard something, the share that went again for good, beyond what people do.

    Who comes back has not left, at this edge or another; and where no sound comes, everybody goes.
    """
    heard = total(edge, SOUNDS, begin, end)
    paused = max(edge.levels("programme_age_ms", begin, end), default=0) > _AGE_MAX_MS
    if heard < _COUNTED_MIN or paused or unreached_listeners(edge, begin, end) > _UNREACHED_MAX:
        return 0.0
    gone = back = 0
    for each in evening.of(Role.EDGE):
        gone += each.counted("left_before_10s", begin, end)
        back += each.counted("resumed", begin, end)
    share = edge.counted("left_before_10s", begin, end) * (1 - min(1.0, back / gone)) / heard if gone else 0.0
    return min(1.0, max(0.0, share - _LEAVES_EARLY) / (1 - _LEAVES_EARLY)) if share > 2 * _LEAVES_EARLY else 0.0


def _deaf(evening: Evening, edge: Process, begin: int, end: int, *, changed: bool) -> tuple[float, bool]:
    """Of those who were let in: who did not do what listeners do, and whether more than that speaks for it."""
    uneven = concentrated(edge, begin, end)
    if changed and not uneven and not _strange(evening, edge, begin, end):  # what nobody can open is ours
        return 0.0, False
    admitted = edge.counted("admitted", begin, end) - edge.counted("admitted_plain", begin, end)
    heard = total(edge, SOUNDS, begin, end)
    if max(admitted, heard) < _COUNTED_MIN or unreached_listeners(edge, begin, end) > _UNREACHED_MAX:
        return 0.0, False
    ours = failed(edge, begin, end)
    unopened = max(0.0, (admitted - heard - ours) - _UNOPENED * admitted) if admitted else 0.0
    gone = left_early(evening, edge, begin, end) * heard
    share = min(1.0, (unopened + gone) / max(admitted, heard))
    if share < _CONDUCT_MIN:
        return 0.0, False
    at_once = heard - edge.counted("admitted_after_wait", begin, end)
    fast = total(edge, IN_TIME[:3], begin, end) >= _FAST * at_once and ours < _UNOPENED * admitted
    return share, (fast and not changed) or uneven


def _idle_strangers(evening: Evening, edge: Process, begin: int, end: int) -> float | None:
    """Share of the people with a pass, where strangers who are told to wait never ask again; else None.

    Where those with a pass wait as silently as the others, it is the line.
    """
    last = min(end, edge.seconds - _ASKS_AGAIN_S)
    came = total(edge, FIRST, begin, last)
    at_once = edge.counted("admitted", begin, last) - edge.counted("admitted_after_wait", begin, last)
    again = edge.counted("asked_again", begin, end + _ASKS_AGAIN_S)
    waiters = came - max(0, at_once)
    if waiters < _WAITERS_MIN or again >= _ASKING_AGAIN_MIN * waiters or not edge.knows("asked_again"):
        return None
    return _usual(evening, begin, end) if _strange(evening, edge, begin, end) else None


def _pushing_strangers(evening: Evening, edge: Process, begin: int, end: int) -> float | None:
    """Share of the people with a pass, where strangers who are told to wait do not; else None.

    A player asks again when it was told to, after two seconds at the soonest (`again_s`). Whoever asks oftener has
    another client; and where a wave of them has far fewer passes than those who came before it, it is not our own
    players that forgot how to wait. A crowd from elsewhere has few passes as well, but waits.
    """
    waiting = again = most = 0
    for each in evening.of(Role.EDGE):  # they wait in one line; who comes at the end of ten seconds waits later
        again += each.counted("asked_again", begin, end + BLOCK_S)
        there = each.levels("waiting", begin, end + BLOCK_S)
        waiting, most = waiting + sum(there), most + max(there, default=0)
    if most < _WAITERS_MIN or again < _PUSHES_HZ * waiting:
        return None
    if total(edge, FIRST, begin, end) < _WAITERS_MIN:
        begin = max(0, begin - BLOCK_S)  # who waits now has come a little before
    return _usual(evening, begin, end) if _strange(evening, edge, begin, end) else None


def _anew(evening: Evening, edge: Process, begin: int, end: int) -> float:
    """Share of the first attempts that are no first ones: far more from each network, with passes as before."""
    whole = networks(edge, end - 1, end)
    first = total(edge, FIRST, max(0, end - _MINUTE_S), end)
    if not whole or first < _WAITERS_MIN:
        return 0.0
    usual = _each(evening, edge, begin, end)
    each = first / whole
    if each < _ANEW_MIN * usual:
        return 0.0
    # Of few networks the share of passes is chance; but strangers do not bring more passes than there were.
    known_usual, known = _usual(evening, begin, end), total(edge, KNOWN, max(0, end - _MINUTE_S), end)
    if known_usual is not None and known < _ANEW_MIN / 2 * known_usual * usual * whole:
        return 0.0
    return 1 - usual / each if known >= _KNOWN_MIN * first else 0.0


def _each(evening: Evening, edge: Process, begin: int, end: int) -> float:
    """First attempts of each network in a minute, in the calmest of those until then; at least one."""
    return evening.memo.once(("each", edge.name, begin, end), lambda: _calmest(edge, begin, end))


def _calmest(edge: Process, begin: int, end: int) -> float:
    minutes = edge.memo.once("minutes", lambda: _minutes(edge))
    found = [each for each in minutes[max(0, begin - _EACH_S) : end] if each is not None]
    return max(1.0, min(found, default=1.0))


def _minutes(edge: Process) -> Sequence[float | None]:
    """First attempts of each network in the minute that ends with each second; None of too few."""
    found: list[float | None] = []
    for at in range(edge.seconds):
        whole = networks(edge, at, at + 1)
        first = total(edge, FIRST, max(0, at + 1 - _MINUTE_S), at + 1)
        found.append(first / whole if whole and first >= _COUNTED_MIN else None)
    return found


def _strange(evening: Evening, edge: Process, begin: int, end: int) -> bool:
    """Whether a third fewer than before have a pass, and not by chance (three standard deviations)."""
    usual, now = _usual(evening, begin, end), _known((edge,), begin, end)
    if usual is None or usual < _KNOWN_MIN or now is None or 3 * now >= 2 * usual:
        return False
    missing = usual - now
    return missing * missing * total(edge, FIRST, begin, end) > 9 * usual * (1 - usual)


def _usual(evening: Evening, begin: int, end: int) -> float | None:
    """Share of those with a pass at all edges, from half an hour before until whenever it was highest.

    A flood makes it small, and so does what follows: the share is that of before. Few people weigh little.
    """
    return evening.memo.once(("usual", begin, end), lambda: _highest(evening, begin, end))


def _highest(evening: Evening, begin: int, end: int) -> float | None:
    firsts, knowns = evening.memo.once("asked", lambda: _asked(evening))
    since = max(0, begin - _USUAL_S)
    before, known_before = firsts[since], knowns[since]
    best, found = 0.0, None
    for at in range(since + 1, min(end, evening.seconds) + 1):
        first, known = firsts[at] - before, knowns[at] - known_before
        if first >= _USUAL_MIN and known / (first + _FEW) > best:
            best, found = known / (first + _FEW), known / first
    return found


def _asked(evening: Evening) -> tuple[Sequence[int], Sequence[int]]:
    """How many had asked first at all edges before each second, and how many of them with a pass."""
    edges = evening.of(Role.EDGE)

    def had(names: tuple[str, ...]) -> Sequence[int]:
        return [sum(total(edge, names, 0, at) for edge in edges) for at in range(evening.seconds + 1)]

    return had(FIRST), had(KNOWN)


def _known(edges: Sequence[Process], begin: int, end: int) -> float | None:
    """Share of those who come with a pass; None of too few."""
    first = known = 0
    for edge in edges:
        first += total(edge, FIRST, begin, end)
        known += total(edge, KNOWN, begin, end)
    return known / first if first >= _COUNTED_MIN else None
