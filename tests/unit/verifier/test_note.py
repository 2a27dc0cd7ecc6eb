"""Signed notes, checkpoints and cosignatures as C2SP has them; keys and a note of others are published ones."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from rostra.verifier.errors import FlawError
from rostra.verifier.note import (
    Algorithm,
    Checkpoint,
    cosignature,
    note_key,
    parse_checkpoint,
    parse_key,
    parse_note,
    signature,
    signers,
)

GO_SUMDB = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
# The example of golang.org/x/mod/sumdb/note, which signed-note took its form from.
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
LOG = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
WITNESS = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
TEXT = str(Checkpoint("example.org/rostra/evening", 7, bytes(32)))
LOG_KEY = note_key("example.org/rostra/evening", LOG)
WITNESS_KEY = note_key("witness.example.net", WITNESS, Algorithm.COSIGNATURE)


def signed(*lines: str, text: str = TEXT) -> bytes:
    return f"{text}\n{''.join(lines)}".encode()


def test_keys_and_notes_of_others_are_understood() -> None:
    assert str(parse_key(GO_SUMDB)) == GO_SUMDB
    peter = parse_key(PETER)
    assert signers(parse_note(PETERS_NOTE.encode()), [peter]) == {peter: None}


def test_a_log_and_a_witness_sign_and_strangers_are_let_pass() -> None:
    stranger = signature(TEXT, "stranger", Ed25519PrivateKey.generate())
    note = parse_note(
        signed(
            signature(TEXT, LOG_KEY.name, LOG),
            stranger,
            cosignature(TEXT, WITNESS_KEY.name, WITNESS, at_s=1_723_500_000),
        )
    )
    assert signers(note, [LOG_KEY, WITNESS_KEY]) == {LOG_KEY: None, WITNESS_KEY: 1_723_500_000}
    assert parse_checkpoint(note) == Checkpoint("example.org/rostra/evening", 7, bytes(32))


def test_a_changed_text_or_a_false_time_is_a_flaw_and_no_absence() -> None:
    line = signature(TEXT, LOG_KEY.name, LOG)
    with pytest.raises(FlawError, match="not theirs"):
        signers(parse_note(signed(line, text=TEXT.replace("7", "8"))), [LOG_KEY])
    early = cosignature(TEXT, WITNESS_KEY.name, WITNESS, at_s=100)
    late = cosignature(TEXT, WITNESS_KEY.name, WITNESS, at_s=101)
    assert early != late
    (_, _, raw), *_ = parse_note(signed(early)).signatures
    moved = b64encode(WITNESS_KEY.id + (101).to_bytes(8, "big") + raw[8:]).decode()
    with pytest.raises(FlawError, match="not theirs"):
        signers(parse_note(signed(f"— {WITNESS_KEY.name} {moved}\n")), [WITNESS_KEY])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"text only\n",
        b"text\n\n- name AAAAAAAA\n",
        "text\n\n— name notbase64!\n".encode(),
        "text\n\n— name AAAA\n".encode(),
        "text\n\n— name AAAAAAAA".encode(),
        "te\x07xt\n\n— name AAAAAAAA\n".encode(),
        b"\xff\n\n",
        b"x" * 1_000_001,
        signed(*[f"— n{n} AAAAAAAA\n" for n in range(101)]),
    ],
)
def test_what_is_no_note_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(FlawError):
        parse_note(data)


@pytest.mark.parametrize(
    "text", ["a\n", "\n7\nAA==\n", "a\n07\nAA==\n", "a\n-1\nAA==\n", "a\n7\nAA==\n", "a\n7\n%\n"]
)
def test_a_note_that_is_no_checkpoint_is_said_to_be_none(text: str) -> None:
    with pytest.raises(FlawError):
        parse_checkpoint(parse_note(signed(signature(text, "log", LOG), text=text)))


@pytest.mark.parametrize(
    "text", ["", "name", "name+aa", GO_SUMDB[:-2], GO_SUMDB.replace("033", "034"), "a b+1+AQ=="]
)
def test_a_key_that_is_none_is_said_to_be_none(text: str) -> None:
    with pytest.raises(FlawError):
        parse_key(text)


def test_a_name_with_a_plus_or_a_space_is_refused() -> None:
    for name in ("a+b", "a b", ""):
        with pytest.raises(FlawError, match="no name"):
            note_key(name, LOG)


@given(st.binary(max_size=400))
def test_no_bytes_end_a_reader_otherwise_than_with_a_flaw(data: bytes) -> None:
    for whole in (data, b"text\n\n" + data, signed() + data):
        try:
            signers(parse_note(whole), [LOG_KEY])
        except FlawError:
            continue
