"""Who was listening and heard nothing for a while, though no edge sent them away: as TCP and the bytes show it."""

from collections.abc import Iterable
from typing import Final, NamedTuple

from rostra.verdict.counters import ANSWERS, part_of_listeners
from rostra.verdict.evening import Process, total

INTERRUPTION_S: Final = 3  # without sound; shorter ones are borne, and who goes on within it was not cut
SILENT_FRAMES: Final = 50  # a second of them
STARVED: Final = 0.3  # of the usual bytes for each listener
LATE_US: Final = 250_000  # of the loop: as much as a player holds
PAUSED_MS: Final = 1_500  # without a new chunk
_UNREACHED_MAX: Final = 0.3
_MINUTE_S: Final = 60


class Silence(NamedTuple):
    """Of the programme: frames that were silent, and seconds in which music stood for it."""

    frames: int = 0
    on_hold_s: int = 0

    @property
    def is_long(self) -> bool:
        return self.frames >= SILENT_FRAMES or self.on_hold_s >= INTERRUPTION_S


def silence(stages: Iterable[Process], begin: int, end: int) -> Silence:
    """The most of any stage."""
    frames = on_hold_s = 0
    for stage in stages:
        frames = max(frames, stage.counted("silent_frames", begin, end))
        on_hold_s = max(on_hold_s, len([each for each in stage.levels("on_hold", begin, end) if each]))
    return Silence(frames, on_hold_s)


def stalled(edge: Process, begin: int, end: int) -> int:
    """Listeners who answered no packet for three seconds, each time that it happened; at most all there were."""
    fell = before = 0.0
    for at in range(max(begin, INTERRUPTION_S - 1), min(end, edge.seconds)):
        share = min(part_of_listeners(edge, "unreached_listeners", at - back) for back in range(INTERRUPTION_S))
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
            there = max(there, *(playing[back] or 0 for back in range(max(0, at - INTERRUPTION_S), at + 1)))
    return there if missing >= INTERRUPTION_S else 0


def dripped(edge: Process, begin: int, end: int) -> int:
    """Listeners who got less than they should for three seconds and stayed: behind on a line that answers."""
    fell = before = 0.0
    for at in range(max(begin, INTERRUPTION_S - 1), min(end, edge.seconds)):
        shares = [
            part_of_listeners(edge, "behind_listeners", at - back)
            - part_of_listeners(edge, "unreached_listeners", at - back)
            for back in range(INTERRUPTION_S)
        ]
        share = max(0.0, min(shares))
        fell += max(0.0, share - before) * (edge.level("playing", at, at + 1) or 0)
        before = share
    return round(fell)


def _written_late(edge: Process, begin: int, end: int) -> int:
    """Listeners of an edge that wrote so late that a player in step ran dry for three seconds of a minute.

    By what it says itself, of those who were there all that time; or else by its loop, if that was late in three
    seconds.
    """
    if not edge.knows("paused_listener_ms"):
        late = [each for each in edge.levels("lag_us", begin, end) if each >= LATE_US]
        return max(edge.levels("playing", begin, end), default=0) if len(late) >= INTERRUPTION_S else 0
    playing, paused = edge.gauges.get("playing", ()), edge.counts["paused_listener_ms"]
    first, whole, most = begin, 0.0, 0
    for at in range(begin, min(end, edge.seconds, len(playing))):
        whole += _paused_s(paused[at], playing[at])
        while at - first >= _MINUTE_S or whole - _paused_s(paused[first], playing[first]) >= INTERRUPTION_S:
            whole -= _paused_s(paused[first], playing[first])
            first += 1
        if whole >= INTERRUPTION_S:
            most = max(most, min(playing[first] or 0, playing[at] or 0))
    return most


def _paused_s(paused_ms: int, playing: int | None) -> float:
    """Of each listener."""
    return paused_ms / playing / 1_000 if playing else 0.0


def is_paused(edge: Process, begin: int, end: int) -> bool:
    """Whether no new chunk came for longer than it should at any time."""
    return max(edge.levels("programme_age_ms", begin, end), default=0) >= PAUSED_MS


def is_unwell(edge: Process, begin: int, end: int) -> bool:
    """Whether somebody who comes over to this edge may hear nothing there either."""
    hindered = without_sound(edge, begin, end) + dripped(edge, begin, end) > 0
    return is_paused(edge, begin, end) or hindered or unreached_listeners(edge, begin, end) > _UNREACHED_MAX


def without_sound(edge: Process, begin: int, end: int) -> int:
    """Listeners who heard nothing for three seconds and more, however it shows."""
    sent = max(starved(edge, begin, end), stalled(edge, begin, end), aged(edge, begin, end))
    return max(sent, _written_late(edge, begin, end))


def unreached_listeners(edge: Process, begin: int, end: int) -> float:
    """Share of the listeners who answer nothing, in the worst second."""
    return max(
        (part_of_listeners(edge, "unreached_listeners", at) for at in range(begin, min(end, edge.seconds))),
        default=0.0,
    )


def starved(edge: Process, begin: int, end: int) -> int:
    """Listeners to whom an edge sent next to nothing for three seconds and more."""
    out, usual = edge.counts.get("bytes_out"), edge.memo.once("usual_bytes_out", lambda: _usual_bytes_out(edge))
    run = most = 0
    for at in range(begin, min(end, edge.seconds)):
        playing = edge.level("playing", at, at + 1) or 0
        run = run + 1 if out and playing and out[at] < STARVED * usual * playing else 0
        if run >= INTERRUPTION_S:
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
            if total(edge, ANSWERS, at, at + 1) < there:
                calm.append(sent / there)
    each = sorted(calm or each)
    return each[len(each) // 2] if each else 0.0
