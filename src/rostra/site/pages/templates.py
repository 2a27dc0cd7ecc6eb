"""The templates of pages and mails, one environment a language: what is written in them is escaped."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import cache, partial
from importlib.resources import files
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.numbers import format_compact_decimal, format_decimal
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from rostra.core.units import SECOND_NS
from rostra.report.story import phrase_of
from rostra.report.wording import Wording
from rostra.site.pages.languages import LANGUAGES, translations
from rostra.web.pages import PageFiles

_LETTERS: Final = "rostra.site.mail"
_RELATIVE_MAX_S: Final = 6 * 24 * 3600  # older posts show their date


@cache
def page_files() -> PageFiles:
    return PageFiles(files("rostra.site") / "pages")


def asset(name: str) -> str:
    """The address of an asset, which holds its hash: it may be kept for ever."""
    return f"/assets/{name}?v={page_files().assets[name].digest}"


@cache
def _environment(language: str, package: str = "rostra.site.pages") -> Environment:
    environment = Environment(
        loader=PackageLoader(package),
        autoescape=select_autoescape(["html"]),  # letters are plain text
        undefined=StrictUndefined,
        trim_blocks=package != _LETTERS,  # in a letter, a line that is empty ends a paragraph
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    catalogue = translations(language)
    environment.install_gettext_translations(catalogue, newstyle=True)  # type: ignore[attr-defined] # jinja2.ext.i18n adds it
    locale = {"en": "en_GB"}.get(language, language)
    environment.globals |= {
        "asset": asset,
        "language": language,
        "languages": LANGUAGES,
        "phrase_of": phrase_of,
        "words": Wording(language),  # what the truth report calls things
    }
    environment.filters |= {
        "ago": partial(_ago, locale=locale),
        "at": partial(_at, locale=locale),
        "clock": partial(_clock, locale=locale),
        "day": partial(_day, locale=locale),
        "count": partial(format_compact_decimal, locale=locale, fraction_digits=1),
        "number": partial(format_decimal, locale=locale, format="#,##0"),
        "made": Markup,  # HTML that posts/text.py has made
    }
    return environment


def render(name: str, language: str, values: Mapping[str, Any]) -> str:
    return _environment(language).get_template(name).render(values)


def render_letter(name: str, language: str, values: Mapping[str, Any]) -> str:
    """The words of an e-mail, as plain text."""
    return _environment(language, _LETTERS).get_template(name).render(values)


def zone_of(name: str) -> tzinfo:
    """The time zone, or UTC for a name that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def instant(value: datetime | str) -> datetime:
    """An instant as the database or the API has it."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _ago(value: datetime | str, now: datetime, *, locale: str) -> str:
    """How long ago, or the date."""
    passed = instant(value) - now
    if abs(passed.total_seconds()) > _RELATIVE_MAX_S:
        return format_date(instant(value), "d MMM y" if instant(value).year != now.year else "d MMM", locale=locale)
    return format_timedelta(passed, add_direction=True, format="short", locale=locale)


def _at(value: datetime | str, zone: tzinfo, *, locale: str) -> str:
    return format_datetime(instant(value).astimezone(zone), "d MMMM y, HH:mm zzz", locale=locale)


def _clock(value_ns: int, zone: tzinfo, *, locale: str) -> str:
    """The time of day, to the second."""
    return format_time(datetime.fromtimestamp(value_ns / SECOND_NS, zone), "HH:mm:ss zzz", locale=locale)


def _day(value: datetime | str, *, locale: str) -> str:
    return format_date(instant(value), "long", locale=locale)
