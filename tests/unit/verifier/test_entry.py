"""Entries: signed, chained, and each kind of tampering has its name."""

from base64 import b64encode
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from rostra.verifier.canonical import canonical
from rostra.verifier.entry import FIRST, OPENED, Chains, Entry, Gap, entry_digest, parse_entry, seal
from rostra.verifier.errors import FlawError
from rostra.verifier.tiles import ENTRY_BYTES_MAX

EDGE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
WITNESS = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
RUN = 1_723_485_600_000


def said(count: int, *, run: int = RUN, private: Ed25519PrivateKey = EDGE) -> list[bytes]:
    entries: list[bytes] = []
    for seq in range(count):
        prev = entry_digest(entries[-1]) if entries else FIRST
        body: dict[str, Any] = {"joins": seq}
        entry = Entry("edge-1", run, seq, prev, "record", run + seq * 1_000, seq * 1_000, body)
        entries.append(seal(entry, private))
    return entries


def opened(**head: Any) -> bytes:
    claim = {"key": EDGE.public_key().public_bytes_raw().hex()} | head
    return seal(Entry("witness", RUN, 0, FIRST, OPENED, RUN, 0, {"processes": {"edge-1": claim}}), WITNESS)


def check(entries: list[bytes], *, first: bytes | None = None) -> list[Gap]:
    chains = Chains("witness", WITNESS.public_key().public_bytes_raw())
    for data in [first or opened(), *entries]:
        chains.take(parse_entry(data))
    return chains.gaps


def test_what_was_said_is_read_back_and_a_new_run_begins_anew() -> None:
    entries = said(3) + said(2, run=RUN + 60_000)
    assert check(entries) == []
    assert parse_entry(entries[1]).entry.body == {"joins": 1}


def test_what_is_longer_than_a_bundle_can_say_is_no_entry() -> None:
    entry = Entry("edge-1", RUN, 0, FIRST, "record", RUN, 0, {"text": "x" * ENTRY_BYTES_MAX})
    with pytest.raises(FlawError, match="at most 65535 bytes"):
        parse_entry(seal(entry, EDGE))


def _edited(entries: list[bytes]) -> list[bytes]:
    return [entries[0].replace(b'"joins":0', b'"joins":9'), *entries[1:]]


def _forged(entries: list[bytes]) -> list[bytes]:
    return [*entries[:3], said(4, private=Ed25519PrivateKey.generate())[3]]


def _replaced(entries: list[bytes]) -> list[bytes]:
    other = Entry("edge-1", RUN, 1, entry_digest(entries[0]), "record", RUN, 1_000, {"joins": 77})
    return [entries[0], seal(other, EDGE), *entries[2:]]


def _backwards(entries: list[bytes]) -> list[bytes]:
    return [*entries, seal(Entry("edge-1", RUN, 4, entry_digest(entries[3]), "record", RUN, 5, {}), EDGE)]


@pytest.mark.parametrize(
    ("tampered", "named"),
    [
        (_edited, "not signed by edge-1: edited"),
        (_forged, "not signed by edge-1: edited, or another key"),
        (lambda entries: [entries[0], entries[2], entries[1]], "repeated, or reordered"),
        (lambda entries: [entries[0], entries[0]], "repeated, or reordered"),
        (lambda entries: [*entries, entries[1]], "repeated, or reordered"),
        (_replaced, "that was replaced"),
        (_backwards, "went back"),
        (lambda entries: [entry.replace(b"edge-1", b"edge-9") for entry in entries], "no key of edge-9"),
    ],
)
def test_p9_each_tampering_is_named(tampered: Any, named: str) -> None:
    with pytest.raises(FlawError, match=named):
        check(tampered(said(4)))


def test_p9_what_is_missing_is_told_and_not_closed_up() -> None:
    entries = said(5)
    assert check([entries[0], *entries[3:]]) == [Gap("edge-1", 2, 2)]
    assert check(entries[1:]) == [Gap("edge-1", 1, 1)]
    assert check(entries + said(3, run=RUN + 60_000)[1:]) == [Gap("edge-1", 6, 1)]


def test_a_log_that_begins_in_mid_run_says_where_it_came_in() -> None:
    entries = said(5)
    head = {"run": RUN, "seq": 1, "digest": entry_digest(entries[1])}
    assert check(entries[2:], first=opened(**head)) == []
    assert check(entries[3:], first=opened(**head)) == [Gap("edge-1", 1, 1)]
    with pytest.raises(FlawError, match="that was replaced"):
        check(entries[2:], first=opened(**head | {"digest": entry_digest(b"another")}))


@pytest.mark.parametrize(
    "value",
    [
        [], {}, {"said": {}, "sig": ""}, {"said": [], "sig": ""},
        {"said": {"who": "a", "run": 1, "seq": True, "prev": "", "kind": "", "wall_ms": 1, "mono_ms": 1,
                  "body": {}}, "sig": ""},
        {"said": {"who": "a", "run": 1, "seq": 1, "prev": "", "kind": "", "wall_ms": 1, "mono_ms": 1,
                  "body": []}, "sig": ""},
        {"said": {"who": "a", "run": 1, "seq": 1, "prev": "", "kind": "", "wall_ms": 1, "mono_ms": 1,
                  "body": {}}, "sig": "é"},
    ],
)  # fmt: skip
def test_what_is_no_entry_is_said_to_be_none(value: Any) -> None:
    with pytest.raises(FlawError):
        parse_entry(canonical(value))


def test_a_signature_of_the_wrong_length_is_one_that_is_not_theirs() -> None:
    data = said(1)[0]
    signature = b64encode(parse_entry(data).signature)
    with pytest.raises(FlawError, match="not signed"):
        check([data.replace(signature, b64encode(b"short"))])


@given(st.binary(max_size=200))
def test_no_bytes_end_a_reader_otherwise_than_with_a_flaw(data: bytes) -> None:
    for whole in (data, said(1)[0][:100] + data):
        with pytest.raises(FlawError):
            parse_entry(whole)
