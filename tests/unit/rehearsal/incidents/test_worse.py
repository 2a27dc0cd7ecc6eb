import ast
from pathlib import Path

import pytest

import rostra
from rostra.core.errors import RostraError
from rostra.rehearsal.incidents.worse import EDITS, Edit


@pytest.mark.parametrize("variant", EDITS)
def test_every_worse_version_still_fits_the_code_and_can_be_read(variant: str) -> None:
    edit = EDITS[variant]
    text = (Path(rostra.__file__).parent / edit.file).read_text(encoding="utf-8")
    ast.parse(edit.applied(text))


def test_a_version_that_does_not_fit_any_more_is_told() -> None:
    with pytest.raises(RostraError, match="'def gone'"):
        Edit("edge/door.py", "def gone\n", "pass\n").applied("def came\n")
