"""A log is checked step by step; whoever tampered with it is caught, and the step says at what."""

import io
import lzma
import tarfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger_kit import LOG_KEY, POLICY, Evening, key_of, written
from rostra.core.errors import BadInputError
from rostra.verifier.checks.probes import is_rare
from rostra.verifier.errors import FlawError
from rostra.verifier.note import NoteKey
from rostra.verifier.source import Bundle, source
from rostra.verifier.step import Outcome, Step
from rostra.verifier.verify import Trust, verify
from rostra.witness.bundle import export
from stamp_authority import Authority


def found(folder: Path, key: NoteKey | None = LOG_KEY, seen: Sequence[bytes] = ()) -> list[Step]:
    return list(verify(source(str(folder)), Trust(key, seen)))


def test_a_log_as_it_was_written_passes_every_step(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "authority")
    evening = Evening(start_ms=int(time.time() - 120) * 1_000).go_on(100).probe("heard", "heard")
    evening.stamp(authority.token)
    trust = Trust(policy=POLICY, seen=evening.notes, authorities=[authority.root])
    log = written(tmp_path / "evening", evening.go_on(15).entries)
    steps = list(verify(source(str(log)), trust))
    assert [step.name for step in steps] == [
        *("signature", "inclusion", "chains", "gaps", "consistency"),
        *("cosignatures", "timestamps", "clocks", "times", "silence", "registration", "physics", "probes"),
    ]
    assert {step.outcome for step in steps} == {Outcome.PASS}
    bundle = tmp_path / "evening.tar.xz"
    assert export(log, bundle) == 131
    assert list(verify(Bundle(bundle), trust)) == steps
    again = tmp_path / "again.tar.xz"
    export(log, again)
    assert again.read_bytes() == bundle.read_bytes()


def test_without_a_key_that_came_another_way_nobody_is_told_that_all_is_well(tmp_path: Path) -> None:
    steps = found(written(tmp_path, Evening().go_on(3).entries), None)
    missing = [step.name for step in steps if step.outcome is not Outcome.PASS]
    assert missing == ["signature", "cosignatures", "timestamps", "probes"]


def test_p9_a_probe_that_hears_less_than_the_edges_say_is_told_and_two_make_it_false(tmp_path: Path) -> None:
    heard = Evening().go_on(30).probe(*["heard"] * 3, *["silent"] * 6, "waiting")
    (step,) = (each for each in found(written(tmp_path / "less", heard.entries)) if each.name == "probes")
    assert step.outcome is Outcome.INCOMPLETE
    assert "heard 3 of 9 times, where the edges say 100.0 %" in step.found
    forged = Evening().go_on(30).probe("heard", key=key_of("the operator"))
    assert "forged" in found(written(tmp_path / "forged", forged.entries))[-1].found


@pytest.mark.parametrize(
    ("heard", "visits", "claimed_u", "rare"),
    [
        (9, 10, 990_000, False),
        (5, 10, 990_000, True),
        (0, 1, 999_999, False),
        (0, 2, 999_999, True),
        (0, 9, 0, False),
    ],
)
def test_what_a_probe_saw_is_compared_without_rounding(
    heard: int, visits: int, claimed_u: int, *, rare: bool
) -> None:
    assert is_rare(heard, visits, claimed_u) is rare


def test_an_empty_log_and_one_that_begins_otherwise_are_no_evidence(tmp_path: Path) -> None:
    evening = Evening().go_on(2)
    assert found(written(tmp_path / "a", []))[-1].outcome is Outcome.FAIL
    assert "does not begin" in found(written(tmp_path / "b", evening.entries[1:]))[-1].found


