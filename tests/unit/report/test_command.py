"""`rostra report` makes a page of a ledger, wherever that is, and none of a false one."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ledger_kit import Evening, written
from receipt_kit import Edge, receipt
from rostra.cli.app import app
from rostra.core.errors import BadInputError
from rostra.verifier.errors import FlawError
from rostra.witness.bundle import export


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    evening = Evening("edge-1", "edge-2").go_on(30).probe("heard", "silent")
    evening.say("witness", "registered", {"processes": {"operator": {"key": evening.chain("operator").key}}})
    said = {"what": "statement", "subject": "evening", "text": "We were attacked.", "claims": "attack"}
    evening.say("operator", "change", said | {"warned": "evidence so far: none"})
    for conversation, text in (("evening", "First."), ("evening", "Second."), ("another", "Not of this one.")):
        evening.say("operator", "correction", {"conversation": conversation, "entry": 5, "text": text})
    evening.checkpoint()
    return written(tmp_path_factory.mktemp("ledgers") / "evening", evening.entries)


def test_it_is_made_of_a_folder_and_of_a_bundle(ledger: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "evening.rostra.tar.xz"
    export(ledger, bundle)
    pages = []
    for place in (ledger, bundle):
        page = tmp_path / "page.html"
        result = CliRunner().invoke(app, ["report", str(place), "--language", "nl", "--out", str(page)])
        assert result.exit_code == 0, result.exception
        pages.append(page.read_text())
    assert pages[0] == pages[1]
    assert '<html lang="nl">' in pages[0]
    assert "paper.example" in pages[0]
    assert "De auteur was daarvoor gewaarschuwd." in pages[0]
    assert 0 < pages[0].index("Second.") < pages[0].index("First.")
    assert "Not of this one." not in pages[0]
    assert "north.example" not in pages[0]  # no policy was registered: nobody's signature was asked for


def test_it_tells_what_listeners_signed_and_that_it_contradicts_the_edges(tmp_path: Path) -> None:
    edge = Edge().take(*(receipt(number, silent_ms=6_000) for number in range(30)))
    with pytest.raises(FlawError):
        edge.take(b"none")
    edge.log(tmp_path / "agrees", *edge.said())
    agrees = page_of(tmp_path / "agrees")
    assert "players signed 30 minutes" in agrees
    assert "sound for 90 percent of the time" in agrees
    assert "That does not contradict" in agrees
    assert "1 more were sent and not taken" in agrees
    edge = Edge().take(*(receipt(number, chunks=0, gaps=10**15, silent_ms=10**15) for number in range(30)))
    (body,) = edge.said()
    other = body | {"conversation": "another"}
    edge.log(tmp_path / "against", body, other)
    against = page_of(tmp_path / "against")
    assert "players signed 30 minutes" in against
    assert "Of 30 keys, 0 say that sound came within ten seconds. That contradicts" in against


def page_of(log: Path) -> str:
    """Without its marks."""
    page = log.with_suffix(".html")
    result = CliRunner().invoke(app, ["report", str(log), "--out", str(page)])
    assert result.exit_code == 0, result.exception
    return re.sub("<[^>]*>", "", page.read_text())


def test_nothing_is_made_of_a_false_ledger(ledger: Path, tmp_path: Path) -> None:
    forged = tmp_path / "forged"
    for path in ledger.rglob("*"):
        if path.is_file():
            copy = forged / path.relative_to(ledger)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes().replace(b'"admitted":3,', b'"admitted":9,'))
    result = CliRunner().invoke(app, ["report", str(forged), "--out", str(tmp_path / "page.html")])
    assert isinstance(result.exception, BadInputError)
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize("arguments", [["nowhere"], ["LEDGER", "--language", "fr"]])
def test_what_cannot_be_done_is_told(ledger: Path, arguments: list[str]) -> None:
    named = [str(ledger) if each == "LEDGER" else each for each in arguments]
    assert isinstance(CliRunner().invoke(app, ["report", *named]).exception, BadInputError)
