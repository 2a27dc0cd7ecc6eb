from html.parser import HTMLParser

import msgspec
import pytest

from rostra.core.errors import BadInputError
from rostra.rehearsal.certificate import (
    JOINS,
    LISTENERS,
    Arrival,
    Certificate,
    Episode,
    Machine,
    Stage,
    Surroundings,
)
from rostra.rehearsal.certificate_page import render
from rostra.rehearsal.certificate_words import WORDS
from rostra.rehearsal.scalability import Point, fit

JOINED = (Point(1_000, 1_000, 5, 40.0), Point(2_000, 1_995, 5, 90.0), Point(4_000, 2_500, 5, 2_900.0))
CERTIFICATE = Certificate(
    made="2026-11-21T18:00:00Z",
    script="An <evening>",
    script_sha256="00",
    seconds=20.0,
    target="a system of its own",
    surroundings=Surroundings(Machine(2, "A & B", 8 << 30, "x86_64", "6.1", 20_000, "01"), {"rostra": "1"}, {}),
    generator="2 processes on 1 machines",
    generator_shares_machine=True,
    arrivals=(Arrival(1.0, 500, 480, 480, 20), Arrival(2.0, 900, 900, 900)),
    stages=(
        Stage(JOINS, "joins/s", 2, JOINED, fit(JOINED)),
        Stage(LISTENERS, "listeners", 2, (Point(500, 500, 5),), None),
    ),
    faults=(
        Episode("kill", "edge-1", 13, 0, done=True, survived=True, remark="SIGKILL"),
        Episode("clock", "clock", 14, 0, done=False, survived=False, remark="no libfaketime"),
    ),
    attacks=(),
    heard=None,
    failed=("clock of clock could not be done: no libfaketime",),
)


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data: str) -> None:
        self.text += data


def page(language: str = "en", certificate: Certificate = CERTIFICATE) -> Reader:
    reader = Reader()
    reader.feed(render(certificate, "the key", language))
    return reader


def test_it_stands_alone_and_draws_each_curve() -> None:
    read = page()
    assert read.addresses == []
    assert read.tags.count("svg") == 3


def test_a_manager_reads_what_holds_and_what_does_not() -> None:
    text = page().text
    assert "2,000 people a second can come in" in text
    assert "500 people listened at once on 2 edge workers; no limit was reached." in text
    assert "Not everything held:" in text
    assert "An <evening>" in text  # escaped in the source, whole for the reader
    assert "Per seconde kunnen 2 000 mensen binnenkomen" in page("nl").text


def test_what_held_without_exception_says_so() -> None:
    assert "Alles hield stand." in page("nl", msgspec.structs.replace(CERTIFICATE, failed=())).text


def test_every_language_says_everything() -> None:
    assert WORDS["nl"].keys() == WORDS["en"].keys()


def test_a_language_that_there_is_not_is_refused() -> None:
    with pytest.raises(BadInputError, match="en, nl"):
        render(CERTIFICATE, "the key", "fr")
