"""Talks in people's calendars: iCalendar (RFC 5545) with the properties of RFC 7986. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from icalendar import Alarm, Calendar, Event, vCalAddress, vText, vUri

from rostra.core.conversation import parse_timezone

CONTENT_TYPE: Final = "text/calendar; charset=utf-8"
_ALARM_BEFORE: Final = timedelta(minutes=10)
_REFRESH: Final = timedelta(hours=1)  # how often a subscribed calendar should look (RFC 7986 §5.7)


@dataclass(frozen=True, slots=True)
class Entry:
    """A talk as a calendar has it. `revision` is SEQUENCE: a change with a higher one replaces the entry."""

    uid: str
    title: str
    description: str
    url: str
    host: str
    host_url: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    revision: int
    created_at: datetime
    updated_at: datetime
    cancelled: bool = False
    image_url: str = ""


def calendar(entries: Iterable[Entry], *, name: str, url: str, method: str = "PUBLISH") -> bytes:
    """One calendar object. The time zones that its entries name are in it, as RFC 5545 §3.6.5 demands."""
    made = Calendar()
    made.add("prodid", "-//Rostra//Rostra//EN")
    made.add("version", "2.0")
    made.add("method", method)
    made.add("name", name)  # RFC 7986 §5.1
    made.add("x-wr-calname", name)  # the same for those who read only this
    made.add("source", url, parameters={"VALUE": "URI"})
    made.add("refresh-interval", _REFRESH, parameters={"VALUE": "DURATION"})
    for entry in entries:
        made.add_component(_event(entry))
    made.add_missing_timezones()
    return bytes(made.to_ical())


def _event(entry: Entry) -> Event:
    zone = parse_timezone(entry.time_zone)
    event = Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.revision)
    event.add("dtstamp", entry.updated_at.astimezone(UTC))
    event.add("created", entry.created_at.astimezone(UTC))
    event.add("last-modified", entry.updated_at.astimezone(UTC))
    event.add("dtstart", entry.starts_at.astimezone(zone))
    event.add("dtend", entry.ends_at.astimezone(zone))
    event.add("summary", entry.title)
    event.add("description", f"{entry.description}\n\n{entry.url}".strip())
    event.add("url", entry.url)
    event.add("status", "CANCELLED" if entry.cancelled else "CONFIRMED")
    event.add("transp", "OPAQUE")
    organizer = vCalAddress(entry.host_url)
    organizer.params["CN"] = vText(entry.host)
    event.add("organizer", organizer)
    event.add("conference", vUri(entry.url), parameters={"VALUE": "URI", "FEATURE": "AUDIO", "LABEL": entry.title})
    if entry.image_url:
        event.add("image", vUri(entry.image_url), parameters={"VALUE": "URI", "DISPLAY": "BADGE"})
    if not entry.cancelled:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", entry.title)
        alarm.add("trigger", -_ALARM_BEFORE)
        event.add_component(alarm)
    return event
