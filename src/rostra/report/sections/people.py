"""What was said at the time, held against what the evidence said then; and what nobody knows."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from rostra.report.subject import Subject, listing, section
from rostra.verdict.evening import Statement


def statements(subject: Subject) -> Markup:
    words, said = subject.words, subject.evening.statements
    if not said:
        return section("said", words("said"), Markup("<p>{}</p>").format(words("said.none")))
    return section("said", words("said"), *(saying(subject, each) for each in said))


def saying(subject: Subject, statement: Statement) -> Markup:
    """One statement, in its own words; marked if it claims more than the evidence shows."""
    words = subject.words
    return Markup("<p>{}, {}</p><blockquote>{}</blockquote><p>{} {}</p>").format(
        subject.at(statement.at_s),
        words("of.entry", entry=subject.entry(statement.index)),
        statement.text,
        judged(subject, statement),
        _then(subject, statement),
    )


def judged(subject: Subject, statement: Statement) -> Markup:
    """What it claims, and whether that is more than the evidence shows."""
    words, told = subject.words, []
    if statement.claims:
        told.append(words("said.claim", claim=words.name("claim", statement.claims)))
    if any(each["entry"] == statement.index and each["exceeds"] for each in subject.verdict["statements"]):
        told.append(Markup('<span class="exceeds">{}</span>').format(words("said.exceeds")))
    if statement.index in subject.provenance.warned:
        told.append(words("said.warned"))
    return Markup(" ").join(told)


def _then(subject: Subject, statement: Statement) -> Markup:
    """Where the evidence stood: the newest verdict in the log before the statement."""
    words = subject.words
    before = [each for each in subject.provenance.judged if each.entry < statement.index]
    if not before:
        return words("said.then_nothing")
    newest = max(before, key=lambda each: each.entry)
    key = "said.then_firm" if newest.firm else "said.then"
    return words(key, label=words.name("label", newest.label))


def unknowns(subject: Subject) -> Markup:
    words = subject.words
    told = [missing(subject, each) for each in subject.verdict["unknowns"]]
    if not told:
        told.append(words("unknown.none"))
    return section("unknown", words("unknown"), listing([*told, words("unknown.always")]))


def missing(subject: Subject, unknown: Mapping[str, Any]) -> Markup:
    words, name = subject.words, unknown["subject"]
    kind = {"not_measured": "group", "nobody_counted": "place"}.get(unknown["code"])
    told = Markup("<b>{}</b>").format(name) if kind is None else words.name(kind, name)
    return words(f"unknown.{unknown['code']}", subject=told, seconds=words.numbers.exact(unknown["number"]))
