"""P9: the report says what the verdict found, no more, in two languages, and whatever a log brings does no harm."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
import pytest

from evenings import START_S, Evening, scenario
from rostra.report.page import LANGUAGES, render
from rostra.report.provenance import Correction, Judged, Probe, Provenance, Receipts, Stamped
from rostra.verdict.evening import Evening as Read
from rostra.verdict.evening import Role, read
from rostra.verdict.verdict import digest, judge
from rostra.verifier.entry import Entry

XHTML = "{http://www.w3.org/1999/xhtml}"
HOSTILE = "<script>alert('we were attacked')</script> & \"quoted\" {0} %s"
KINDS = ("http_flood", "crash", "flood_and_crowd", "absorbed", "nothing", "mimicry")
UNNUMBERED = {"code", "pre", "style", "q", "blockquote", "b", "i", "title"}  # names, keys, what others said
# Numbers that are in sentences and not in the verdict, since they count things on the page.
COUNTED = 60


@dataclass
class Case:
    """One evening, judged."""

    verdict: dict[str, Any]
    evening: Read
    pages: dict[str, str]

    @cached_property
    def parsed(self) -> dict[str, Element]:
        """Strictly: what a browser would have to mend is refused."""
        return {
            language: html5lib.HTMLParser(strict=True, tree=html5lib.getTreeBuilder("etree")).parse(page)
            for language, page in self.pages.items()
        }


def receipts(compared: str, *, refused: int = 0) -> Receipts:
    return Receipts(
        count=61, refused=refused, kept=41, keys=23, in_time=20, sounding_u=944_000, silent=2, holes=3,
        compared=compared,
    )  # fmt: skip


def made(kind: str, *, lacking: bool = False, signed: Receipts | None = None) -> Case:
    entries = [each for each in Evening(scenario(kind, 3)).entries if not (lacking and is_lost(each))]
    wall_ms = (START_S + 95) * 1_000
    at = next(index for index, each in enumerate(entries) if each.wall_ms >= wall_ms)
    body = {"what": "statement", "subject": "evening", "by": "operator", "text": HOSTILE, "claims": "attack"}
    entries.insert(at, Entry("operator", wall_ms, 0, "", "change", wall_ms, 0, body))
    evening = read(entries)
    verdict = judge(evening, count=20).as_json()
    found = digest(verdict)
    provenance = Provenance(
        origin="talks.example/rostra/evening",
        key="talks.example/rostra/evening+00000000+AAAA",
        size=len(entries),
        judged_size=len(entries),
        root="9f" * 32,
        checkpoint=f"talks.example/rostra/evening\n{len(entries)}\n",
        code="cd" * 32,
        digest=found,
        last_ms=wall_ms + 60_000,
        title=HOSTILE,
        address="",
        cosigners=("north.example",),
        stamps=(Stamped("CN=<i>Time</i>", 9, wall_ms),),
        probes=(Probe("paper.example", 14, 3),),
        judged=(Judged(at - 1, wall_ms, "undetermined", False, "ab" * 32, False),),
        corrections=(
            Correction(700, wall_ms + 1_000, "operator", at - 1, "first"),
            Correction(701, wall_ms + 2_000, "operator", 5, HOSTILE),
        ),
        receipts=signed,
    )
    return Case(verdict, evening, {each: render(verdict, evening, provenance, each) for each in LANGUAGES})


def is_lost(entry: Entry) -> bool:
    return entry.kind == "record" and entry.who.startswith("edge") and 30 < entry.seq < 130


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    return {kind: made(kind) for kind in KINDS} | {
        "lacking": made("http_flood", lacking=True, signed=receipts("contradicts", refused=7)),
        "signed": made("nothing", signed=receipts("agrees")),
        "only_refused": made(
            "nothing",
            signed=Receipts(0, 5, kept=0, keys=0, in_time=0, sounding_u=0, silent=0, holes=0, compared=""),
        ),
    }


EVERY = pytest.mark.parametrize(
    ("kind", "language"),
    [(kind, language) for kind in (*KINDS, "lacking", "signed", "only_refused") for language in LANGUAGES],
)


def text(element: Element) -> str:
    return re.sub(r"\s+", " ", "".join(element.itertext()))


def name(element: Element) -> str:
    return str(element.tag).removeprefix(XHTML)


def found(root: Element, *names: str) -> Iterator[Element]:
    return (each for each in root.iter() if name(each) in names)


@EVERY
def test_it_is_valid_and_stands_alone(cases: dict[str, Case], kind: str, language: str) -> None:
    root = cases[kind].parsed[language]
    assert root.get("lang") == language
    assert not list(found(root, "script", "link", "img", "iframe", "object", "base", "form"))
    for each in root.iter():
        assert not any(attribute.startswith("on") or attribute == "src" for attribute in each.attrib)
        assert re.fullmatch(r"tile/entries/[x0-9/.p]+", each.get("href", "tile/entries/000"))
    assert "url(" not in cases[kind].pages[language]
    assert "@import" not in cases[kind].pages[language]


@EVERY
def test_what_others_wrote_stays_text(cases: dict[str, Case], kind: str, language: str) -> None:
    root = cases[kind].parsed[language]
    assert HOSTILE in [text(each) for each in found(root, "blockquote")]
    assert HOSTILE in [text(each) for each in found(root, "q")]
    assert "CN=<i>Time</i>" in text(root)


@EVERY
def test_every_number_in_the_head_comes_from_the_verdict(cases: dict[str, Case], kind: str, language: str) -> None:
    case = cases[kind]
    known = set(numbers(case.verdict)) | {len(case.evening.processes)} | set(range(COUNTED))
    root = case.parsed[language]
    head = [
        *found(root, "header"),
        *(each for each in found(root, "section") if each.get("aria-labelledby") == "brief"),
    ]
    assert len(head) == 2
    values = [int(each.get("value", "")) for part in head for each in found(part, "data")]
    assert values
    assert set(values) <= known


@EVERY
def test_every_number_is_its_value_rounded(cases: dict[str, Case], kind: str, language: str) -> None:
    for each in found(cases[kind].parsed[language], "data"):
        value, shown = int(each.get("value", "")), text(each)
        plain = shown.replace("\N{MINUS SIGN}", "-")
        plain = plain.replace(".", "").replace(",", ".") if language == "nl" else plain.replace(",", "")
        units = (1, 1_000, 10, 10_000, 1_000_000)
        near = any(
            abs(float(plain) - value / unit) <= max(5.0 if unit == 10_000 else 0.51, 0.05 * abs(value / unit))
            for unit in units
        )
        assert near or abs(10 ** (abs(value) / 10) / float(plain) - 1) < 0.5, (value, shown)


@EVERY
def test_no_number_stands_there_without_its_source(cases: dict[str, Case], kind: str, language: str) -> None:
    """Digits are in `data`, in `time`, in a picture, or in a name."""
    assert not re.findall(r"[0-9]+", " ".join(bare(cases[kind].parsed[language])))


def bare(element: Element) -> Iterator[str]:
    """Text that is in none of the elements that numbers and names have. Edges' names are in `b`, `th` or `li`."""
    inner = {"data", "time", "svg", *UNNUMBERED}
    if name(element) not in inner and not str(element.tag).startswith("{http://www.w3.org/2000/svg}"):
        yield re.sub(r"\b(edge|stage)-\d+\b", "", element.text or "").replace(HOSTILE, "")
        for each in element:
            yield from bare(each)
            yield re.sub(r"\b(edge|stage)-\d+\b", "", each.tail or "").replace(HOSTILE, "")