@pytest.mark.parametrize(
    ("tampered", "outcome", "named"),
    [
        (lambda e: [*e[:5], e[5].replace(b'"admitted":', b'"admitted":9'), *e[6:]], Outcome.FAIL, "edited"),
        (lambda e: [*e[:5], *e[6:]], Outcome.INCOMPLETE, "1 entries of edge-1 are missing before entry 5"),
        (lambda e: [*e[:5], e[6], e[5], *e[7:]], Outcome.FAIL, "reordered"),
        (lambda e: [*e[:6], e[5], *e[6:]], Outcome.FAIL, "repeated"),
        (lambda e: [e[0], *e[4:]], Outcome.INCOMPLETE, "2 entries of edge-1 are missing"),
    ],
)
def test_p9_who_keeps_the_log_and_signs_it_anew_is_caught(
    tmp_path: Path, tampered: Callable[[list[bytes]], list[bytes]], outcome: Outcome, named: str
) -> None:
    steps = found(written(tmp_path, tampered(Evening().go_on(10).entries)))
    assert any(step.outcome is outcome and named in step.found for step in steps), steps


def test_p9_a_log_that_somebody_else_signed_is_not_the_one_we_asked_for(tmp_path: Path) -> None:
    log = written(tmp_path, Evening().go_on(3).entries, key=Ed25519PrivateKey.generate())
    (step,) = found(log)
    assert step.outcome is Outcome.FAIL
    assert "is not signed by" in step.found


def test_p9_an_entry_that_was_changed_on_the_disk_is_caught_by_the_root(tmp_path: Path) -> None:
    log = written(tmp_path, Evening().go_on(3).entries)
    path = log / "tile/entries/000.p/5"
    path.write_bytes(path.read_bytes().replace(b'"admitted":3', b'"admitted":4', 1))
    assert "changed, put in or left out" in found(log)[-1].found


def test_a_clock_that_was_moved_is_told(tmp_path: Path) -> None:
    evening = Evening().go_on(3)
    evening.wall_ms -= 3_600_000
    steps = found(written(tmp_path, evening.go_on(3).entries))
    assert [step.found for step in steps if step.name == "clocks"] == [
        "the clock of edge-1 jumped by -3600000 ms before its entry 3"
    ]


def _archive(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:xz") as archive:
        for member, data in members:
            member.size = len(data) if member.isreg() else 0
            archive.addfile(member, io.BytesIO(data))
    return made.getvalue()


def _link() -> tarfile.TarInfo:
    member = tarfile.TarInfo("key")
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return member


def _long_header() -> tarfile.TarInfo:
    """It says that a name of eight gigabytes follows."""
    member = tarfile.TarInfo("key")
    member.type = tarfile.XHDTYPE
    return member


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xfd7zXZ\0 and then nothing",
        lzma.compress(b"no archive"),
        _archive((tarfile.TarInfo("../../etc/passwd"), b"x")),
        _archive((tarfile.TarInfo("/key"), b"x")),
        _archive((_link(), b"")),
        _archive((_long_header(), b"")),
        _archive((tarfile.TarInfo("key"), b"x"), (tarfile.TarInfo("key"), b"y")),
        _archive((tarfile.TarInfo("key"), b"x"), (tarfile.TarInfo("checkpoint"), bytes(17_000_000))),
    ],
)
def test_a_hostile_bundle_is_a_flaw(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bundle.tar.xz"
    path.write_bytes(data)
    with pytest.raises(FlawError):
        Bundle(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(data=st.data())
def test_a_bundle_with_any_byte_changed_or_cut_ends_in_words(tmp_path: Path, data: st.DataObject) -> None:
    bundle = tmp_path / "whole.tar.xz"
    if not bundle.exists():
        export(written(tmp_path / "log", Evening().go_on(20).entries), bundle)
    whole = bytearray(bundle.read_bytes())
    place = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        whole[place] ^= data.draw(st.integers(1, 255))
    else:
        del whole[place:]
    damaged = tmp_path / "damaged.tar.xz"
    damaged.write_bytes(whole)
    try:
        steps = list(verify(Bundle(damaged), Trust(LOG_KEY)))
    except FlawError:
        return
    assert steps
    assert all(step.outcome in Outcome for step in steps)


def test_what_cannot_be_exported_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="cannot be exported"):
        export(tmp_path, tmp_path / "bundle.tar.xz")
    log = written(tmp_path / "log", Evening().go_on(1).entries)
    (log / "checkpoint").unlink()
    with pytest.raises(BadInputError, match="no checkpoint yet"):
        export(log, tmp_path / "bundle.tar.xz")
    assert not list(tmp_path.glob(".*"))
