"""The head of the page: what happened in three sentences, and every question with its plain answer."""

from textwrap import shorten
from typing import Final

from markupsafe import Markup

from rostra.report import pictures
from rostra.report.numbers import ends
from rostra.report.sections.log import check
from rostra.report.sections.people import judged, missing
from rostra.report.story import CAUSES, MAIN_U, PART_MIN_U, TWICE_DB, Answer, answer, doubts, parts, phrase_of
from rostra.report.subject import Subject, section
from rostra.report.wording import sentence
from rostra.verdict.likelihood import SIDES

NAMES_MAX: Final = 6  # of edges, in a sentence
UNKNOWNS_MAX: Final = 3  # in brief; all of them have a section
SAID_MAX: Final = 3
SAID_LENGTH_MAX: Final = 140
_WHOLE_U: Final = 1_000_000


def headline(subject: Subject) -> Markup:
    verdict = subject.verdict
    return subject.words(phrase_of(subject.label, firm=verdict["firm"], absorbed=verdict["attack_absorbed"]))


def lead(subject: Subject) -> Markup:
    return Markup(" ").join([*_harm(subject), _why(subject), _attack(subject)])


def _harm(subject: Subject) -> list[Markup]:
    harm, words = subject.verdict["harm"], subject.words
    numbers = words.numbers
    if subject.label == "none" or harm["onset_s"] is None:
        asked, unheard = numbers.count(harm["asked"]), numbers.count(harm["unheard"])
        return [words("harm.none", asked=asked, unheard=unheard)]
    told = _counted(subject, "harm")
    found = [words("harm.from", onset=numbers.clock(harm["onset_s"]), parts=words.listed(told))]
    if harm["estimated"] or len(told) > 1:
        found.append(Markup("{}.").format(_share(subject)))
    return found


def _counted(subject: Subject, form: str) -> list[Markup]:
    """Of how many each kind of harm was counted; `form`: behind an instant, or by itself."""
    harm, words = subject.verdict["harm"], subject.words
    kinds = ["unheard", *(each for each in ("cut", "silenced") if harm[each])]
    counts = {each: words.numbers.count(harm[each]) for each in (*kinds, "asked")}
    return [words(f"{form}.{each}", **counts) for each in kinds]


def _share(subject: Subject) -> Markup:
    harm, numbers = subject.verdict["harm"], subject.words.numbers
    if harm["estimated"] and harm["low_u"] != harm["high_u"]:
        low, high = numbers.between(harm["low_u"], harm["high_u"])
        return subject.words("harm.estimated", low=low, high=high)
    return subject.words("harm.share", percent=numbers.percent(harm["share_u"]))


def _why(subject: Subject) -> Markup:
    verdict, words = subject.verdict, subject.words
    if subject.label in ("none", "undetermined"):
        return words(f"why.{subject.label}")
    if subject.label == "mixture":
        told = [_part(subject, name) for name in parts(verdict) if verdict["causes"][name]["share_u"] >= MAIN_U]
        return words("why.mixture", parts=Markup("; ").join(told))
    cause = verdict["causes"][subject.label]
    low, high = words.numbers.between(cause["low_u"], cause["high_u"])
    if cause["low_u"] == _WHOLE_U:
        key = "why.whole" if verdict["firm"] else "why.likely_whole"
    else:
        key = "why.one" if verdict["firm"] else "why.likely"
    return words(
        key, cause=words(f"cause.{subject.label}"), kinds=_kinds(subject, subject.label), low=low, high=high
    )


def _part(subject: Subject, name: str) -> Markup:
    cause, words = subject.verdict["causes"][name], subject.words
    low, high = words.numbers.between(cause["low_u"], cause["high_u"])
    kinds = _kinds(subject, name)
    key = "part" if kinds else "part.small"
    return words(key, cause=words(f"cause.{name}"), kinds=kinds, low=low, high=high)


