"""The truth report as one page that stands alone: no script, nothing from elsewhere, readable on paper."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from rostra.report.brief import brief, headline, lead
from rostra.report.course import course
from rostra.report.provenance import Provenance
from rostra.report.sections.evidence import contrasts, method, signals
from rostra.report.sections.listeners import receipts
from rostra.report.sections.log import corrections, ledger
from rostra.report.sections.people import statements, unknowns
from rostra.report.sections.time import edges, timeline, worlds
from rostra.report.subject import Subject
from rostra.report.wording import LANGUAGES, Wording
from rostra.verdict.evening import Evening

__all__ = ["LANGUAGES", "render"]
_SECTIONS = (
    timeline, edges, worlds, statements, receipts, unknowns, signals, contrasts, corrections, method, ledger,
)  # fmt: skip


def render(verdict: Mapping[str, Any], evening: Evening, provenance: Provenance, language: str) -> str:
    """The page in one of LANGUAGES; `verdict` is the JSON of the verdict on `evening`."""
    words = Wording(language)
    subject = Subject(verdict, evening, provenance, course(evening, verdict["harm"]), words)
    title = words("of", title=words("title"), date=words.numbers.date(subject.day_s).striptags())
    return Markup(
        '<!doctype html>\n<html lang="{language}">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<title>{title}</title>\n<style>{style}</style></head>\n<body>\n<header>{head}</header>\n<main>\n{main}\n</main>\n<footer>{foot}</footer>\n</body>\n</html>\n"
    ).format(
        language=language,
        title=f"{subject.name}: {title}" if subject.name else title,
        style=Markup(_style()),  # noqa: S704 # our own file
        head=_head(subject),
        main=Markup("\n").join([brief(subject), *(section(subject) for section in _SECTIONS)]),
        foot=_foot(subject),
    )


def _head(subject: Subject) -> Markup:
    words, provenance = subject.words, subject.provenance
    numbers = words.numbers
    banners = []
    if provenance.is_open:
        banners.append(words("as_of", at=numbers.clock(provenance.last_ms // 1_000)))
    if provenance.corrections:
        banners.append(words("corrected", count=numbers.exact(len(provenance.corrections))))
    return Markup('<p class="kicker"><b>{}</b> · {} · {} · {}</p><h1>{}</h1>{}<p class="lead">{}</p>').format(
        words("title"),
        subject.name,
        numbers.date(subject.day_s),
        words("utc"),
        headline(subject),
        Markup("").join(Markup('<p class="banner">{}</p>').format(each) for each in banners),
        lead(subject),
    )


def _foot(subject: Subject) -> Markup:
    words = subject.words
    terms = [words(f"word.{name}") for name in ("edge", "rehearsed", "hostile", "firm")]
    return Markup("<h2>{}</h2><ul>{}</ul><p>{}</p>").format(
        words("words"), Markup("").join(Markup("<li>{}</li>").format(each) for each in terms), words("made")
    )


def _style() -> str:
    return files(__package__).joinpath("report.css").read_text(encoding="utf-8")
