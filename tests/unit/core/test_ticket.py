"""Tickets, passes and places are honoured exactly where, and as long as, they were meant to be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.core.keys import Key, KeyRing
from rostra.core.ticket import (
    Place,
    Ticket,
    TicketClass,
    sign,
    sign_pass,
    sign_place,
    verify,
    verify_pass,
    verify_place,
)

KEYS = KeyRing(Key(7, 0, bytes(range(32))))
TICKET = Ticket("evening", b"listener", TicketClass.REGISTERED, 1_000_000_000, 2_000_000_000, cap_kbps=32)
PLACE = Place(
    "evening",
    b"listener",
    TicketClass.ANONYMOUS,
    1_900_000_000_123,
    1_900_000_000,
    1_900_000_060,
    1_899_999_990_456,
)


@pytest.mark.parametrize("ticket_class", TicketClass)
def test_a_signed_ticket_is_honoured(ticket_class: TicketClass) -> None:
    ticket = Ticket("evening", b"12345678", ticket_class, 1_000_000_000, 2_000_000_000)
    assert verify(sign(ticket, keys=KEYS), conversation="evening", keys=KEYS, now_s=1_900_000_000) == ticket


@pytest.mark.parametrize(
    ("conversation", "keys", "now_s"),
    [
        ("morning", KEYS, 1),
        ("evening", KeyRing(Key(7, 0, bytes(32))), 1),
        ("evening", KeyRing(Key(8, 0, bytes(range(32)))), 1),
        ("evening", KEYS, 2_000_000_001),
    ],
)
def test_a_ticket_for_elsewhere_of_another_key_or_too_old_is_refused(
    conversation: str, keys: KeyRing, now_s: int
) -> None:
    assert verify(sign(TICKET, keys=KEYS), conversation=conversation, keys=keys, now_s=now_s) is None


def test_p8_a_pass_of_the_site_opens_no_stream_and_a_ticket_is_no_pass() -> None:
    known, admitted = sign_pass(TICKET, keys=KEYS), sign(TICKET, keys=KEYS)
    assert verify_pass(known, conversation="evening", keys=KEYS, now_s=1) == TICKET
    assert verify(known, conversation="evening", keys=KEYS, now_s=1) is None
    assert verify_pass(admitted, conversation="evening", keys=KEYS, now_s=1) is None
    assert verify_place(admitted, conversation="evening", keys=KEYS, now_s=1) is None


@given(st.integers(0, 239), st.integers(0, 7))
def test_p8_a_ticket_with_one_bit_changed_is_refused(bit: int, shift: int) -> None:
    text = bytearray(sign(TICKET, keys=KEYS).encode())
    index = bit % len(text)
    text[index] ^= 1 << shift
    changed = text.decode("latin-1")
    assert verify(changed, conversation="evening", keys=KEYS, now_s=1) is None


@given(st.text(max_size=80))
def test_garbage_is_refused(text: str) -> None:
    assert verify(text, conversation="evening", keys=KEYS, now_s=1) is None
    assert verify_place(text, conversation="evening", keys=KEYS, now_s=1) is None


def test_a_place_is_kept_until_its_holder_should_have_asked_again() -> None:
    text = sign_place(PLACE, keys=KEYS)
    for now_s, kept in ((PLACE.seen_s, PLACE), (PLACE.back_by_s, PLACE), (PLACE.back_by_s + 1, None)):
        assert verify_place(text, conversation="evening", keys=KEYS, now_s=now_s) == kept
    assert verify_place(text, conversation="morning", keys=KEYS, now_s=PLACE.seen_s) is None
