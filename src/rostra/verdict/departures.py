"""Who went from an edge and did not go on in time: departures of all edges, matched with those who come back.

An edge says who plays, who begins and who comes back with a ticket; who is missing then has gone. Whoever goes on
at any edge while a player has sound was not cut. Nobody goes by choice with a third of an edge at once: of such a
crowd those were cut who come back later, or never while nobody gets through. Who falls with an edge had no choice,
unless it had said that it goes, and another one was there.
"""

from dataclasses import dataclass
from typing import Final, Self

from rostra.verdict.counters import SOUNDS, part_of_listeners
from rostra.verdict.evening import Evening, Process, Role, Status, total
from rostra.verdict.listening import INTERRUPTION_S
from rostra.verdict.wire import QUEUES_FULL, SENT_AGAIN, no_handshake

_AT_ONCE_MIN: Final = 3  # listeners
_AT_ONCE: Final = 0.3  # of an edge's listeners, within three seconds: a speech loses a tenth of that
_UNREACHED: Final = 0.5  # of those asked: the line, and not their choice
_NOBODY_S: Final = 5  # in which handshakes begin and none is completed
_DRAIN_S: Final = 120  # from the word that an edge goes to its end


@dataclass(slots=True)
class _Gone:
    """Listeners who went in one second from one edge."""

    edge: Process
    at: int
    left: int  # not found again so far
    fell: bool  # with their edge
    at_once: bool
    told: bool = False  # that their edge goes, while another one could take them


def departed(evening: Evening, edge: Process, begin: int, end: int) -> tuple[int, int]:
    """Listeners whom this edge lost for too long from `begin` to before `end`: as a run of it ended, and else."""
    found = evening.memo.once("departures", lambda: _Matching(evening).run())
    begin = max(0, begin)
    return sum(found.fell[edge.name][begin:end]), sum(found.cut[edge.name][begin:end])


def gone(evening: Evening, edge: Process, begin: int, end: int) -> int:
    """Listeners who went from this edge, found again or not."""
    return sum(_left_of(evening, edge)[max(0, begin) : end])


class _Matching:
    """Who went from each edge second by second, and who of them was found again.

    `fell` and `cut` are, of each edge, for each second: who went with a run of it that ended, and who was cut else.
    """

    def __init__(self, evening: Evening) -> None:
        self._evening = evening
        self._edges = evening.of(Role.EDGE)
        self.fell = {edge.name: [0] * evening.seconds for edge in self._edges}
        self.cut = {edge.name: [0] * evening.seconds for edge in self._edges}
        self._recent: list[_Gone] = []
        self._missing: list[_Gone] = []  # for longer, of those who did not go one by one
        self._doubles = 0  # who went on elsewhere before their edge had noticed: they go from it once more

    def run(self) -> Self:
        left = [_left_of(self._evening, edge) for edge in self._edges]
        begun = [_begun(self._evening, edge) for edge in self._edges]
        for at in range(1, self._evening.seconds):
            for edge, went, begins in zip(self._edges, left, begun, strict=True):
                each = _departure(edge, went, at, begun=begins[at])
                if each is not None:
                    self._go(each)
            self._come_back(at)
            late = [each for each in self._recent if at - each.at >= INTERRUPTION_S - 1]
            self._missing += [each for each in late if each.at_once and each.left]
            self._recent = [each for each in self._recent if at - each.at < INTERRUPTION_S - 1]
        self._end()
        return self

    def _go(self, gone: _Gone) -> None:
        gone.told = gone.at_once and _sent_elsewhere(self._evening, self._edges, gone)
        again = 0 if gone.fell else min(self._doubles, gone.left)
        gone.left -= again
        self._doubles -= again
        self._recent.append(gone)

    def _come_back(self, at: int) -> None:
        """In time; or before their edge has noticed; or else they are the last who have been away for too long."""
        back = sum(edge.counted("resumed", at, at + 1) for edge in self._edges)
        if not back:
            return
        back = _take(back, [each for each in self._recent if each.at_once])
        back = _take(back, [each for each in self._recent if not each.at_once])
        unnoticed = max(0, min(back, sum(_unreached(edge, at) for edge in self._edges) - self._doubles))
        self._doubles += unnoticed
        back -= unnoticed
        for each in reversed(self._missing):
            if not each.fell and not each.told:
                late = min(back, each.left)
                self.cut[each.edge.name][each.at] += late
                each.left -= late
                back -= late

    def _end(self) -> None:
        """Of those who never came back; who is among the recent at the end cannot have missed so much."""
        over = _over(self._edges, self._evening.seconds)
        for each in self._missing:
            if over - each.at <= INTERRUPTION_S or each.told:
                continue
            if each.fell:
                ended = not stood_still(self._evening, each.edge, each.at)
                (self.fell if ended else self.cut)[each.edge.name][each.at] += each.left
            elif _line_dead(each.edge, each.at, over) and not _had_another(self._edges, each):
                self.cut[each.edge.name][each.at] += each.left


