"""The verdict while the evening goes on: which ones are kept, and what an entry of the log says of one."""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from rostra.verdict.arithmetic import micro
from rostra.verdict.evening import Entry, Reader
from rostra.verdict.likelihood import NONE
from rostra.verdict.replay import NAMES
from rostra.verdict.verdict import UNDETERMINED, Verdict, judge_now

LIVE_EVERY_S: Final = 10
LIVE_FOR_S: Final = 300  # after the onset; later nobody waits for a first word any more


class Turn(NamedTuple):
    """What has to be different for a verdict to be kept beside those before it."""

    label: str
    firm: bool
    begun: bool  # somebody was harmed, though perhaps too few


def turn(verdict: Verdict) -> Turn:
    return Turn(verdict.label, verdict.firm, verdict.span.onset is not None)


def names_a_cause(label: str) -> bool:
    return label not in (NONE, UNDETERMINED)


def entry_body(verdict: Verdict, size: int, *, final: bool) -> dict[str, Any]:
    """What the log has of a verdict on its first `size` entries; `digest` is of the whole of it."""
    harm, onset = verdict.harm, verdict.span.onset
    body: dict[str, Any] = {
        "size": size,
        "final": final,
        "label": verdict.label,
        "firm": verdict.firm,
        "word": verdict.word,
        "harm_u": micro(harm.value),
        "shares_u": {
            name: [micro(each) for each in share] for name, share in zip(NAMES, verdict.split.shares, strict=True)
        },
        "digest": verdict.digest,
    }
    if onset is not None:
        body["onset_ms"] = (verdict.evening.began_s + onset) * 1_000
    return body


def first_firm(entries: Iterable[Entry], *, since: int = 0) -> int | None:
    """The first second, in steps of ten after `since`, at which a verdict that names a cause is firm, if any."""
    reader = Reader()
    due = since + LIVE_EVERY_S
    for entry in entries:
        reader.take(entry)
        if reader.seconds > since + LIVE_FOR_S:
            return None
        if reader.seconds > due:
            due += LIVE_EVERY_S
            verdict = judge_now(reader.evening())
            if verdict.firm and names_a_cause(verdict.label):
                return reader.seconds
    return None
