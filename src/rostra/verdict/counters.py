"""What counters of an edge say together: who asked first, when sound came, what answered that it had failed."""

from collections.abc import Sequence
from typing import Final

from rostra.verdict.evening import Process, total

BLOCK_S: Final = 10  # in which somebody who asks has to hear something
FIRST: Final = ("asked_first_speaker", "asked_first_registered", "asked_first_signed_in", "asked_first_anonymous")
IN_TIME: Final = (
    "sound_within_100_ms", "sound_within_300_ms", "sound_within_1000_ms", "sound_within_3000_ms",
    "sound_within_10000_ms",
)  # fmt: skip
SOUNDS: Final = (*IN_TIME, "sound_later")
KNOWN: Final = FIRST[:3]  # they have a pass
ANSWERS: Final = ("answers_2xx", "answers_3xx", "answers_4xx", "answers_5xx")
# Refusals of refusals.py that are answered with a 503 or, as they say where else to go, are no failures of ours.
_REFUSALS_503: Final = ("refused_full", "refused_draining", "refused_bus", "refused_early", "refused_starting")


def failed(edge: Process, begin: int, end: int) -> int:
    """Answers by which an edge says that it failed: not that it was full, or is going away."""
    return max(0, edge.counted("answers_5xx", begin, end) - total(edge, _REFUSALS_503, begin, end))


def concentrated(edge: Process, begin: int, end: int) -> bool:
    """Whether a few networks ask far more than the others."""
    entropy, usual = edge.level("sources_entropy_u", begin, end), edge.level("requests_per_source_p50", begin, end)
    top = edge.level("requests_per_source_p99", begin, end)
    uneven = entropy is not None and entropy < 600_000
    return uneven and usual is not None and top is not None and top > 20 * max(1, usual)


def networks(process: Process, begin: int, end: int) -> int:
    """From which somebody asked in the minute before, of both versions of IP; the mean of these seconds."""
    return sum(process.level(name, begin, end) or 0 for name in ("sources_networks_v4", "sources_networks_v6"))


def part_of_listeners(edge: Process, name: str, at: int) -> float:
    """Of the listeners that the kernel was asked of in this second, those whom a gauge counts; 0 if of nobody."""
    parts = edge.memo.once(("parts", name), lambda: _parts(edge, name))
    return parts[at] if at < len(parts) else 0.0


def _parts(edge: Process, name: str) -> Sequence[float]:
    asked, counted = edge.gauges.get("asked_of_listeners", ()), edge.gauges.get(name, ())
    if not counted:
        return [0.0] * len(asked)
    return [(some or 0) / all_ if all_ else 0.0 for some, all_ in zip(counted, asked, strict=True)]
