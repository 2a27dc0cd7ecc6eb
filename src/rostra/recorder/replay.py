"""What the replay is made of, what is missing in it, and its chapters: decided from the journal. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from rostra.core.limits import CHAPTER_MIN_S
from rostra.core.units import CHUNK_NS, CHUNK_SAMPLES, SAMPLE_RATE_HZ, SECOND_NS
from rostra.recorder.journal import Happened, Journal, Segment

PRE_ROLL_CHUNKS: Final = 2  # a decoder converges within 80 ms (RFC 7845 §4.6): the first word comes after it
_END_HEARD_NS: Final = SECOND_NS  # the farewell may end this much before the state is written

# What a chapter is called that no person named, by language.
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {"held": "Interruption", "ended": "The end"},
    "nl": {"held": "Onderbreking", "ended": "Het einde"},
}


@dataclass(frozen=True, slots=True)
class Sound:
    """Chunks [first, end) of a segment."""

    file: str
    first: int
    end: int


@dataclass(frozen=True, slots=True)
class Silence:
    """Chunks [first, end), which nobody has."""

    first: int
    end: int


class Gap(msgspec.Struct, frozen=True):
    """What the programme lacks: where in the replay (seconds, negative: before it), how long, when by the wall.

    because: as in `journal.Opened`, of the segment that follows; `late` before the first one, `end` after the last.
    """

    at_s: float
    seconds: float
    from_ms: int
    to_ms: int
    because: str


class Chapter(msgspec.Struct, frozen=True, rename="camel"):
    """A chapter as Podcasting 2.0 writes it."""

    start_time: float
    title: str


def plan(segments: Sequence[Segment], *, first: int, end: int) -> list[Sound | Silence]:
    """Chunks [first, end), each exactly once: of the earliest segment that has it, else silence."""
    parts: list[Sound | Silence] = []
    at = first
    for segment in sorted(segments, key=lambda each: (each.first, each.end)):
        until = min(segment.end, end)
        if until <= max(at, segment.first):
            continue
        if segment.first > at:
            parts.append(Silence(at, segment.first))
            at = segment.first
        parts.append(Sound(segment.file, at, until))
        at = until
    if at < end:
        parts.append(Silence(at, end))
    return parts


def first_chunk(journal: Journal) -> int:
    """The chunk with which the replay begins: just before the conversation went live, else the first there is."""
    segments = journal.programme
    lives = (each.seq for each in journal.events if each.event.kind == "state" and each.event.value == "live")
    first = segments[0].first if segments else 0
    live = next(lives, None)
    return first if live is None else max(min(first, live), live - PRE_ROLL_CHUNKS)


def wall_ns(segments: Sequence[Segment], number: int) -> int:
    """The wall instant at which chunk `number` begins, by the newest segment that begins before it."""
    by = max((each for each in segments if each.first <= number), key=lambda each: each.first, default=segments[0])
    return by.starts_ns + (number - by.first) * CHUNK_NS


def gaps(journal: Journal, *, first: int) -> list[Gap]:
    """What is missing between the doors and the end; `first` is the replay's first chunk."""
    segments = journal.programme
    found, at = [], 0
    for segment in segments:
        if segment.first > at:
            because = "late" if at == 0 else segment.because
            from_ns = wall_ns(segments, at)
            found.append(_gap(at, from_ns, segment.starts_ns, first, because))
        at = max(at, segment.end)
    conversation = journal.conversation
    if segments and journal.closed is not None and not journal.closed.heard_end and conversation is not None:
        last_ns = wall_ns(segments, at)
        if conversation.since_ns - last_ns > _END_HEARD_NS:
            found.append(_gap(at, last_ns, conversation.since_ns, first, "end"))
    return found


def _gap(number: int, from_ns: int, to_ns: int, first: int, because: str) -> Gap:
    seconds = max(0, to_ns - from_ns) / SECOND_NS
    at_s = (number - first) * CHUNK_NS / SECOND_NS
    return Gap(round(at_s, 3), round(seconds, 3), from_ns // 1_000_000, to_ns // 1_000_000, because)


def seconds_on_air(journal: Journal, *, end: int) -> dict[str, float]:
    """How long each seat was on the air, up to chunk `end`."""
    heard: dict[str, int] = {}
    untils = [*(each.seq for each in journal.seats[1:]), end]
    for each, until in zip(journal.seats, untils, strict=False):  # nobody was ever seated: one end too many
        for seat in each.seats:
            heard[seat] = heard.get(seat, 0) + max(0, until - each.seq)
    return {seat: chunks * CHUNK_NS / SECOND_NS for seat, chunks in sorted(heard.items())}


def chapters(journal: Journal, *, first: int, end: int) -> list[Chapter]:
    """Who is heard from when, interruptions, and the marks that a host has set.

    Changes within CHAPTER_MIN_S of each other are one chapter, which begins with the first of them and is called
    after the last. A mark is always a chapter of its own.
    """
    conversation = journal.conversation
    title = "" if conversation is None else conversation.title
    words = _WORDS.get("en" if conversation is None else conversation.language, _WORDS["en"])
    changes = [
        (_second(each, first), *named) for each in journal.events if (named := _named(each, words)) is not None
    ]
    for seated in journal.seats:
        if seated.seats:  # an empty stage is told by the state
            at_s = (seated.seq - first) * CHUNK_NS / SECOND_NS
            changes.append((at_s, ", ".join(journal.names.get(seat, seat) for seat in seated.seats), False))
    made = [(0.0, title, True)]
    for at_s, name, marked in sorted(
        change for change in changes if 0 <= change[0] < (end - first) * CHUNK_NS / 1e9
    ):
        before_s, before, before_marked = made[-1]
        if marked or at_s - before_s >= CHAPTER_MIN_S:
            if name != before:
                made.append((at_s, name, marked))
        elif not before_marked:
            made[-1] = (before_s, name, False)
    return [Chapter(round(at_s, 3), name) for at_s, name, _ in made]


def _second(happened: Happened, first: int) -> float:
    return (happened.event.at - first * CHUNK_SAMPLES) / SAMPLE_RATE_HZ


def _named(happened: Happened, words: Mapping[str, str]) -> tuple[str, bool] | None:
    """The chapter that an event begins, and whether a host has set it."""
    event = happened.event
    match event.kind:
        case "mark":
            return event.text or event.value, True
        case "speaker":
            return event.value, False
        case "state" | "notice" if event.value in words:
            return words[event.value], False
        case _:
            return None
