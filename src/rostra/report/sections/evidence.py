"""What the verdict stands on: signals and what they are worth, comparisons, method and starting assumptions."""

from collections.abc import Mapping
from typing import Any, Final

from markupsafe import Markup

from rostra.report.story import TWICE_DB
from rostra.report.subject import Subject, folded, listing, section, table
from rostra.report.wording import sentence

ENTRIES_MAX: Final = 3  # of a signal, in its row


def signals(subject: Subject) -> Markup:
    words = subject.words
    found = sorted(subject.verdict["signals"], key=lambda each: -abs(each["attack_decibans"]))
    rows = [
        [
            sentence(words(f"group.{each['group']}")),
            _seen(subject, each),
            _worth(subject, each["attack_decibans"]),
            Markup(", ").join(subject.entry(index) for index in each["entries"][:ENTRIES_MAX]),
        ]
        for each in found
    ]
    heads = [words(each) for each in ("signal", "seen", "worth", "entries")]
    return section(
        "signals",
        words("signals"),
        Markup("<p>{}</p>").format(words("signals.why")),
        table(words("signals"), heads, rows, look="signals", words=len(heads)),
        folded(words("expected"), Markup("").join(_expected(subject, each) for each in found)),
    )


def _seen(subject: Subject, signal: Mapping[str, Any]) -> Markup:
    words, value = subject.words, signal["permille"]
    if signal["category"] is None:
        return words("signal.unknown")
    numbers = words.numbers
    return words(
        f"signal.{signal['group']}.{signal['category']}",
        times=numbers.times(value),
        percent=numbers.permille(value),
        seconds=numbers.exact(value),
        count=numbers.exact(value),
    )


def _worth(subject: Subject, decibans: int) -> Markup:
    words = subject.words
    barely = "barely_" if abs(decibans) < TWICE_DB else ""
    key = f"{barely}for" if decibans > 0 else f"{barely}against" if decibans else "neither"
    return words(f"worth.{key}", db=words.numbers.decibans(decibans), times=words.numbers.likelier(decibans))


def _expected(subject: Subject, signal: Mapping[str, Any]) -> Markup:
    """Of the evenings of each class, how many showed what was seen here."""
    words, category = subject.words, signal["category"]
    if category is None:
        return Markup("")
    rows = []
    for name, counts in signal["expected"].items():
        seen, whole = words.numbers.exact(counts[category]), words.numbers.exact(sum(counts.values()))
        rows.append([Markup("{} {}").format(Markup("<b>{}</b>").format(name), words(f"class.{name}")),
                     words("expected.cell", seen=seen, all=whole)])  # fmt: skip
    caption = Markup("{}: {}").format(words(f"group.{signal['group']}"), _seen(subject, signal))
    return table(sentence(caption), [words("class"), words("seen")], rows)


def contrasts(subject: Subject) -> Markup:
    words, found = subject.words, subject.verdict["contrasts"]
    if not found:
        return Markup("")
    ordered = sorted(found, key=lambda each: ("at_s" not in each["numbers"], each["numbers"].get("at_s", 0)))
    told = [_contrast(subject, each) for each in ordered]
    why = Markup("<p>{}</p>").format(words("contrasts.why"))
    return section("contrasts", words("contrasts"), why, listing(told))


def _contrast(subject: Subject, contrast: Mapping[str, Any]) -> Markup:
    words, name = subject.words, contrast["subject"]
    is_series = contrast["code"] in ("began", "dose") or name == "attack"
    told = words.name("series" if is_series else "change", name)
    values: dict[str, Markup] = {}
    for each, value in contrast["numbers"].items():
        unit = each.rpartition("_")[2]
        if unit == "s":
            values[each[:-2]] = subject.at(value)
        elif each == "correlation_u":
            values["correlation"] = words.numbers.fraction(value)
        elif unit == "u":
            values[each[:-2]] = words.numbers.percent(value)
        else:
            values[each] = words.numbers.exact(value)
    return sentence(words(f"contrast.{contrast['code']}", subject=told, **values))


def method(subject: Subject) -> Markup:
    words, told = subject.words, subject.verdict["method"]
    numbers = words.numbers
    rows = [
        [words(f"draw.{name}"), numbers.fraction(low), numbers.fraction(high)]
        for name, (low, high) in told["draws"].items()
    ]
    made_from = words(
        "method.tables",
        count=numbers.exact(told["incidents"]),
        made_from=Markup("<code>{}</code>").format(told["made_from"]),
    )
    heads = [words(each) for each in ("signal", "lowest", "highest")]
    return section(
        "method",
        words("method"),
        Markup("<p>{}</p><p>{}</p>").format(words("method.text"), made_from),
        folded(words("draws"), table(words("draws"), [words("draws"), *heads[1:]], rows)),
        folded(words("posteriors"), _posteriors(subject)),
    )


def _posteriors(subject: Subject) -> Markup:
    words, found = subject.words, subject.verdict["posteriors"]
    names = list(next(iter(found.values())))
    rows = [
        [
            Markup("<b>{}</b> {}").format(name, words(f"class.{name}")),
            *(words("cell.percent", share=words.numbers.percent(of[name])) for of in found.values()),
        ]
        for name in names
    ]
    heads = [words("class"), *(words(f"prior.{each}") for each in found)]
    return table(words("posteriors"), heads, rows)
