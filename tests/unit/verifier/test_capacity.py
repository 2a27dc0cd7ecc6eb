"""What was registered as rehearsed is what a signed certificate shows, by two implementations."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ledger_kit import LOG_KEY, Evening, written
from rostra.rehearsal.certificate import Certificate, Machine, Stage, Surroundings, capacity, sign
from rostra.rehearsal.scalability import Point
from rostra.verifier.checks.capacity import capacities, certificate_name, signed_certificate
from rostra.verifier.errors import FlawError
from rostra.verifier.source import Bundle, Folder, Source
from rostra.verifier.step import Outcome, Step
from rostra.verifier.verify import Trust, verify
from rostra.witness.bundle import export

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
WHERE = Surroundings(Machine(2, "A processor", 8 << 30, "x86_64", "6.1", 20_000, "0123"), {}, {})
POINTS = (Point(1_000, 1_000, 5), Point(2_001, 1_995.5, 5), Point(4_000, 2_500, 5))


def certificate(*stages: Stage) -> Certificate:
    return Certificate("2026-11-21", "surge", "", 9, "own", WHERE, "", True, (), stages, (), (), None, ())


FILE = sign(certificate(Stage("joins", "joins/s", 2, POINTS, None)), KEY)


def found(source: Source) -> list[Step]:
    return [step for step in verify(source, Trust(LOG_KEY)) if step.name == "capacity"]


def log(folder: Path, data: bytes | None = FILE, **figures: Any) -> Source:
    rehearsed = {"certificate": sha256(FILE).hexdigest(), "joins_hz": 1_000, "void": []} | figures
    plan = {"number": 1, "capacity": {"edge-1": rehearsed}}
    ledger = written(folder, Evening("edge-1", plan=plan).go_on(20).entries)
    if data is not None:
        (ledger / "certificate").mkdir()
        (ledger / certificate_name(sha256(FILE).hexdigest())).write_bytes(data)
    return Folder(ledger)


def test_p9_a_plan_that_says_what_the_certificate_shows_passes_also_from_a_bundle(tmp_path: Path) -> None:
    folder = log(tmp_path / "log")
    export(tmp_path / "log", tmp_path / "log.tar.xz", with_program=False)
    for source in (folder, Bundle(tmp_path / "log.tar.xz")):
        (step,) = found(source)
        assert step.outcome is Outcome.PASS
        assert KEY.public_key().public_bytes_raw().hex() in step.found


@pytest.mark.parametrize(
    ("data", "figures", "named"),
    [
        (FILE, {"joins_hz": 9_000}, "The plan has 9000 joins_hz of edge-1; its certificate shows 1000"),
        (FILE, {"listeners": 9_000}, "The plan has 9000 listeners of edge-1; its certificate shows None"),
        (FILE.replace(b"4000", b"9000"), {}, "another file than was registered"),
    ],
)
def test_p9_a_plan_that_says_more_than_was_rehearsed_is_named(
    data: bytes, figures: dict[str, int], named: str, tmp_path: Path
) -> None:
    (step,) = found(log(tmp_path, data, **figures))
    assert (step.outcome, named in step.found) == (Outcome.FAIL, True), step


def test_a_certificate_that_is_not_here_and_an_edge_that_was_not_rehearsed_are_told(tmp_path: Path) -> None:
    (step,) = found(log(tmp_path / "one", None))
    assert (step.outcome, "is not beside the log" in step.found) == (Outcome.INCOMPLETE, True)
    (step,) = found(log(tmp_path / "two", None, certificate=None))
    assert (step.outcome, "was not rehearsed" in step.found) == (Outcome.INCOMPLETE, True)


@pytest.mark.parametrize("data", [FILE.replace(b"4000", b"9000"), b"{}", b"", FILE[:300], b"[" * 90_000])
def test_what_is_no_certificate_or_was_altered_is_a_flaw(data: bytes) -> None:
    with pytest.raises(FlawError, match="certificate"):
        signed_certificate(data)


loads = st.floats(0, 5_000).map(lambda value: round(value, 1))
points = st.lists(st.builds(Point, loads, loads, st.just(5.0)), max_size=5, unique_by=lambda point: point.offered)


@given(points, points, st.integers(1, 4))
def test_it_reads_out_of_a_certificate_what_an_edge_does(
    joins: list[Point], listeners: list[Point], workers: int
) -> None:
    made = certificate(
        Stage("joins", "joins/s", workers, tuple(joins), None),
        Stage("listeners", "listeners", workers, tuple(listeners), None),
    )
    said, signer = signed_certificate(sign(made, KEY))
    shown = {
        name: int(value) for name, value in msgspec.structs.asdict(capacity(made)).items() if value is not None
    }
    assert capacities(said) == shown
    assert signer == KEY.public_key().public_bytes_raw().hex()
