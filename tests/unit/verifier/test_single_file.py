"""The verifier as one file, and the small one: both run where nothing is installed but `cryptography`."""

import ast
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from ledger_kit import LOG_KEY, Evening, written
from rostra.reporting import report
from rostra.verdict.code import code_digest
from rostra.verifier.checks.capacity import CERTIFICATES, certificate_name
from rostra.verifier.source import Folder
from rostra.verifying import main
from rostra.witness.bundle import export
from rostra.witness.single_file import FILE, single_file

MINI = Path(__file__).parents[3] / "tools" / "mini_verify.py"
# Nothing of site-packages but what `cryptography` is made of can be imported.
ALONE = """
import runpy, sys
class Alone:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in {"cryptography", "_cffi_backend", "cffi"}:
            raise ModuleNotFoundError(f"{name} is not there")
sys.meta_path.insert(0, Alone())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def alone(program: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-c", ALONE, str(program), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bundle")
    evening = Evening("edge-1", "edge-2", plan={"number": 1, "verdict": code_digest()}).go_on(90)
    log = written(folder / "log", evening.entries)
    (log / CERTIFICATES).mkdir()
    (log / certificate_name("ab" * 32)).write_bytes(b"of an edge that is not in the plan")
    export(log, folder / "evening.tar.xz", also=report(Folder(log)).files)
    return folder / "evening.tar.xz"


def test_p9_the_file_that_a_bundle_brings_says_what_the_command_says(
    bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with tarfile.open(bundle) as archive:
        archive.extract(FILE, tmp_path, filter="data")
    assert (tmp_path / FILE).read_text() == single_file()
    asked = (str(bundle), "--key", str(LOG_KEY), "--what-if", "no-attack")
    done = alone(tmp_path / FILE, *asked)
    code = main(asked)
    assert (done.returncode, done.stdout) == (code, capsys.readouterr().out), done.stderr
    assert "what if: then" in done.stdout
    assert done.returncode == 2  # nobody outside has seen it
    assert "PASS       code: what judges here was registered before the doors opened" in done.stdout


def test_p9_the_small_verifier_shares_no_code_and_agrees(bundle: Path) -> None:
    done = alone(MINI, str(bundle), "--key", str(LOG_KEY))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "rostra" not in {
        node.module for node in ast.walk(ast.parse(MINI.read_text())) if isinstance(node, ast.ImportFrom)
    }
    assert len(MINI.read_text().splitlines()) <= 300


@pytest.mark.parametrize("program", ["large", "small"])
def test_what_is_no_ledger_is_told_without_a_traceback(program: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(single_file())
    path = {"large": tmp_path / FILE, "small": MINI}[program]
    (tmp_path / "empty").mkdir()
    for wrong in ("gone.tar.xz", "empty", FILE):
        done = alone(path, str(tmp_path / wrong))
        assert (done.returncode, done.stderr) == (1, ""), done
        assert done.stdout.startswith("FAIL ")
