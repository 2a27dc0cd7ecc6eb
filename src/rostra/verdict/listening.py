"""Who was listening and heard nothing for a while, though no edge sent them away: as TCP and the bytes show it."""

from typing import Final

from rostra.verdict.evening import Process, total

STARVED: Final = 0.3  # of the usual bytes for each listener
LATE_US: Final = 250_000  # of the loop: as much as a player holds
PAUSED_MS: Final = 1_500  # without a new chunk
_UNREACHED_MAX: Final = 0.3
_STARVED_MIN_S: Final = 3  # a player holds as much
_ANSWERS: Final = ("answers_2xx", "answers_3xx", "answers_4xx", "answers_5xx")


def stalled(edge: Process, begin: int, end: int) -> int:
    """Listeners who answered no packet for three seconds, each time that it happened; at most all there were."""
    fell = before = 0.0
    for at in range(max(begin, _STARVED_MIN_S - 1), min(end, edge.seconds)):
        share = min(_part(edge, "unreached_listeners", at - back) for back in range(_STARVED_MIN_S))
        fell += max(0.0, share - before) * (edge.level("playing", at, at + 1) or 0)
        before = share
    return min(round(fell), max(edge.levels("playing", begin, end), default=0))


def aged(edge: Process, begin: int, end: int) -> int:
    """Listeners of an edge to which no chunk came for three seconds in all."""
    ages, playing = edge.gauges.get("programme_age_ms"), edge.gauges.get("playing")
    if ages is None or playing is None:
        return 0
    missing = there = 0
    for at in range(begin, min(end, edge.seconds)):
        if (ages[at] or 0) >= PAUSED_MS:
            missing += 1
            there = max(there, *(playing[back] or 0 for back in range(max(0, at - _STARVED_MIN_S), at + 1)))
    return there if missing >= _STARVED_MIN_S else 0


def dripped(edge: Process, begin: int, end: int) -> int:
    """Listeners who got less than they should for three seconds and stayed: behind on a line that answers.

    Or all, where the loop was so late for three seconds that a player in step ran dry each time.
    """
    late = [each for each in edge.levels("lag_us", begin, end) if each >= LATE_US]
    if len(late) >= _STARVED_MIN_S:
        return max(edge.levels("playing", begin, end), default=0)
    fell = before = 0.0
    for at in range(max(begin, _STARVED_MIN_S - 1), min(end, edge.seconds)):
        shares = [
            _part(edge, "behind_listeners", at - back) - _part(edge, "unreached_listeners", at - back)
            for back in range(_STARVED_MIN_S)
        ]
        share = max(0.0, min(shares))
        fell += max(0.0, share - before) * (edge.level("playing", at, at + 1) or 0)
        before = share
    return round(fell)


def is_unwell(edge: Process, begin: int, end: int) -> bool:
    """Whether somebody who comes over to this edge may hear nothing there either."""
    paused = max(edge.levels("programme_age_ms", begin, end), default=0) >= PAUSED_MS
    hindered = without_sound(edge, begin, end) + dripped(edge, begin, end) > 0
    return paused or hindered or unreached_listeners(edge, begin, end) > _UNREACHED_MAX


def without_sound(edge: Process, begin: int, end: int) -> int:
    """Listeners who heard nothing for three seconds and more, however it shows."""
    return max(starved(edge, begin, end), stalled(edge, begin, end), aged(edge, begin, end))


def unreached_listeners(edge: Process, begin: int, end: int) -> float:
    """Share of the listeners who answer nothing, in the worst second."""
    return max((_part(edge, "unreached_listeners", at) for at in range(begin, min(end, edge.seconds))), default=0.0)


def _part(edge: Process, name: str, at: int) -> float:
    asked = edge.level("asked_of_listeners", at, at + 1)
    return (edge.level(name, at, at + 1) or 0) / asked if asked else 0.0


def starved(edge: Process, begin: int, end: int) -> int:
    """Listeners to whom an edge sent next to nothing for three seconds and more."""
    out, usual = edge.counts.get("bytes_out"), edge.memo.once("usual_bytes_out", lambda: _usual_bytes_out(edge))
    run = most = 0
    for at in range(begin, min(end, edge.seconds)):
        playing = edge.level("playing", at, at + 1) or 0
        run = run + 1 if out and playing and out[at] < STARVED * usual * playing else 0
        if run >= _STARVED_MIN_S:
            most = max(most, playing)
    return most


def _usual_bytes_out(edge: Process) -> float:
    """For one listener in a second, in the median second of those in which somebody listens.

    Of the seconds in which the answers are fewer than the listeners, if there are any: pages and refusals by the
    hundred are bytes, too, and beside them every later second would look as if it starved.
    """
    out, playing = edge.counts.get("bytes_out"), edge.gauges.get("playing")
    each: list[float] = []
    calm: list[float] = []
    for at, (sent, there) in enumerate(zip(out or (), playing or (), strict=False)):
        if there:
            each.append(sent / there)
            if total(edge, _ANSWERS, at, at + 1) < there:
                calm.append(sent / there)
    each = sorted(calm or each)
    return each[len(each) // 2] if each else 0.0
