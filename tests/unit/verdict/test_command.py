"""`rostra verdict` reads a ledger as the witness writes it, and answers questions."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from evenings import Evening, scenario
from rostra.cli.app import app
from rostra.core.errors import BadInputError
from rostra.verifier.entry import seal
from rostra.verifier.log import KEY
from rostra.verifier.note import note_key, signature
from rostra.witness.ledger import Ledger

ORIGIN = "example.org/rostra/evening"
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture(scope="module")
def witnessed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ledgers") / "evening"
    key = note_key(ORIGIN, PRIVATE)
    ledger = Ledger(folder, origin=ORIGIN, key=key, sign=lambda text: signature(text, ORIGIN, PRIVATE))
    # What a verdict costs grows with the edges, and what is asked of the command does not.
    for entry in Evening(replace(scenario("http_flood", 1), edges=1)).entries:
        ledger.append(seal(entry, PRIVATE))
    ledger.checkpoint()
    ledger.close()
    (folder / KEY).write_text(f"{key}\n")
    return folder


def test_a_person_reads_harm_causes_and_the_answer(witnessed: Path) -> None:
    result = CliRunner().invoke(app, ["verdict", str(witnessed), "--what-if", "no-attack"])
    assert result.exit_code == 0
    assert "Verdict: attack" in result.stdout
    assert "Had it been no-attack: 0 %" in result.stdout


def test_a_program_reads_everything(witnessed: Path) -> None:
    result = CliRunner().invoke(app, ["verdict", str(witnessed), "--json"])
    found = json.loads(result.stdout)
    assert found["label"] == "attack"
    assert len(found["worlds"]) == 16
    assert all(index >= 0 for signal in found["signals"] for index in signal["entries"])


@pytest.mark.parametrize("arguments", [["nowhere"], ["--what-if", "nonsense"]])
def test_a_question_that_has_no_answer_says_why(witnessed: Path, arguments: list[str]) -> None:
    log = [] if arguments == ["nowhere"] else [str(witnessed)]
    result = CliRunner().invoke(app, ["verdict", *log, *arguments])
    assert isinstance(result.exception, BadInputError)
