"""What happened when, where, and what could have been: the timeline, the edges, the eight worlds."""

from typing import Final

from markupsafe import Markup

from rostra.report import pictures
from rostra.report.course import EdgeCourse
from rostra.report.pictures import Pin
from rostra.report.story import CAUSES, shown_worlds
from rostra.report.subject import Subject, folded, listing, section, table
from rostra.report.wording import sentence
from rostra.verdict.evening import Change, Statement

PINS_MAX: Final = 20  # numbered marks: more cover each other
CARDS_MAX: Final = 48  # edges drawn: the rest is in the table
_TEXT_MAX: Final = 300


def timeline(subject: Subject) -> Markup:
    course, words = subject.course, subject.words
    marked: list[Change | Statement] = [*course.changes, *course.statements]
    marked.sort(key=lambda each: (each.at_s, each.index))
    pins, told = [], []
    for number, each in enumerate(marked[:PINS_MAX], 1):
        pins.append(Pin(number, each.at_s, not isinstance(each, Change)))
        what = _change(subject, each) if isinstance(each, Change) else words("change.statement")
        told.append(Markup("{}: {}").format(subject.at(each.at_s), what))
    marks = [Markup("<h3>{}</h3>").format(words("marks")), listing(told, kind="ol")] if told else []
    if len(marked) > PINS_MAX:
        count = words.numbers.exact(len(marked) - PINS_MAX)
        marks.append(Markup('<p class="small">{}</p>').format(words("marks.more", count=count)))
    picture = Markup("<figure>{}</figure>").format(pictures.timeline(course, pins, words))
    return section("timeline", words("timeline"), picture, *marks, folded(words("numbers"), _columns(subject)))


def _change(subject: Subject, change: Change) -> Markup:
    words = subject.words
    parts = [words.name("change", change.what)]
    if change.subject and change.subject != subject.evening.conversation:
        parts.append(Markup("<b>{}</b>").format(change.subject))
    if change.what == "limit" and change.after:
        parts.append(Markup("<i>{}</i>").format(f"{change.before} → {change.after}".strip(" →")[:_TEXT_MAX]))
    return Markup(", ").join(parts)


def _columns(subject: Subject) -> Markup:
    course, words = subject.course, subject.words
    names = ("people", "heard", "waiting", "refused", "hostile")
    rows = []
    for at, cell in enumerate(course.whole):
        values = (cell.people, cell.in_time, cell.waiting, cell.refused, cell.hostile)
        rows.append([subject.at(course.second(at)), *(words.numbers.exact(round(each)) for each in values)])
    heads = [words("time"), *(words(each) for each in names)]
    return table(words("timeline"), heads, rows)


def edges(subject: Subject) -> Markup:
    course, words = subject.course, subject.words
    if not course.edges:
        return section("edges", words("edges"), Markup("<p>{}</p>").format(words("where.nobody")))
    most = max((cell.people for edge in course.edges for cell in edge.cells), default=0.0)
    cards = [_card(subject, edge, most) for edge in course.edges[:CARDS_MAX]]
    parts = [
        Markup("<p>{}</p>").format(words("edges.why")),
        Markup('<ul class="edges">{}</ul>').format(Markup("").join(cards)),
    ]
    if len(course.edges) > CARDS_MAX:
        parts.append(words("edges.more", count=words.numbers.exact(len(course.edges) - CARDS_MAX)))
    return section("edges", words("edges"), *parts, folded(words("numbers"), _table_of_edges(subject)))


def _card(subject: Subject, edge: EdgeCourse, most: float) -> Markup:
    words, numbers = subject.words, subject.words.numbers
    told = [words(f"look.{edge.look}")]
    if edge.look != "unseen":
        told.append(words("edge.harm", percent=numbers.percent(edge.harm_u)))
    if edge.down_s:
        told.append(words("edge.down", seconds=numbers.exact(edge.down_s)))
    if edge.unseen_s:
        told.append(words("edge.unseen", seconds=numbers.exact(edge.unseen_s)))
    return Markup('<li class="card {}"><b>{}</b><br>{}{}</li>').format(
        edge.look, edge.name, Markup(", ").join(told), pictures.edge(edge, most)
    )


def _table_of_edges(subject: Subject) -> Markup:
    words, numbers = subject.words, subject.words.numbers
    rows = []
    for edge in subject.course.edges:
        known = subject.evening.capacities.get(edge.name)
        bears = [known.joins_hz if known else None, known.listeners if known else None]
        rows.append(
            [
                Markup("{}").format(edge.name),
                *(numbers.exact(each) for each in (edge.people, edge.missed, edge.cut)),
                *(words("not_rehearsed") if each is None else numbers.exact(each) for each in bears),
            ]
        )
    names = ("edge", "people", "missed", "cut", "rehearsed.joins", "rehearsed.places")
    return table(words("edges"), [words(each) for each in names], rows)


def worlds(subject: Subject) -> Markup:
    words = subject.words
    causes = [each for each in CAUSES if each != "external"]
    rows = []
    for world in shown_worlds(subject.verdict):
        marks = [
            words("there") if world[each] else Markup('<span class="no">{}</span>').format(words("away"))
            for each in causes
        ]
        rows.append(
            [
                *marks,
                pictures.bar(world["harm_u"]),
                words("cell.percent", share=words.numbers.whole(world["harm_u"])),
            ]
        )
    heads = [*(sentence(words(f"short.{each}")) for each in causes), Markup(""), words("worlds.harmed")]
    why = Markup("<p>{}</p>").format(words("worlds.why"))
    return section("worlds", words("worlds"), why, table(words("worlds"), heads, rows, look="world", words=4))