@EVERY
def test_every_picture_has_words_or_is_repeated_beside(cases: dict[str, Case], kind: str, language: str) -> None:
    root = cases[kind].parsed[language]
    pictures = [each for each in root.iter() if str(each.tag).endswith("}svg")]
    assert pictures
    for each in pictures:
        assert each.get("aria-hidden") == "true" or len(each.get("aria-label", "")) > 40
    levels = [int(name(each)[1]) for each in found(root, "h1", "h2", "h3")]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for each in found(root, "table"):
        assert list(found(each, "caption"))
        assert all(head.get("scope") for head in found(each, "th"))


def test_the_headline_says_what_the_verdict_says(cases: dict[str, Case]) -> None:
    headlines = {kind: text(next(found(case.parsed["en"], "h1"))) for kind, case in cases.items()}
    assert headlines["http_flood"] in {"An attack was the cause", "Probably an attack, but not firmly so"}
    assert headlines["http_flood"].startswith("Probably") is not cases["http_flood"].verdict["firm"]
    assert headlines["crash"] == "The platform itself was at fault"
    assert headlines["nothing"] == "Nothing went wrong"
    assert headlines["absorbed"] == "Hostile load came, and changed nothing"
    assert headlines["lacking"] == "The cause cannot be determined"
    assert headlines["mimicry"].startswith("Probably") is not cases["mimicry"].verdict["firm"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_claims_too_much_is_marked(cases: dict[str, Case], language: str) -> None:
    marked = {
        kind: any("exceeds" in each.get("class", "") for each in case.parsed[language].iter())
        for kind, case in cases.items()
    }
    assert marked["crash"]
    assert marked["nothing"]
    assert not marked["http_flood"]


def listeners(case: Case, language: str) -> str:
    sections = found(case.parsed[language], "section")
    return next(text(each) for each in sections if each.get("aria-labelledby") == "receipts")


def test_what_listeners_signed_is_told_with_what_it_is_worth(cases: dict[str, Case]) -> None:
    told = listeners(cases["signed"], "en")
    assert "players signed 61 minutes. The edges counted" in told
    assert "41 are in the log as they were signed, by at least 23 keys" in told
    assert "sound for 94 percent of the time" in told
    assert "Of 23 keys, 20 say that sound came within ten seconds. That does not contradict" in told
    assert "they were invalid" not in told
    assert "no sample of all who asked, and it does not enter the verdict" in told
    against = listeners(cases["lacking"], "en")
    assert "That contradicts the edges' records" in against
    assert "Anybody can sign, so it is no proof." in against
    assert "7 more were sent and not taken" in against
    assert "Dat is in tegenspraak met het verslag van de edges" in listeners(cases["lacking"], "nl")


def test_minutes_of_listening_are_those_of_the_edges(cases: dict[str, Case]) -> None:
    case = cases["signed"]
    seconds = 0
    for edge in case.evening.of(Role.EDGE):
        seconds += sum(edge.levels("playing", 0, case.evening.seconds))
    assert seconds > 600
    assert f'<data value="{seconds // 60}">' in case.pages["en"]


def test_an_evening_without_receipts_says_so(cases: dict[str, Case]) -> None:
    assert "No listener signed anything that is in the log." in listeners(cases["nothing"], "en")
    assert "niets in het logboek dat een luisteraar heeft ondertekend" in listeners(cases["nothing"], "nl")
    assert "no sample" not in listeners(cases["nothing"], "en")
    only = listeners(cases["only_refused"], "en")
    assert "signed 0 minutes" in only
    assert "5 more were sent and not taken" in only
    assert "keys" not in only


def test_corrections_are_newest_first(cases: dict[str, Case]) -> None:
    page = text(cases["crash"].parsed["en"])
    assert page.index("entry 5") < page.index(f"the verdict {'ab' * 32}")


def test_nothing_is_told_of_causes_where_the_evidence_does_not_bear_it(cases: dict[str, Case]) -> None:
    page = text(cases["lacking"].parsed["en"])
    assert "No shares are told" in page
    assert page.count("Cannot be said.") == 3


def test_the_same_log_gives_the_same_page() -> None:
    assert made("crash").pages == made("crash").pages


def numbers(value: object) -> Iterator[int]:
    if isinstance(value, bool):
        return
    if isinstance(value, int):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from numbers(each)
    elif isinstance(value, list):
        for each in value:
            yield from numbers(each)
