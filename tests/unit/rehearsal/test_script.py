from pathlib import Path

import pytest

from rostra.core.errors import BadInputError
from rostra.rehearsal import script as scripts
from rostra.rehearsal.script import Reload, parse, processes_needed

SHIPPED = sorted((Path(scripts.__file__).parent / "scripts").glob("*.toml"))
SMALL = 'title = "T"\nseconds = 10\n[[crowd]]\nshape = "surge"\nlisteners = 5\n'


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_script_that_is_shipped_can_be_used_and_says_what_it_is(path: Path) -> None:
    text = path.read_text()
    assert text.startswith("# ")
    assert parse(text).target == "own"


def test_a_script_is_read() -> None:
    script = parse(SMALL + '[[acts]]\nact = "reload"\nat_s = 4\n')
    assert (script.title, script.crowd[0].listeners, script.acts) == ("T", 5, (Reload(at_s=4.0),))


def test_the_digest_tells_one_script_from_another_and_not_one_spelling_from_another() -> None:
    assert parse(SMALL).sha256 == parse("# a word\n" + SMALL).sha256
    assert parse(SMALL).sha256 != parse(SMALL.replace("5", "6")).sha256


FAULT = SMALL + "[[faults]]\n"
OTHER = SMALL.replace("seconds", 'target = "http://127.0.0.1:8080/c/evening"\nseconds') + "[[faults]]\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "missing required field `title`"),
        ("title =", "Invalid value"),
        (SMALL.replace("surge", "tsunami"), r"Invalid value 'tsunami' - at `\$.crowd\[0\].shape`"),
        (SMALL.replace("5", "0"), r">= 1 - at `\$.crowd\[0\].listeners`"),
        (SMALL + "colour = 1\n", "unknown field `colour`"),
        (SMALL.replace("= 5", "= 2000000"), "1,000,000 listeners at most"),
        (SMALL + '[[acts]]\nact = "reload"\nat_s = 10\n', "ends after 10 s"),
        (FAULT + 'kind = "kill"\nat_s = 1\n', "needs `process` or `pid_file`"),
        (FAULT + 'kind = "stop"\nprocess = "edge-1"\nat_s = 1\n', "needs `for_s`"),
        (SMALL + '[[attacks]]\nkind = "curse"\nat_s = 1\nfor_s = 1\n', "There is no attack 'curse'"),
        (FAULT + 'kind = "melt"\nat_s = 1\n', "Invalid enum value 'melt'"),
        (OTHER + 'kind = "disk"\nat_s = 1\nfor_s = 1\n', "only one that the rehearsal starts itself"),
        (OTHER + 'kind = "kill"\nprocess = "edge-1"\nat_s = 1\n', "by its `pid_file`"),
    ],
)
def test_a_script_that_cannot_be_used_is_refused_with_the_place_and_the_reason(text: str, reason: str) -> None:
    with pytest.raises(BadInputError, match=reason):
        parse(text)


def test_so_many_processes_come_that_each_has_room() -> None:
    assert processes_needed(parse(SMALL), room=2) == 3
    assert processes_needed(parse(SMALL), room=100) == 1
