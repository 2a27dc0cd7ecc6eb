"""Receipts: what listeners sign, an edge promises, and nobody leaves out unseen."""

import json
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger_kit import LOG_KEY, key_of, written
from receipt_kit import HEARD, Edge, receipt
from rostra.core.limits import JOIN_RECEIPTS_PER_SECOND_MAX, RECEIPTS_PER_MINUTE_MAX
from rostra.edge.receipts import JOIN
from rostra.verifier.canonical import canonical
from rostra.verifier.checks.receipts import Shown, parse_shown
from rostra.verifier.entry import Entry, seal
from rostra.verifier.errors import FlawError
from rostra.verifier.receipt import KEPT_MAX, PURPOSE, RECEIPT_BYTES_MAX, RECEIPTS, parse_receipt
from rostra.verifier.source import Folder
from rostra.verifier.step import Outcome, Step
from rostra.verifier.tiles import ENTRY_BYTES_MAX
from rostra.verifier.verify import Trust, verify


def found(log: Folder, shown: list[Shown] | None = None) -> list[Step]:
    return [step for step in verify(log, Trust(LOG_KEY, receipts=shown or ())) if step.name == "receipts"]


def test_p9_what_listeners_heard_agrees_with_the_edges_and_all_that_was_promised_is_there(tmp_path: Path) -> None:
    edge = Edge().take(*(receipt(number) for number in range(60)))
    (body,) = edge.said()
    assert isinstance(body["kept"], list)
    assert len(body["kept"]) == KEPT_MAX
    agrees, here = found(edge.log(tmp_path, body), edge.shown)
    assert (agrees.outcome, agrees.found) == (
        Outcome.PASS,
        "40 of 40 listeners heard something in time (60 receipts), which 100.0 % allows",
    )
    assert (here.outcome, here.found) == (Outcome.PASS, "all 60 that were shown are in the log")


def test_p9_listeners_who_heard_nothing_contradict_edges_and_are_no_proof(tmp_path: Path) -> None:
    edge = Edge().take(*(receipt(number, chunks=0) for number in range(20)))
    (step,) = found(edge.log(tmp_path, *edge.said()))
    assert (step.outcome, "contradiction, no proof" in step.found) == (Outcome.INCOMPLETE, True)


def test_p9_a_receipt_that_was_promised_and_left_out_is_named(tmp_path: Path) -> None:
    edge = Edge().take(receipt(1), receipt(2))
    (body,) = edge.said()
    digests, kept = body["digests"], body["kept"]
    assert isinstance(digests, list)
    assert isinstance(kept, list)
    (step,) = found(edge.log(tmp_path, body | {"digests": digests[1:], "kept": kept[1:]}), edge.shown)[1:]
    assert step.outcome is Outcome.FAIL
    assert step.found == f"edge-1 had promised the receipt {digests[0]}, and it was left out."


def test_what_nobody_promised_or_a_dead_edge_did_is_told(tmp_path: Path) -> None:
    edge = Edge().take(receipt(1))
    entries = written(tmp_path / "dead", edge.evening.go_on(20).entries)
    (step,) = found(Folder(entries), edge.shown)
    assert (step.outcome, "said nothing more" in step.found) == (Outcome.INCOMPLETE, True)
    edge.saved[0]["promise"] = None
    (step,) = found(edge.log(tmp_path / "log"), edge.shown)
    assert (step.outcome, "no edge had promised it" in step.found) == (Outcome.INCOMPLETE, True)


def test_p9_an_edge_that_chooses_which_receipts_it_shows_is_named(tmp_path: Path) -> None:
    edge = Edge().take(*(receipt(number) for number in range(60)))
    (body,) = edge.said()
    assert isinstance(body["kept"], list)
    (step,) = found(edge.log(tmp_path, body | {"kept": body["kept"][1:]}))
    assert (step.outcome, "kept other receipts" in step.found) == (Outcome.FAIL, True)


def test_an_edge_that_does_not_say_how_many_it_refused_is_a_flaw(tmp_path: Path) -> None:
    edge = Edge().take(receipt(1))
    (body,) = edge.said()
    (step,) = found(edge.log(tmp_path, body | {"refused": None}))
    assert (step.outcome, "how many were refused" in step.found) == (Outcome.FAIL, True)


