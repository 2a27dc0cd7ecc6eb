"""Quorums by C2SP tlog-policy, with the specification's own example."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from ledger_kit import key_of
from rostra.verifier.errors import FlawError
from rostra.verifier.note import Algorithm, NoteKey, note_key
from rostra.verifier.policy import Policy, parse_policy

NAMES = ("X1", "X2", "X3", "Y1", "Y2", "Y3")
KEYS = {name: note_key(f"{name}.example", key_of(name), Algorithm.COSIGNATURE) for name in NAMES}
LOG = note_key("example.org/log", Ed25519PrivateKey.from_private_bytes(bytes(32)))
EXAMPLE = f"""
# as in the specification
log {LOG}
{"".join(f"witness {name} {KEYS[name]}{chr(10)}" for name in NAMES)}
group X-witnesses 2 X1 X2 X3
group  Y-witnesses\tany Y1 Y2 Y3
\tgroup X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def policy(text: str = EXAMPLE) -> Policy:
    return parse_policy(text.encode())


@pytest.mark.parametrize(
    ("cosigned", "enough"),
    [("X1 X2 Y3", True), ("X1 X2 X3", False), ("X1 Y1 Y2 Y3", False), ("X2 X3 Y1 Y2", True), ("", False)],
)
def test_a_quorum_of_groups(cosigned: str, *, enough: bool) -> None:
    keys: list[NoteKey] = [KEYS[name] for name in cosigned.split()]
    assert policy().met(keys) is enough
    assert policy().logs == {LOG.name: LOG}


def test_none_asks_for_nobody_and_addresses_are_kept() -> None:
    assert policy("quorum none").met([])
    assert policy(f"witness w {KEYS['X1']} https://w.example/\nquorum w").witnesses["w"].url == "https://w.example/"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "quorum nobody",
        "quorum none\nquorum none",
        f"witness none {KEYS['X1']}\nquorum none",
        f"witness a {KEYS['X1']}\nwitness b {KEYS['X1']}\nquorum a",
        f"witness a {LOG}\nquorum a",
        f"log {KEYS['X1']}\nquorum none",
        f"log {LOG}\nlog {LOG}\nquorum none",
        f"witness a {KEYS['X1']}\ngroup g 2 a\nquorum g",
        f"witness a {KEYS['X1']}\ngroup g 0 a\nquorum g",
        f"witness a {KEYS['X1']}\ngroup g any a a\nquorum g",
        f"witness a {KEYS['X1']}\ngroup g any a\ngroup h any a\nquorum h",
        f"group g any a\nwitness a {KEYS['X1']}\nquorum g",
        "quorum none\x07",
        "believe everybody\nquorum none",
        "witness a garbage\nquorum a",
        "#" * 70_000,
    ],
)
def test_what_is_no_policy_is_refused(text: str) -> None:
    with pytest.raises(FlawError):
        policy(text)


@given(st.binary(max_size=200))
def test_whatever_is_read_is_a_policy_or_a_flaw(data: bytes) -> None:
    try:
        parse_policy(data + b"\nquorum none")
    except FlawError:
        pass
    else:
        assert parse_policy(data + b"\nquorum none").met([])
