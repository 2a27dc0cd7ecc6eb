"""Tickets are honoured exactly where, and as long as, they were meant to be."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.core.ticket import Ticket, TicketClass, sign, verify

KEY = bytes(range(32))
TICKET = Ticket("evening", b"listener", TicketClass.REGISTERED, 2_000_000_000)


@pytest.mark.parametrize("ticket_class", TicketClass)
def test_a_signed_ticket_is_honoured(ticket_class: TicketClass) -> None:
    ticket = Ticket("evening", b"12345678", ticket_class, 2_000_000_000)
    assert verify(sign(ticket, key=KEY), conversation="evening", key=KEY, now_s=1_900_000_000) == ticket


@pytest.mark.parametrize(
    ("conversation", "key", "now_s"),
    [("morning", KEY, 1), ("evening", bytes(32), 1), ("evening", KEY, 2_000_000_001)],
)
def test_a_ticket_for_elsewhere_of_another_key_or_too_old_is_refused(
    conversation: str, key: bytes, now_s: int
) -> None:
    assert verify(sign(TICKET, key=KEY), conversation=conversation, key=key, now_s=now_s) is None


@given(st.integers(0, 239), st.integers(0, 7))
def test_p8_a_ticket_with_one_bit_changed_is_refused(bit: int, shift: int) -> None:
    text = bytearray(sign(TICKET, key=KEY).encode())
    index = bit % len(text)
    text[index] ^= 1 << shift
    changed = text.decode("latin-1")
    assert verify(changed, conversation="evening", key=KEY, now_s=1) is None


@given(st.text(max_size=80))
def test_garbage_is_refused(text: str) -> None:
    assert verify(text, conversation="evening", key=KEY, now_s=1) is None
