"""A witness of other people's logs (C2SP tlog-witness): it never signs two histories, whatever it is told."""

from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_kit import LOG_KEY, ORIGIN, key_of, signed_note
from rostra.core.errors import BadInputError
from rostra.verifier.note import Algorithm, Checkpoint, note_key, parse_checkpoint, parse_note, signers
from rostra.verifier.tree import EMPTY_ROOT, Tree, leaf_hash
from rostra.witness.cosigner import SIZE_TYPE, Answer, Cosigner

NAME = "witness.example"
PRIVATE = key_of("cosigner")
KEY = note_key(NAME, PRIVATE, Algorithm.COSIGNATURE)
NOW_S = 1_723_485_600


def tree(size: int, *, other_from: int = 1_000) -> Tree:
    grown = Tree()
    for index in range(size):
        grown.append(leaf_hash(f"{index}{'!' if index >= other_from else ''}".encode()))
    return grown


def note(grown: Tree, size: int | None = None) -> bytes:
    size = len(grown) if size is None else size
    return signed_note(str(Checkpoint(ORIGIN, size, grown.root(size))))


def asked(old: int, grown: Tree, size: int | None = None, *, proof: list[bytes] | None = None) -> bytes:
    size = len(grown) if size is None else size
    if proof is None:
        proof = grown.consistency(old, size) if 0 < old <= size else []
    lines = [f"old {old}", *(b64encode(each).decode() for each in proof)]
    return "".join(f"{line}\n" for line in lines).encode() + b"\n" + note(grown, size)


@pytest.fixture
def cosigner(tmp_path: Path) -> Iterator[Cosigner]:
    made = Cosigner(tmp_path / "state", NAME, PRIVATE, {ORIGIN: LOG_KEY})
    yield made
    made.close()


def add(cosigner: Cosigner, body: bytes) -> Answer:
    return cosigner.add(body, now_s=NOW_S)


def test_what_grows_is_cosigned_and_the_newest_can_be_fetched(cosigner: Cosigner) -> None:
    grown = tree(9)
    for old, size in ((0, 3), (3, 3), (3, 9)):
        answer = add(cosigner, asked(old, grown, size))
        assert answer.status == HTTPStatus.OK, answer
        signed = parse_note(note(grown, size) + answer.text.encode())
        assert signers(signed, [KEY, LOG_KEY]) == {KEY: NOW_S, LOG_KEY: None}
    kept = cosigner.latest(sha256(ORIGIN.encode()).hexdigest())
    assert kept is not None
    assert signers(parse_note(kept), [KEY, LOG_KEY]).keys() == {KEY, LOG_KEY}
    assert parse_checkpoint(parse_note(kept)).size == 9
    assert cosigner.latest(sha256(b"other").hexdigest()) is None
    assert cosigner.latest("../lock") is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", HTTPStatus.BAD_REQUEST),
        (b"old 03\n\n" + note(tree(5)), HTTPStatus.BAD_REQUEST),
        (b"old 3\nnot base64\n\n" + note(tree(5)), HTTPStatus.BAD_REQUEST),
        (asked(3, tree(5), proof=[bytes(32)] * 64), HTTPStatus.BAD_REQUEST),
        (asked(3, tree(2), proof=[]), HTTPStatus.BAD_REQUEST),
        (asked(3, tree(5)).replace(b"example.org/rostra", b"example.net/rostra"), HTTPStatus.NOT_FOUND),
        (asked(3, tree(5)).replace(b"\n5\n", b"\n6\n"), HTTPStatus.FORBIDDEN),
        (asked(0, tree(5)), HTTPStatus.CONFLICT),
        (asked(4, tree(5)), HTTPStatus.CONFLICT),
        (asked(3, tree(5), proof=[]), HTTPStatus.UNPROCESSABLE_ENTITY),
        (asked(3, tree(5), proof=[bytes(32)] * 2), HTTPStatus.UNPROCESSABLE_ENTITY),
        (asked(3, tree(5, other_from=2)), HTTPStatus.UNPROCESSABLE_ENTITY),
        (asked(3, tree(3, other_from=2)), HTTPStatus.UNPROCESSABLE_ENTITY),
    ],
)
def test_whatever_does_not_follow_gets_the_status_of_the_specification(
    cosigner: Cosigner, body: bytes, status: HTTPStatus
) -> None:
    add(cosigner, asked(0, tree(3)))
    answer = add(cosigner, body)
    assert answer.status == status
    assert "—" not in answer.text
    if status == HTTPStatus.CONFLICT:
        assert (answer.text, answer.media_type) == ("3\n", SIZE_TYPE)
    assert add(cosigner, asked(3, tree(5))).status == HTTPStatus.OK  # nothing was changed by it


def test_an_empty_log_has_the_empty_root(cosigner: Cosigner) -> None:
    false = signed_note(str(Checkpoint(ORIGIN, 0, bytes(32))))
    assert add(cosigner, b"old 0\n\n" + false).status == HTTPStatus.UNPROCESSABLE_ENTITY
    true = signed_note(str(Checkpoint(ORIGIN, 0, EMPTY_ROOT)))
    assert add(cosigner, b"old 0\n\n" + true).status == HTTPStatus.OK


def test_p9_who_starts_again_signs_no_other_history(tmp_path: Path) -> None:
    first = Cosigner(tmp_path, NAME, PRIVATE, {ORIGIN: LOG_KEY})
    add(first, asked(0, tree(5)))
    with pytest.raises(BadInputError, match="Another process"):
        Cosigner(tmp_path, NAME, PRIVATE, {ORIGIN: LOG_KEY})
    first.close()
    again = Cosigner(tmp_path, NAME, PRIVATE, {ORIGIN: LOG_KEY})
    other = tree(7, other_from=4)
    assert add(again, asked(0, other)).status == HTTPStatus.CONFLICT
    assert add(again, asked(5, other)).status == HTTPStatus.UNPROCESSABLE_ENTITY
    again.close()
    (state,) = tmp_path.glob("[0-9a-f]*[0-9a-f]")
    state.write_bytes(b"half of it")
    with pytest.raises(BadInputError, match="cannot be read"):
        Cosigner(tmp_path, NAME, PRIVATE, {ORIGIN: LOG_KEY})


def test_p9_what_the_disk_does_not_keep_is_not_signed(cosigner: Cosigner, tmp_path: Path) -> None:
    (tmp_path / "state").rename(tmp_path / "gone")
    with pytest.raises(OSError, match="No such file"):
        add(cosigner, asked(0, tree(3)))
    (tmp_path / "gone").rename(tmp_path / "state")
    assert add(cosigner, asked(0, tree(4))).status == HTTPStatus.OK


@given(st.binary(max_size=400))
def test_whatever_is_sent_is_answered(data: bytes) -> None:
    nobody = Cosigner.__new__(Cosigner)
    nobody.__dict__.update(_logs={})
    assert nobody.add(data, now_s=0).status in {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}
