"""Who was listening and heard nothing for a while, though no edge sent them away: as TCP and the bytes show it."""

from typing import Final

from rostra.verdict.evening import Process

STARVED: Final = 0.3  # of the usual bytes for each listener
_STARVED_MIN_S: Final = 3  # a player holds as much


def stalled(edge: Process, begin: int, end: int) -> int:
    """Listeners who answered no packet any more, each time that it happened; at most as many as there were."""
    column, asked = edge.gauges.get("unreached_listeners"), edge.gauges.get("asked_of_listeners")
    if column is None or asked is None:
        return 0
    fell = 0.0
    before = _share(column, asked, begin - 1) if begin else 0.0
    for at in range(begin, min(end, edge.seconds)):
        share = _share(column, asked, at)
        fell += max(0.0, share - before) * (edge.level("playing", at, at + 1) or 0)
        before = share
    return min(round(fell), max(edge.levels("playing", begin, end), default=0))


def unreached_listeners(edge: Process, begin: int, end: int) -> float:
    """Share of the listeners who answer nothing, in the worst second."""
    column, asked = edge.gauges.get("unreached_listeners"), edge.gauges.get("asked_of_listeners")
    if column is None or asked is None:
        return 0.0
    return max((_share(column, asked, at) for at in range(begin, min(end, edge.seconds))), default=0.0)


def _share(column: list[int | None], asked: list[int | None], at: int) -> float:
    return (column[at] or 0) / max(1, asked[at] or 0)


def starved(edge: Process, begin: int, end: int) -> int:
    """Listeners to whom an edge sent next to nothing for three seconds and more."""
    out = edge.counts.get("bytes_out")
    if out is None:
        return 0
    # Whole numbers of a whole evening, for each ten seconds of it: built-in sums keep two hours within seconds.
    seconds = sum(edge.levels("playing", 0, edge.seconds))
    usual = edge.counted("bytes_out", 0, edge.seconds) / seconds if seconds else 0.0  # one listener's in a second
    run = most = 0
    for at in range(begin, min(end, edge.seconds)):
        playing = edge.level("playing", at, at + 1) or 0
        run = run + 1 if playing and out[at] < STARVED * usual * playing else 0
        if run >= _STARVED_MIN_S:
            most = max(most, playing)
    return most
