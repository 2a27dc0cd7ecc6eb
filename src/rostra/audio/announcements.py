"""The spoken announcements: their texts, their sound, and the plan of which is due when.

The recordings are made by `tools/announcements.py`; src/rostra/data/announcements/README.md tells from what.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import av
import numpy as np

from rostra.audio.frame import Samples
from rostra.core.conversation import (
    Cancelled,
    DoorsOpen,
    Ended,
    Held,
    Schedule,
    State,
)
from rostra.core.errors import BadInputError
from rostra.core.units import SECOND_NS

_DATA: Final = Path(__file__).resolve().parent.parent / "data" / "announcements"

# What is said, and what the player shows as a notice.
_ENGLISH: Final = {
    "welcome": "Welcome. The conversation will begin shortly.",
    "begins_in_30_minutes": "The conversation begins in thirty minutes.",
    "begins_in_15_minutes": "The conversation begins in fifteen minutes.",
    "begins_in_10_minutes": "The conversation begins in ten minutes.",
    "begins_in_5_minutes": "The conversation begins in five minutes.",
    "begins_in_1_minute": "The conversation begins in one minute.",
    "delayed": "The conversation has not begun yet. The speakers are not here; we keep the line open.",
    "held": "We have lost the speakers for a moment. "
    "Please stay: the conversation continues as soon as they are back.",
    "ended": "The conversation has ended. Thank you for listening.",
    "cancelled": "The conversation has been cancelled. Thank you for coming.",
}
_DUTCH: Final = {
    "welcome": "Welkom. Het gesprek begint binnenkort.",
    "begins_in_30_minutes": "Het gesprek begint over dertig minuten.",
    "begins_in_15_minutes": "Het gesprek begint over vijftien minuten.",
    "begins_in_10_minutes": "Het gesprek begint over tien minuten.",
    "begins_in_5_minutes": "Het gesprek begint over vijf minuten.",
    "begins_in_1_minute": "Het gesprek begint over één minuut.",
    "delayed": "Het gesprek is nog niet begonnen. De sprekers zijn er nog niet; we houden de lijn open.",
    "held": "We zijn de sprekers even kwijt. Blijf luisteren: het gesprek gaat verder zodra ze terug zijn.",
    "ended": "Het gesprek is afgelopen. Bedankt voor het luisteren.",
    "cancelled": "Het gesprek gaat niet door. Bedankt voor uw komst.",
}
TEXTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {"en": MappingProxyType(_ENGLISH), "nl": MappingProxyType(_DUTCH)}
)  # language, then announcement


def path(language: str, announcement: str) -> Path:
    """The recording: Ogg/Opus, mono, 48 kHz. BadInputError for a language or announcement that TEXTS lacks."""
    if announcement not in TEXTS.get(language, {}):
        raise BadInputError(f"There is no announcement {announcement[:40]!r} in {language[:20]!r}.")
    return _DATA / language / f"{announcement}.opus"


def load(language: str, announcement: str) -> Samples:
    """The recording decoded, shape (n,), mono 48 kHz, -16 LUFS, with 0.1 s of silence on both sides.

    Decoding takes some milliseconds, so the caller keeps what it needs. BadInputError as in `path`.
    """
    return read_recording(path(language, announcement))


def read_recording(file: Path) -> Samples:
    """All of a mono recording at 48 kHz, shape (n,)."""
    with av.open(str(file)) as container:
        planes = [frame.to_ndarray() for frame in container.decode(audio=0)]
    samples: Samples = np.concatenate(planes, axis=1)[0].astype(np.float32)
    return samples


# --- what is due -----------------------------------------------------------------------------------

WELCOME_AFTER_NS: Final = 3 * SECOND_NS  # the music is heard first, then the voice
COUNTDOWN_MINUTES: Final = (30, 15, 10, 5, 1)
_WELCOME_ROOM_NS: Final = 6 * SECOND_NS  # the longest welcome and a breath
_LATE_MAX_SHARE: Final = 0.05  # "in five minutes", said 9 s late, is honest; "in one minute" would not be

DELAYED_AFTER_NS: Final = 5 * SECOND_NS  # P1 allows 60 s; a host who is 4 s late needs no announcement
HELD_AFTER_NS: Final = 5 * SECOND_NS  # speakers reconnect within 3 s (P6)
REPEAT_NS: Final = 60 * SECOND_NS
FAREWELL_AFTER_NS: Final = SECOND_NS // 2  # the last word rings out


@dataclass(frozen=True, slots=True)
class Due:
    """An announcement and the wall-clock instant (ns) at which it begins."""

    at_ns: int
    announcement: str


def before_start(*, doors_ns: int, starts_ns: int) -> tuple[Due, ...]:
    """Everything that is said between doors-open and the announced instant, in order of time.

    A countdown that falls into the welcome follows it, if it is true enough by then; one that falls before
    the doors is left out. There is no "begins now": whether it does is only known when somebody is heard.
    """
    welcome_ns = doors_ns + WELCOME_AFTER_NS
    after_welcome_ns = welcome_ns + _WELCOME_ROOM_NS
    planned = []
    if after_welcome_ns <= starts_ns:
        planned.append(Due(welcome_ns, "welcome"))
    for minutes in COUNTDOWN_MINUTES:
        before_ns = minutes * 60 * SECOND_NS
        instant_ns = starts_ns - before_ns
        at_ns = max(instant_ns, after_welcome_ns)
        if instant_ns >= doors_ns and at_ns - instant_ns <= before_ns * _LATE_MAX_SHARE:
            unit = "minute" if minutes == 1 else "minutes"
            planned.append(Due(at_ns, f"begins_in_{minutes}_{unit}"))
    return tuple(planned)


def due(schedule: Schedule, state: State, *, from_ns: int, until_ns: int) -> tuple[Due, ...]:
    """What begins in [from_ns, until_ns), for a conversation in `state`, in order of time.

    A caller that asks for one interval after the other, without gap or overlap, hears everything once.
    Delayed and held conversations are told so 5 s after it happened and every 60 s from then on.
    """
    match state:
        case DoorsOpen():
            planned = before_start(doors_ns=schedule.doors_ns, starts_ns=schedule.starts_ns)
            return tuple(each for each in planned if from_ns <= each.at_ns < until_ns)
        case Held(since_ns=since_ns, begun=False):
            return tuple(_repeated("delayed", since_ns + DELAYED_AFTER_NS, from_ns, until_ns))
        case Held(since_ns=since_ns, begun=True):
            return tuple(_repeated("held", since_ns + HELD_AFTER_NS, from_ns, until_ns))
        case Ended(at_ns=at_ns):
            farewell = Due(at_ns + FAREWELL_AFTER_NS, "ended")
            return (farewell,) if from_ns <= farewell.at_ns < until_ns else ()
        case Cancelled(at_ns=at_ns):
            farewell = Due(at_ns + FAREWELL_AFTER_NS, "cancelled")
            return (farewell,) if from_ns <= farewell.at_ns < until_ns else ()
        case _:
            return ()


def _repeated(announcement: str, first_ns: int, from_ns: int, until_ns: int) -> Iterator[Due]:
    turns = max(0, -((first_ns - from_ns) // REPEAT_NS))
    at_ns = first_ns + turns * REPEAT_NS
    while at_ns < until_ns:
        yield Due(at_ns, announcement)
        at_ns += REPEAT_NS
