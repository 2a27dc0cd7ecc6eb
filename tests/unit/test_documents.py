"""Documents name what exists, and settings are documented."""

import ast
import re
from pathlib import Path

import pytest

from rostra.config import Settings, reference

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "rostra"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_names_exists(document: Path) -> None:
    text = document.read_text()
    named = re.findall(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|js|html|md|c))`", text)
    missing = [
        name for name in named if not any((base / name).exists() for base in (ROOT, SOURCE, document.parent))
    ]
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", text)
    missing += [link for link in links if not (document.parent / link).exists()]
    assert missing == []


def test_every_setting_is_in_the_reference_as_the_code_has_it() -> None:
    assert (ROOT / "docs" / "operate" / "configure.md").read_text() == reference()
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize("module", sorted(SOURCE.rglob("*.py")), ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_module_says_in_one_sentence_what_it_is(module: Path) -> None:
    docstring = ast.get_docstring(ast.parse(module.read_text())) or ""
    assert docstring.split("\n\n")[0].endswith((".", ":"))


def test_no_module_is_longer_than_a_sitting() -> None:
    lengths = {
        str(path.relative_to(SOURCE)): len(path.read_text().splitlines())
        for path in SOURCE.rglob("*.py")
        if "migrations" not in path.parts
    }
    assert {name: lines for name, lines in lengths.items() if lines > 440} == {}
