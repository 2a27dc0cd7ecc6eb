"""What listeners let their players sign, and whether that contradicts the edges."""

from markupsafe import Markup

from rostra.report.provenance import Receipts
from rostra.report.subject import Subject, section
from rostra.verdict.evening import Role


def receipts(subject: Subject) -> Markup:
    words, found = subject.words, subject.provenance.receipts
    told = [words("receipts.none")] if found is None else [*_told(subject, found), words("receipts.why")]
    return section("receipts", words("receipts"), *(Markup("<p>{}</p>").format(each) for each in told))


def _told(subject: Subject, found: Receipts) -> list[Markup]:
    words, numbers = subject.words, subject.words.numbers
    playing = _playing(subject)
    told = [
        words(
            "receipts.count",
            count=numbers.exact(found.count),
            minutes=numbers.count(sum(playing) // 60),
            most=numbers.count(max(playing, default=0)),
        )
    ]
    if found.kept:
        keys, kept = numbers.exact(found.keys), numbers.exact(found.kept)
        silent, holes = numbers.exact(found.silent), numbers.exact(found.holes)
        sounding = numbers.percent(found.sounding_u)
        told.append(words("receipts.kept", kept=kept, keys=keys, percent=sounding, silent=silent, holes=holes))
        in_time = words("receipts.in_time", keys=keys, in_time=numbers.exact(found.in_time))
        compared = words(f"receipts.{found.compared}") if found.compared else ""  # none were kept yet when it was
        told.append(Markup("{} {}").format(in_time, compared))
    if found.refused:
        told.append(words("receipts.refused", refused=numbers.exact(found.refused)))
    return told


def _playing(subject: Subject) -> list[int]:
    """How many listened at all edges together, by their count, in each second."""
    edges = subject.evening.of(Role.EDGE)
    return [
        sum(sum(edge.levels("playing", second, second + 1)) for edge in edges)
        for second in range(subject.evening.seconds)
    ]