def _begun(evening: Evening, edge: Process) -> list[bool]:
    """Whether a second's record may be the first of another run, though no second is missing."""
    begun = [False] * (evening.seconds + 2)
    for change in evening.changes:
        if change.what == "start" and change.subject == edge.name and 0 <= change.at_s < evening.seconds:
            begun[change.at_s] = begun[change.at_s + 1] = True
    return begun


def _departure(edge: Process, left: list[int], at: int, *, begun: bool) -> _Gone | None:
    if edge.status[at - 1] != Status.SEEN:
        return None
    playing = edge.gauges.get("playing", [])
    if edge.status[at] in (Status.DOWN, Status.GONE):
        before = [each for each in playing[max(0, at - INTERRUPTION_S) : at] if each is not None]
        last = before[-1] if before else 0
        return _Gone(edge=edge, at=at, left=last, fell=True, at_once=True) if last else None
    if not left[at]:
        return None
    whole = sum(left[max(0, at - INTERRUPTION_S + 1) : at + 1])
    there = max((each or 0 for each in playing[max(0, at - INTERRUPTION_S) : at]), default=0)
    at_once = begun or whole >= max(_AT_ONCE_MIN, _AT_ONCE * there)
    return _Gone(edge=edge, at=at, left=left[at], fell=begun, at_once=at_once)


def stood_still(evening: Evening, edge: Process, at: int) -> bool:
    """Whether the run that said nothing at this second went on afterwards: it had too much to do, or no core."""
    back = at
    while back < edge.seconds and edge.status[back] == Status.DOWN:
        back += 1
    if back >= edge.seconds or edge.status[back] != Status.SEEN:
        return False
    starts = (each for each in evening.changes if each.what == "start" and each.subject == edge.name)
    return back > at and not any(at - 1 <= each.at_s <= back for each in starts)


def _left_of(evening: Evening, edge: Process) -> list[int]:
    return evening.memo.once(("left", edge.name), lambda: _left(edge))


def _left(edge: Process) -> list[int]:
    """How many went in each second: who played, began or came back, and does not play."""
    left = [0] * edge.seconds
    playing = edge.gauges.get("playing", [])
    came = [column for name in (*SOUNDS, "resumed") if (column := edge.counts.get(name)) is not None]
    for at in range(1, len(playing)):
        now, before = playing[at], playing[at - 1]
        if now is not None and before is not None:
            left[at] = max(0, before + sum(column[at] for column in came) - now)
    return left


def _take(back: int, gone: list[_Gone]) -> int:
    """Find those who come back among those who have gone; how many are found nowhere."""
    for each in gone:
        found = min(back, each.left)
        each.left -= found
        back -= found
    return back


def _unreached(edge: Process, at: int) -> int:
    """Listeners whom an edge still counted a second before, and who answered it no more."""
    share = part_of_listeners(edge, "unreached_listeners", at - 1)
    return round(share * (edge.level("playing", at - 1, at) or 0))


def _over(edges: tuple[Process, ...], seconds: int) -> int:
    """After the last second in which somebody may have listened, or tried to."""
    for at in range(seconds - 1, -1, -1):
        for edge in edges:
            unknown = at < edge.seconds and edge.status[at] not in (Status.SEEN, Status.ABSENT)
            if unknown or edge.level("playing", at, at + 1) or edge.counted("passive_opens", at, at + 1):
                return at + 1
    return 0


def _sent_elsewhere(evening: Evening, edges: tuple[Process, ...], gone: _Gone) -> bool:
    """Whether they had been told that their edge goes, and another one was there for them.

    They may be seen nowhere then, if an edge has no records here; but they had somewhere to go.
    """
    told = False
    for change in evening.changes:
        if change.what == "scale" and change.subject == gone.edge.name and change.at_s <= gone.at:
            drains = change.text == "drain" and gone.at - change.at_s <= _DRAIN_S
            # An edge that is there again within a second has never been seen to be away.
            told = drains or (told and gone.at - change.at_s < INTERRUPTION_S)
    return told and _had_another(edges, gone)


def _had_another(edges: tuple[Process, ...], gone: _Gone) -> bool:
    return any(_takes(each, gone.at) for each in edges if each is not gone.edge)


def _takes(edge: Process, at: int) -> bool:
    """Whether somebody who comes to an edge gets something: who comes does, or nothing says that they would not."""
    end = min(at + INTERRUPTION_S, edge.seconds)
    if edge.spent(Status.SEEN, at, end) < end - at:
        return False
    if edge.counted("passive_opens", at, end):
        return total(edge, (*SOUNDS, "resumed", "told_to_wait"), at, end) > 0
    return edge.counted("segments_again", at, end) < SENT_AGAIN and not total(edge, QUEUES_FULL, at, end)


def _line_dead(edge: Process, at: int, over: int) -> bool:
    """Whether they did not answer before they went, or nobody got through after it."""
    if no_handshake(edge, at, at + _NOBODY_S):
        return True
    begin = max(0, at - INTERRUPTION_S)
    worst = max((_silent(edge, each) for each in range(begin, at + 1)), default=0.0)
    return worst >= _UNREACHED and over - at > INTERRUPTION_S


def _silent(edge: Process, at: int) -> float:
    return max(part_of_listeners(edge, name, at) for name in ("unreached_listeners", "behind_listeners"))
