"""The life of a conversation as one value: what it is, what happens to it, what must be done.

A conversation belongs to its schedule, never to a server or to the first person who joins
(DESIGN §2). `advance` is the only place where its state changes: it takes the conversation, an event
and the instant, and returns the conversation as it is then. Every instant is wall-clock nanoseconds
since the Unix epoch (UTC).
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from rostra.core.errors import BadInputError
from rostra.core.limits import (
    CONVERSATION_DURATION_MAX_S,
    CONVERSATION_ID_LENGTH_MAX,
    DOORS_LEAD_MAX_S,
    TITLE_LENGTH_MAX,
)
from rostra.core.units import CHUNK_NS, SECOND_NS

# --- states (STYLE rule 6: each with only the fields it has) ---------------------------------------


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Announced; the doors are still closed."""


@dataclass(frozen=True, slots=True)
class DoorsOpen:
    """Listeners are let in and hear hold music."""

    since_ns: int


@dataclass(frozen=True, slots=True)
class Live:
    """The announced instant has come and the stage is on the air."""

    since_ns: int


@dataclass(frozen=True, slots=True)
class Held:
    """Live, with nobody on the stage: hold music and a spoken notice, never silence.

    `begun` tells whether anybody has been heard yet: before that it is a delay, after it an interruption.
    """

    since_ns: int
    begun: bool


@dataclass(frozen=True, slots=True)
class Ended:
    at_ns: int


@dataclass(frozen=True, slots=True)
class Cancelled:
    at_ns: int


State = Scheduled | DoorsOpen | Live | Held | Ended | Cancelled


@dataclass(frozen=True, slots=True)
class Schedule:
    """What was announced. `revision` is iCalendar's SEQUENCE (RFC 5545 §3.8.7.4): it rises on each change."""

    title: str
    starts_ns: int
    doors_ns: int
    ends_ns: int
    timezone: str
    language: str = "en"
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Notice:
    """What the host has let everybody know last: "we start ten minutes later, because …"."""

    text: str = ""
    at_ns: int = 0


@dataclass(frozen=True, slots=True)
class Conversation:
    id: str
    schedule: Schedule
    state: State = Scheduled()
    notice: Notice = Notice()


# --- events ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed; `occupied` says whether somebody on the stage can be heard."""

    occupied: bool


@dataclass(frozen=True, slots=True)
class Rescheduled:
    schedule: Schedule


@dataclass(frozen=True, slots=True)
class Told:
    """The host lets everybody know something; an empty text takes back what was said last."""

    text: str


@dataclass(frozen=True, slots=True)
class End:
    pass


@dataclass(frozen=True, slots=True)
class Cancel:
    pass


Event = Tick | Rescheduled | Told | End | Cancel


def advance(conversation: Conversation, event: Event, *, now_ns: int) -> Conversation:
    """The conversation after `event` at `now_ns`. Ended and cancelled conversations never change again."""
    if isinstance(conversation.state, Ended | Cancelled):
        return conversation
    match event:
        case Tick(occupied=occupied):
            return replace(conversation, state=_tick(conversation, occupied=occupied, now_ns=now_ns))
        case Rescheduled(schedule=schedule):
            return _reschedule(conversation, schedule, now_ns=now_ns)
        case Told(text=text):
            return replace(conversation, notice=Notice(text, now_ns))
        case End():
            return replace(conversation, state=Ended(at_ns=now_ns))
        case Cancel():
            return replace(conversation, state=Cancelled(at_ns=now_ns))
        case _:
            assert_never(event)


def _reschedule(conversation: Conversation, schedule: Schedule, *, now_ns: int) -> Conversation:
    """Doors that are open stay open (people are inside), and what has begun cannot begin again."""
    before, state = conversation.schedule, conversation.state
    changed = replace(schedule, revision=before.revision + 1)
    if not isinstance(state, Scheduled):
        changed = replace(changed, doors_ns=before.doors_ns)
    if isinstance(state, Live) or (isinstance(state, Held) and state.begun):
        changed = replace(changed, starts_ns=before.starts_ns)
    elif isinstance(state, Held) and schedule.starts_ns > now_ns:
        state = DoorsOpen(since_ns=before.doors_ns)
    return replace(conversation, schedule=changed, state=state)


def _tick(conversation: Conversation, *, occupied: bool, now_ns: int) -> State:
    schedule, state = conversation.schedule, conversation.state
    if now_ns >= schedule.ends_ns:
        return Ended(at_ns=schedule.ends_ns)
    match state:
        case Scheduled() if now_ns >= schedule.starts_ns:
            return _on_air(schedule.starts_ns, occupied=occupied)
        case Scheduled() if now_ns >= schedule.doors_ns:
            return DoorsOpen(since_ns=schedule.doors_ns)
        case DoorsOpen() if now_ns >= schedule.starts_ns:
            return _on_air(schedule.starts_ns, occupied=occupied)
        case Live() if not occupied:
            return Held(since_ns=now_ns, begun=True)
        case Held() if occupied:
            return Live(since_ns=now_ns)
        case _:
            return state


def _on_air(since_ns: int, *, occupied: bool) -> State:
    return Live(since_ns=since_ns) if occupied else Held(since_ns=since_ns, begun=False)


