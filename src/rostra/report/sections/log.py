"""Where all of it stands: the log, who else saw it, what was judged when, and what was corrected since."""

from typing import Final

from markupsafe import Markup

from rostra.report.provenance import Correction, Judged
from rostra.report.subject import Subject, folded, listing, section

PROGRAM: Final = "rostra_verify.py"


def corrections(subject: Subject) -> Markup:
    words = subject.words
    found = sorted(subject.provenance.corrections, key=lambda each: -each.entry)
    told = [_correction(subject, each) for each in found]
    inner = listing(told, kind="ul") if told else Markup("<p>{}</p>").format(words("corrections.none"))
    judged = sorted(subject.provenance.judged, key=lambda each: -each.entry)
    if judged:
        inner += folded(words("verdicts"), listing(_judged(subject, each) for each in judged))
    return section("corrections", words("corrections"), inner)


def _correction(subject: Subject, correction: Correction) -> Markup:
    words = subject.words
    of = words("of.entry", entry=subject.entry(correction.of))
    for each in subject.provenance.judged:
        if each.entry == correction.of:
            of = words("of.verdict", digest=Markup("<code>{}</code>").format(each.digest))
    at_s = correction.at_ms // 1_000
    return words(
        "correction",
        date=words.numbers.date(at_s),
        at=words.numbers.clock(at_s),
        by=Markup("<b>{}</b>").format(correction.by),
        of=of,
        text=Markup("<q>{}</q>").format(correction.text),
    )


def _judged(subject: Subject, judged: Judged) -> Markup:
    words = subject.words
    told = words(
        "verdicts.row",
        at=words.numbers.clock(judged.at_ms // 1_000),
        label=words.name("label", judged.label),
    )
    entry = words("of.entry", entry=subject.entry(judged.entry))
    return Markup("{} ({}, <code>{}</code>)").format(told, entry, judged.digest)


def check(subject: Subject) -> Markup:
    words, provenance = subject.words, subject.provenance
    place = provenance.address.rstrip("/") if provenance.address else words("check.place")
    return Markup("<p>{}</p><pre><code>rostra verify {} --key {}</code></pre><p>{}</p><p>{}</p>").format(
        words("check.how"),
        place,
        Markup("'{}'").format(provenance.key),
        _expect(subject),
        words("check.bundle", program=Markup("<code>{}</code>").format(PROGRAM)),
    )


def _expect(subject: Subject) -> Markup:
    """What the command ends with; while the log grows it ends with something else each time."""
    if subject.provenance.is_open:
        return Markup("")
    digest = Markup("<code>{}</code>").format(subject.provenance.digest)
    return subject.words("check.expect", digest=digest)


def ledger(subject: Subject) -> Markup:
    words, provenance = subject.words, subject.provenance
    numbers = words.numbers
    rows = [
        ("origin", _code(provenance.origin)),
        ("entries.count", numbers.exact(provenance.judged_size)),
        ("entries.all", numbers.exact(provenance.size)),
        ("root", _code(provenance.root)),
        ("key", _code(provenance.key)),
        ("code", _code(provenance.code)),
        ("digest", _code(provenance.digest)),
        ("cosigners", Markup(", ").join(_code(each) for each in provenance.cosigners) or words("nobody")),
        ("stamps", _stamps(subject)),
        ("probes", _probes(subject)),
    ]
    inner = Markup("").join(Markup("<dt>{}</dt><dd>{}</dd>").format(words(name), told) for name, told in rows)
    return section(
        "ledger",
        words("ledger"),
        Markup('<p>{}</p><dl class="brief">{}</dl>').format(words("ledger.text"), inner),
        folded(words("checkpoint"), Markup("<pre><code>{}</code></pre>").format(provenance.checkpoint)),
    )


def _stamps(subject: Subject) -> Markup:
    words, stamps = subject.words, subject.provenance.stamps
    if not stamps:
        return words("nobody")
    names = dict.fromkeys(each.authority for each in stamps)
    last_s = max(each.at_ms for each in stamps) // 1_000
    return words(
        "stamped",
        count=words.numbers.exact(len(stamps)),
        names=Markup(", ").join(_code(each) for each in names),
        at=words.numbers.clock(last_s),
    )


def _probes(subject: Subject) -> Markup:
    words, probes = subject.words, subject.provenance.probes
    told = [
        words(
            "probed",
            name=_code(each.name),
            heard=words.numbers.exact(each.heard),
            visits=words.numbers.exact(each.visits),
        )
        for each in probes
    ]
    return Markup("; ").join(told) or words("nobody")


def _code(text: str) -> Markup:
    return Markup("<code>{}</code>").format(text)
