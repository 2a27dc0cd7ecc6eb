"""`rostra report` makes a page of a ledger, wherever that is, and none of a false one."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ledger_kit import Evening, written
from rostra.cli.app import app
from rostra.core.errors import BadInputError
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
