"""What a host fills in, checked once: a schedule that can be kept, or one sentence that says why not. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from rostra.core.conversation import Schedule, parse_instant_ns, parse_timezone, plan
from rostra.core.errors import BadInputError
from rostra.core.units import SECOND_NS

DESCRIPTION_LENGTH_MAX: Final = 5_000
PICTURE_DESCRIPTION_LENGTH_MAX: Final = 1_500  # as an attachment's
DOORS_LEAD_S: Final = 30 * 60  # so that the announced instant itself causes no joins (DESIGN §5)
DURATION_S: Final = 2 * 3600
Visibility = Literal["public", "unlisted"]
_EPOCH: Final = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Draft:
    """A talk as it is to be announced. `starts` is a time, or a date and time, in `time_zone` or with an offset."""

    title: str
    starts: str
    time_zone: str
    language: str
    description: str = ""
    doors_lead_s: int = DOORS_LEAD_S
    duration_s: int = DURATION_S
    visibility: str = "public"
    picture: str | None = None
    picture_description: str = ""


def schedule_of(draft: Draft, *, now: datetime, announced: datetime | None = None) -> Schedule:
    """BadInputError names what cannot be kept. A start that was `announced` before may have passed meanwhile."""
    if len(draft.description) > DESCRIPTION_LENGTH_MAX:
        raise BadInputError(f"A description has up to {DESCRIPTION_LENGTH_MAX} characters.")
    if len(draft.picture_description) > PICTURE_DESCRIPTION_LENGTH_MAX:
        raise BadInputError(f"A picture is described in up to {PICTURE_DESCRIPTION_LENGTH_MAX} characters.")
    if draft.visibility not in {"public", "unlisted"}:
        raise BadInputError("A conversation is public or unlisted.")
    now_ns = to_ns(now)
    starts_ns = parse_instant_ns(draft.starts, timezone=draft.time_zone, now_ns=now_ns)
    if announced is not None and starts_ns == to_ns(announced):
        now_ns = min(now_ns, starts_ns - draft.doors_lead_s * SECOND_NS)
    return plan(
        draft.title,
        starts_ns=starts_ns,
        doors_lead_s=draft.doors_lead_s,
        duration_s=draft.duration_s,
        timezone=draft.time_zone,
        language=draft.language,
        now_ns=now_ns,
    )


def to_ns(instant: datetime) -> int:
    """Nanoseconds since the epoch; exact, as floating seconds are not."""
    since = instant - _EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND_NS + since.microseconds * 1_000


def from_ns(instant_ns: int) -> datetime:
    return _EPOCH + timedelta(microseconds=instant_ns // 1_000)


def local_text(instant: datetime, time_zone: str) -> str:
    """`2026-11-21T20:00` there, as a form's field has it."""
    return instant.astimezone(parse_timezone(time_zone)).strftime("%Y-%m-%dT%H:%M")