def _kinds(subject: Subject, cause: str) -> Markup:
    """Which classes of this cause the signals speak for; none of a small part."""
    words = subject.words
    return words.listed([words(f"class.{each}") for each in subject.verdict["classes"] if SIDES[each[0]] == cause])


def _attack(subject: Subject) -> Markup:
    """Whatever the label: everybody asks it."""
    verdict, words = subject.verdict, subject.words
    hostile = words.numbers.percent(verdict["hostile_u"])
    if verdict["attack_absorbed"]:
        seen = verdict["hostile_u"] >= PART_MIN_U
        return words("attack.absorbed", percent=hostile) if seen else words("attack.absorbed_signals")
    if subject.label == "undetermined":
        return words("attack.unclear", percent=hostile)
    if verdict["hostile_u"] >= PART_MIN_U:
        return words("attack.some", percent=hostile)
    if "attack" in parts(verdict):
        return Markup("")
    return words("attack.none_seen" if verdict["attack_evidence"]["decibans"] <= 0 else "attack.no_part")


def brief(subject: Subject) -> Markup:
    rows = [
        ("harmed", _harmed(subject)),
        ("when", _when(subject)),
        ("where", Markup("<p>{}</p>").format(_where(subject))),
        ("shares", _shares(subject)),
        ("questions", _answers(subject)),
        ("sure", _sure(subject)),
        ("unknown", _unknown(subject)),
        ("said", _said(subject)),
        ("check", check(subject)),
    ]
    inner = Markup("").join(
        Markup("<dt>{}</dt><dd>{}</dd>").format(subject.words(name), told) for name, told in rows if told
    )
    return section("brief", subject.words("brief"), Markup('<dl class="brief">{}</dl>').format(inner))


def _harmed(subject: Subject) -> Markup:
    told = [_share(subject), *_counted(subject, "count")]
    return Markup("").join(Markup("<p>{}.</p>").format(sentence(each)) for each in told)


def _when(subject: Subject) -> Markup:
    harm, numbers = subject.verdict["harm"], subject.words.numbers
    told = {
        "starts": subject.at(subject.evening.starts_s),
        "doors": subject.at(subject.evening.doors_s),
        "from_": numbers.clock(harm["from_s"]),
        "to": numbers.clock(harm["to_s"]),
    }
    if harm["onset_s"] is None:
        return Markup("<p>{}</p>").format(subject.words("when.none", **told))
    return Markup("<p>{}</p>").format(subject.words("when.onset", onset=numbers.clock(harm["onset_s"]), **told))


def _where(subject: Subject) -> Markup:
    words, edges = subject.words, subject.course.edges
    hit = [each for each in edges if each.is_hit]
    count = words.numbers.exact(len(edges))
    if not edges:
        return words("where.nobody")
    if not hit or subject.label == "none":
        return words("where.none", count=count)
    if len(hit) == len(edges):
        return words("where.all", count=count)
    names = [Markup("<b>{}</b>").format(each.name) for each in hit[:NAMES_MAX]]
    if len(hit) > NAMES_MAX:
        names.append(words("unknown.more", count=words.numbers.exact(len(hit) - NAMES_MAX)))
    told = words("where.some", count=count, hit=words.numbers.exact(len(hit)), names=Markup(", ").join(names))
    unseen = len([each for each in edges if each.look == "unseen"])
    return (
        Markup("{} {}").format(told, words("where.unseen", count=words.numbers.exact(unseen))) if unseen else told
    )


def _shares(subject: Subject) -> Markup:
    verdict, words = subject.verdict, subject.words
    if subject.label == "none":
        return Markup("")
    if subject.label == "undetermined":
        return Markup("<p>{}</p>").format(words("shares.unclear"))
    rows = []
    for name in sorted(CAUSES, key=lambda each: -verdict["causes"][each]["share_u"]):
        cause = verdict["causes"][name]
        rows.append(
            Markup('<div class="share"><span>{}</span>{}<span>{}</span></div>').format(
                sentence(words(f"cause.{name}")),
                pictures.interval(name, cause["share_u"], cause["low_u"], cause["high_u"]),
                _range(subject, name),
            )
        )
    return Markup('<div class="bars">{}</div>').format(Markup("").join(rows))