STATE_NAMES: Final[dict[type[State], str]] = {
    Scheduled: "scheduled",
    DoorsOpen: "doors_open",
    Live: "live",
    Held: "held",
    Ended: "ended",
    Cancelled: "cancelled",
}


def state_name(state: State) -> str:
    """The state's word on screens, on the bus and in the listener stream."""
    return STATE_NAMES[type(state)]


def is_over(state: State) -> bool:
    return isinstance(state, Ended | Cancelled)


# --- what people type --------------------------------------------------------------------------------

_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


def parse_id(text: str) -> str:
    """A conversation's id: lower-case letters, digits and inner hyphens. BadInputError otherwise."""
    if len(text) > CONVERSATION_ID_LENGTH_MAX or not _ID.fullmatch(text):
        raise BadInputError(
            f"{text[:80]!r} is no conversation id: use lower-case letters, digits and hyphens, "
            f"{CONVERSATION_ID_LENGTH_MAX} at most."
        )
    return text


def id_from_title(title: str, *, suffix: str) -> str:
    """A readable id for a new conversation, e.g. `evening-at-the-forum-k3x9`."""
    words = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    room = CONVERSATION_ID_LENGTH_MAX - len(suffix) - 1
    return parse_id(f"{words[:room].strip('-')}-{suffix}".strip("-"))


def parse_duration_s(text: str) -> int:
    """Seconds of `90s`, `30m`, `1h30m` or plain seconds. BadInputError otherwise."""
    if text.isdecimal():
        return int(text)
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise BadInputError(f"{text[:40]!r} is no duration: write it as 90s, 30m or 1h30m.")
    hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def parse_instant_ns(text: str, *, timezone: str, now_ns: int) -> int:
    """The announced instant in nanoseconds UTC.

    `text` is `HH:MM[:SS]` (the next such time in `timezone`), an ISO 8601 date and time (local to
    `timezone` unless it carries an offset), `now`, or `+DURATION`. A local time that daylight saving
    skips or repeats is refused, because the crowd would come at two different times.
    """
    if text == "now":
        return now_ns
    if text.startswith("+"):
        return now_ns + parse_duration_s(text[1:]) * SECOND_NS
    zone = parse_timezone(timezone)
    now = datetime.fromtimestamp(now_ns / SECOND_NS, zone)
    try:
        if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text):
            hour, minute, *second = (int(part) for part in text.split(":"))
            local = now.replace(hour=hour, minute=minute, second=second[0] if second else 0, microsecond=0, fold=0)
            if local <= now:
                local = (local.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=zone)
        else:
            local = datetime.fromisoformat(text)
            local = local if local.tzinfo else local.replace(tzinfo=zone)
    except ValueError as error:
        raise BadInputError(f'{text[:40]!r} is no time: write "20:00", "2026-11-21 20:00" or "+10m".') from error
    if local.tzinfo is zone:
        _refuse_skipped_or_repeated(local)
    delta = local.astimezone(UTC) - datetime.fromtimestamp(0, UTC)
    return (delta.days * 86_400 + delta.seconds) * SECOND_NS + delta.microseconds * 1_000


def _refuse_skipped_or_repeated(local: datetime) -> None:
    if local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None):
        raise BadInputError(f"{local:%Y-%m-%d %H:%M} does not exist there: the clock is put forward.")
    if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
        raise BadInputError(
            f"{local:%Y-%m-%d %H:%M} comes twice there: the clock is put back. "
            "Give the time with its offset, for instance 2026-10-25T02:30+02:00."
        )


def parse_timezone(name: str) -> ZoneInfo:
    """An IANA time zone. BadInputError if it is unknown."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise BadInputError(f"{name[:60]!r} is no time zone: use a name like Europe/Amsterdam.") from error


def plan(
    title: str,
    *,
    starts_ns: int,
    doors_lead_s: int,
    duration_s: int,
    timezone: str,
    language: str,
    now_ns: int,
) -> Schedule:
    """A schedule that can be kept, or BadInputError. Doors that should be open already open at once.

    Instants are rounded up to the chunk grid of the epoch (100 ms), so that the announced instant is the
    first sample of a chunk.
    """
    if not title.strip() or len(title) > TITLE_LENGTH_MAX or not title.isprintable():
        raise BadInputError(f"A title has 1 to {TITLE_LENGTH_MAX} printable characters.")
    if starts_ns < now_ns:
        raise BadInputError("The announced instant has passed already.")
    if not 0 <= doors_lead_s <= DOORS_LEAD_MAX_S:
        raise BadInputError(f"Doors open 0 to {DOORS_LEAD_MAX_S // 3600} hours before the start.")
    if not 0 < duration_s <= CONVERSATION_DURATION_MAX_S:
        raise BadInputError(f"A conversation lasts up to {CONVERSATION_DURATION_MAX_S // 3600} hours.")
    if language not in {"en", "nl"}:
        raise BadInputError(f"{language[:20]!r} is no language Rostra announces in: use en or nl.")
    return Schedule(
        title=title.strip(),
        starts_ns=_on_grid(starts_ns),
        doors_ns=_on_grid(max(now_ns, starts_ns - doors_lead_s * SECOND_NS)),
        ends_ns=_on_grid(starts_ns + duration_s * SECOND_NS),
        timezone=parse_timezone(timezone).key,
        language=language,
    )


def _on_grid(instant_ns: int) -> int:
    return -(-instant_ns // CHUNK_NS) * CHUNK_NS
