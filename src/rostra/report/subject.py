"""What every part of a page is about."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from rostra.report.course import Course
from rostra.report.provenance import Provenance
from rostra.report.wording import Wording
from rostra.verdict.evening import Evening
from rostra.verifier.tiles import TILE_WIDTH, bundle_path


@dataclass(frozen=True, slots=True)
class Subject:
    """`verdict` is the JSON of the verdict on `evening`."""

    verdict: Mapping[str, Any]
    evening: Evening
    provenance: Provenance
    course: Course
    words: Wording

    @property
    def label(self) -> str:
        label: str = self.verdict["label"]
        return label

    @property
    def name(self) -> str:
        return self.provenance.title or self.evening.conversation

    @property
    def day_s(self) -> int:
        """An instant of the day on which it was to begin."""
        return self.evening.began_s + self.evening.starts_s

    def at(self, second: int) -> Markup:
        """A second of the evening, by the clock."""
        return self.words.numbers.clock(self.evening.began_s + second)

    def entry(self, index: int) -> Markup:
        """The number of an entry of the log, and the way to the file that it is in."""
        number = self.words.numbers.exact(index)
        address = self.provenance.address
        if address is None or not 0 <= index < self.provenance.size:
            return number
        tile = index // TILE_WIDTH
        path = bundle_path(tile, min(TILE_WIDTH, self.provenance.size - tile * TILE_WIDTH))
        return Markup('<a href="{}">{}</a>').format(address + path, number)


def section(name: str, heading: Markup, *parts: Markup) -> Markup:
    return Markup('<section aria-labelledby="{0}"><h2 id="{0}">{1}</h2>{2}</section>').format(
        name, heading, Markup("").join(parts)
    )


def listing(items: Iterable[Markup], *, kind: str = "ul") -> Markup:
    inner = Markup("").join(Markup("<li>{}</li>").format(each) for each in items)
    return Markup("<{0}>{1}</{0}>").format(kind, inner)


def table(
    caption: Markup, heads: Iterable[Markup], rows: Iterable[Iterable[Markup]], *, look: str = "", words: int = 1
) -> Markup:
    """The first cell of a row is its head; from column `words` on they are numbers. The caption is only heard."""
    head = Markup("").join(
        Markup('<th scope="col"{}>{}</th>').format(_number(at >= words), each) for at, each in enumerate(heads)
    )
    body = []
    for row in rows:
        first, *rest = row
        cells = [Markup('<th scope="row">{}</th>').format(first)]
        cells += [Markup("<td{}>{}</td>").format(_number(at >= words), each) for at, each in enumerate(rest, 1)]
        body.append(Markup("<tr>{}</tr>").format(Markup("").join(cells)))
    return Markup(
        '<table class="{}"><caption class="unseen">{}</caption><thead><tr>{}</tr></thead><tbody>{}</tbody></table>'
    ).format(look, caption, head, Markup("").join(body))


def folded(summary: Markup, inner: Markup) -> Markup:
    return Markup("<details><summary>{}</summary>{}</details>").format(summary, inner)


def _number(is_number: bool) -> Markup:  # noqa: FBT001 # one call, next to its meaning
    return Markup(' class="n"') if is_number else Markup("")