def _range(subject: Subject, name: str) -> Markup:
    cause, words = subject.verdict["causes"][name], subject.words
    if cause["high_u"] < PART_MIN_U:
        return words("share.none")
    low, high = ends(cause["low_u"], cause["high_u"])
    if low == high:
        return words("share.one", share=words.numbers.percent(cause["share_u"]))
    first, last = words.numbers.between(cause["low_u"], cause["high_u"])
    return words("share.range", low=first, high=last)


def _answers(subject: Subject) -> Markup:
    verdict, words = subject.verdict, subject.words
    if subject.label == "none":
        return Markup("<p>{}</p>").format(words("answer.nothing"))
    asked = [each for each in CAUSES if each != "external" or "external" in parts(verdict)]
    told = [
        Markup("<p><b>… {}</b> {}</p>").format(words(f"without.{cause}"), _answer(subject, answer(verdict, cause)))
        for cause in asked
    ]
    return Markup('<div class="answers">{}</div>').format(Markup("").join(told))


def _answer(subject: Subject, found: Answer) -> Markup:
    words = subject.words
    numbers = words.numbers
    told = words(
        f"answer.{found.code}",
        without=numbers.whole(found.without_u),
        with_=numbers.whole(found.with_u),
        necessary=numbers.whole(found.necessary_u),
    )
    return Markup("{} {}").format(told, words(f"alone.{found.alone}")) if found.alone else told


def _sure(subject: Subject) -> Markup:
    verdict, words = subject.verdict, subject.words
    if verdict["firm"]:
        firmness = words("firm.none" if subject.label == "none" else "firm")
    else:
        percent = words.numbers.percent(verdict["coverage_u"])
        told = [words(f"doubt.{each}", percent=percent) for each in doubts(verdict)]
        firmness = words("not_firm", doubts=words.listed(told))
    if subject.label != "undetermined":
        firmness = Markup("{} {}").format(
            firmness, words("sureness", percent=words.numbers.percent(verdict["sure_u"]))
        )
    return Markup("<p>{}</p><p>{}</p>").format(firmness, strength(subject))


def strength(subject: Subject) -> Markup:
    found, words = subject.verdict["attack_evidence"], subject.words
    decibans, word = found["decibans"], found["word"]
    if abs(decibans) < TWICE_DB or word == "none":
        return words("signals.neither")
    return words(
        "signals.for" if decibans > 0 else "signals.against",
        times=words.numbers.likelier(decibans),
        word=words(f"strength.{word}"),
    )


def _unknown(subject: Subject) -> Markup:
    words, unknowns = subject.words, subject.verdict["unknowns"]
    if not unknowns:
        return Markup("<p>{}</p>").format(words("unknown.none"))
    told = [missing(subject, each) for each in unknowns[:UNKNOWNS_MAX]]
    if len(unknowns) > UNKNOWNS_MAX:
        told.append(words("unknown.more", count=words.numbers.exact(len(unknowns) - UNKNOWNS_MAX)))
    return Markup("").join(Markup("<p>{}</p>").format(each) for each in told)


def _said(subject: Subject) -> Markup:
    words, statements = subject.words, subject.evening.statements
    if not statements:
        return Markup("<p>{}</p>").format(words("said.none"))
    told = []
    for each in statements[:SAID_MAX]:
        text = shorten(each.text, SAID_LENGTH_MAX, placeholder="…")
        told.append(
            Markup("{} {}").format(words("said.brief", at=subject.at(each.at_s), text=text), judged(subject, each))
        )
    if len(statements) > SAID_MAX:
        told.append(words("unknown.more", count=words.numbers.exact(len(statements) - SAID_MAX)))
    return Markup("").join(Markup("<p>{}</p>").format(each) for each in told)
