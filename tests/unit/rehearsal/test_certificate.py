import json
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from rostra.config import Settings
from rostra.core.errors import BadInputError
from rostra.rehearsal.certificate import (
    JOINS,
    LISTENERS,
    Arrival,
    Capacity,
    Certificate,
    Change,
    Machine,
    Stage,
    Surroundings,
    capacity,
    changes,
    public_text,
    read,
    sign,
)
from rostra.rehearsal.scalability import Point, fit
from rostra.rehearsal.surroundings import machine, versions
from rostra.signing import signing_key

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
MACHINE = Machine(2, "A processor", 8 << 30, "x86_64", "6.1", 20_000, "0123456789abcdef")
WHERE = Surroundings(MACHINE, {"rostra": "0.1.0"}, {"edge_workers": "2"})
POINTS = (Point(1_000, 1_000, 5), Point(2_000, 1_995, 5), Point(4_000, 2_500, 5))
CERTIFICATE = Certificate(
    made="2026-11-21T18:00:00Z",
    script="surge",
    script_sha256="00",
    seconds=20.0,
    target="its own system",
    surroundings=WHERE,
    generator="this machine",
    generator_shares_machine=True,
    arrivals=(Arrival(0.0, 1, 0, 0), Arrival(1.0, 500, 480, 480)),
    stages=(
        Stage(JOINS, "joins/s", 2, POINTS, fit(POINTS)),
        Stage(LISTENERS, "listeners", 2, (Point(501, 501, 5), Point(900, 700, 5)), None),
    ),
    faults=(),
    attacks=(),
    heard=None,
    failed=(),
)


def test_what_was_signed_is_read_again_with_the_key_that_signed() -> None:
    assert read(sign(CERTIFICATE, KEY)) == (CERTIFICATE, public_text(KEY.public_key()))


@given(st.data())
def test_no_bit_of_a_certificate_can_be_changed(data: st.DataObject) -> None:
    signed = bytearray(sign(CERTIFICATE, KEY))
    at = data.draw(st.integers(0, len(signed) - 2))
    signed[at] ^= 1 << data.draw(st.integers(0, 7))
    try:
        certificate, key = read(bytes(signed))
    except BadInputError:
        return
    # What JSON allows to be written in two ways is no change: white space, an escaped letter.
    assert (certificate, key) == (CERTIFICATE, public_text(KEY.public_key()))


def test_a_better_figure_under_another_key_is_seen_as_signed_by_that_key() -> None:
    better = msgspec.structs.replace(CERTIFICATE, seconds=1_000.0)
    _, key = read(sign(better, Ed25519PrivateKey.from_private_bytes(b"1" * 32)))
    assert key != public_text(KEY.public_key())


def test_a_field_that_a_later_version_adds_is_signed_too() -> None:
    file = json.loads(sign(CERTIFICATE, KEY))
    file["certificate"]["later"] = True
    with pytest.raises(BadInputError, match="altered"):
        read(json.dumps(file).encode())


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[1]", b"\xff", b'{"certificate": {}, "public_key": "", "signature": ""}']
)
def test_what_is_no_certificate_is_refused_with_the_reason(data: bytes) -> None:
    with pytest.raises(BadInputError, match="no certificate"):
        read(data)


def test_nothing_changed_voids_nothing() -> None:
    assert changes(WHERE, WHERE) == []


def test_each_thing_that_changed_is_named() -> None:
    moved = msgspec.structs.replace(MACHINE, cores=1, identity="fedcba9876543210")
    now = Surroundings(moved, {"rostra": "0.2.0", "av": "18"}, {"edge_workers": "2"})
    assert changes(WHERE, now) == [
        Change("machine: cores", "2", "1"),
        Change("machine: identity", "0123456789abcdef", "fedcba9876543210"),
        Change("versions: av", "nothing", "18"),
        Change("versions: rostra", "0.1.0", "0.2.0"),
    ]


def test_a_setting_of_place_voids_nothing_and_one_of_capacity_does() -> None:
    before = Settings().rehearsed()
    assert Settings(edge_port=9_999, site_title="Ours", data=Path("elsewhere")).rehearsed() == before
    assert Settings(edge_workers=5).rehearsed() != before


def test_capacity_is_what_one_worker_was_shown_to_bear() -> None:
    assert capacity(CERTIFICATE) == Capacity(joins_hz=1_000.0, listeners=250)
    untold = msgspec.structs.replace(CERTIFICATE, stages=())
    assert capacity(untold) == Capacity(None, None)


def test_a_limit_that_was_not_reached_is_none() -> None:
    calm = msgspec.structs.replace(CERTIFICATE, stages=(Stage(JOINS, "joins/s", 2, POINTS[:2], None),))
    assert calm.per_worker(JOINS) == 1_000
    assert capacity(calm) == Capacity(None, None)


def test_this_machine_can_be_named() -> None:
    here = machine()
    assert here.cores >= 1
    assert here.memory_bytes > 1 << 28
    assert len(here.identity) == 16
    assert versions() == versions()
    assert len(versions()["code"]) == 64


def test_the_key_is_made_once_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "data" / "rehearsal.pem"
    made = signing_key(path)
    assert path.stat().st_mode & 0o077 == 0
    assert public_text(signing_key(path).public_key()) == public_text(made.public_key())


def test_what_is_no_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rehearsal.pem"
    path.write_text("nothing")
    with pytest.raises(BadInputError, match="cannot be used"):
        signing_key(path)
