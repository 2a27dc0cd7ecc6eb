"""Signatures: who checks them makes no difference to what is found."""

from collections.abc import Callable, Container, Iterable
from contextlib import closing

import pytest

from ledger_kit import key_of
from rostra.verifier.errors import FlawError
from rostra.verifier.signatures import AtOnce, Beside, Signature, Signatures

EDGE = key_of("edge-1")


def signed(seq: int, *, falsely: bool = False) -> Signature:
    said = f"entry {seq}".encode()
    key = EDGE.public_key().public_bytes_raw()
    return Signature("edge-1", seq, key, EDGE.sign(b"another" if falsely else said), said)


def take_all(signatures: Signatures, entries: Iterable[int], false: Container[int] = ()) -> None:
    for seq in entries:
        signatures.take(signed(seq, falsely=seq in false))
    signatures.settle()


@pytest.mark.parametrize("check", [AtOnce, Beside])
def test_p9_the_first_false_signature_is_named_and_true_ones_pass(check: Callable[[], Signatures]) -> None:
    with closing(check()) as signatures:
        take_all(signatures, range(600))
        with pytest.raises(FlawError, match=r"Entry 700 of edge-1 is not signed by edge-1"):
            take_all(signatures, range(600, 1_200), false={700, 1_100})
        signatures.settle()