def test_a_promise_that_the_edge_did_not_sign_is_a_flaw(tmp_path: Path) -> None:
    edge = Edge().take(receipt(1))
    edge.saved[0]["promise"]["minute"] += 1
    (step,) = found(edge.log(tmp_path), edge.shown)
    assert (step.outcome, "is not signed by edge-1" in step.found) == (Outcome.FAIL, True)


def test_a_browser_without_ed25519_signs_with_p256() -> None:
    key = generate_private_key(SECP256R1())
    r, s = decode_dss_signature(key.sign(PURPOSE + canonical(HEARD), ECDSA(SHA256())))
    public = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    sig = r.to_bytes(32) + s.to_bytes(32)
    whole = {"heard": HEARD, "key": b64encode(public).decode(), "sig": b64encode(sig).decode()}
    assert parse_receipt(canonical(whole)).heard == HEARD
    with pytest.raises(FlawError, match="not signed"):
        parse_receipt(canonical(whole | {"heard": HEARD | {"chunks": 1}}))


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{}", receipt(1)[:-1], b" " + receipt(1), receipt(1, chunks=-1), receipt(1, more=1),
        receipt(1, edge=1), receipt(1, edge="e" * 800), receipt(1, edge='"'), receipt(1, edge="\0"),
        receipt(1).replace(b'"gaps":0', b'"gaps":9'),
        canonical({"heard": 1, "key": 1, "sig": 1}),
    ],
)  # fmt: skip
def test_what_is_no_receipt_is_a_flaw(text: bytes) -> None:
    with pytest.raises(FlawError):
        parse_receipt(text)


def test_an_edge_takes_one_of_each_listener_and_minute_and_only_so_many() -> None:
    edge = Edge().take(receipt(1))
    with pytest.raises(FlawError, match="one of each minute"):
        edge.take(receipt(1, chunks=5))
    with pytest.raises(FlawError, match="of this conversation"):
        edge.take(receipt(2, conversation="another"))
    for number in range(3, RECEIPTS_PER_MINUTE_MAX):
        assert edge.receipts.take("evening", receipt(number), now_ms=edge.evening.wall_ms) is not None
    assert edge.receipts.take("evening", receipt(5_000), now_ms=edge.evening.wall_ms) is None
    (body,) = edge.said()
    assert body["refused"] == 3
    assert len(canonical(body)) < 60_000, "an entry has 65,535 bytes"
    assert edge.said() == []


def test_p9_a_minute_of_the_longest_receipts_fits_into_an_entry() -> None:
    room = RECEIPT_BYTES_MAX - len(receipt(1, edge=""))
    edge = Edge()
    for number in range(RECEIPTS_PER_MINUTE_MAX):
        edge.take(receipt(number, edge="\x7f" * room))
    with pytest.raises(FlawError):
        parse_receipt(receipt(1, edge="e" * (room + 1)))
    (body,) = edge.said()
    longest = Entry("e" * 64, 2**53 - 1, 2**53 - 1, "f" * 64, RECEIPTS, 2**53 - 1, 2**53 - 1, body)
    assert len(seal(longest, key_of("edge-1"))) < ENTRY_BYTES_MAX


@pytest.mark.parametrize(
    "saved",
    [b"1", b"{}", b"[]", b'{"promise":null,"receipt":null}', json.dumps({"receipt": receipt(1).decode()}).encode()],
)
def test_what_nobody_saved_from_a_page_is_a_flaw(saved: bytes) -> None:
    with pytest.raises(FlawError):
        parse_shown(saved)


def test_the_receipt_of_a_join_is_signed_by_the_edge_and_only_so_many_a_second() -> None:
    edge = Edge()
    given = edge.receipts.joined("full", "0" * 32, "evening", now_ms=1_000)
    assert given is not None
    said, sig = (b64decode(part) for part in given.split("."))
    assert json.loads(said)["outcome"] == "full"
    Ed25519PublicKey.from_public_bytes(key_of("edge-1").public_key().public_bytes_raw()).verify(sig, JOIN + said)
    signed = [edge.receipts.joined("full", "0" * 32, "evening", now_ms=1_500) for _ in range(60)]
    assert sum(each is not None for each in signed) == JOIN_RECEIPTS_PER_SECOND_MAX - 1
    assert edge.receipts.joined("full", "0" * 32, "evening", now_ms=2_000) is not None
