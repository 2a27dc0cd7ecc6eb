"""Keys come and go while what they have signed stays valid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.core.errors import BadInputError, ConflictError
from rostra.core.keys import KEYS_EVERY_S, Key, KeyRing, decode_keys, encode_keys, rotate
from rostra.core.limits import TICKET_KEYS_MAX
from rostra.core.ticket import LIFETIME_S, Ticket, TicketClass, sign, verify

FIRST = (Key(0, 0, b"a" * 32),)


def test_a_new_key_signs_only_when_everybody_has_had_the_time_to_learn_it() -> None:
    ring = KeyRing(*rotate(FIRST, b"b" * 32, now_s=1_000, lifetime_s=LIFETIME_S))
    assert ring.signing(now_s=1_000 + 5 * int(KEYS_EVERY_S)).id == 0
    assert ring.signing(now_s=1_000 + 6 * int(KEYS_EVERY_S)).id == 1
    assert KeyRing(*FIRST).signing(now_s=0).id == 0


@given(st.lists(st.integers(10, 3 * LIFETIME_S), min_size=1, max_size=40))
def test_whoever_has_a_ticket_keeps_it_to_its_end_however_often_keys_are_changed(pauses_s: list[int]) -> None:
    ring, now_s, given_out = KeyRing(*FIRST), 1_000_000, []
    for number, pause_s in enumerate(pauses_s):
        ticket = Ticket("evening", number.to_bytes(8, "big"), TicketClass.ANONYMOUS, now_s, now_s + LIFETIME_S)
        given_out.append((ticket, sign(ticket, keys=ring)))
        now_s += pause_s
        try:
            ring.keys = rotate(ring.keys, number.to_bytes(32, "big"), now_s=now_s, lifetime_s=LIFETIME_S)
        except ConflictError:
            assert len(ring.keys) == TICKET_KEYS_MAX
        for ticket, text in given_out:
            known = verify(text, conversation="evening", keys=ring, now_s=now_s)
            assert known == (ticket if ticket.expires_s >= now_s else None)


def test_a_ring_is_written_as_bytes_and_a_key_from_before_there_were_rings_is_read() -> None:
    keys = rotate(FIRST, b"b" * 32, now_s=1_000, lifetime_s=LIFETIME_S)
    assert decode_keys(encode_keys(keys)) == keys
    assert decode_keys(b"k" * 32) == (Key(0, 0, b"k" * 32),)
    for bad in (b"", b"short", encode_keys(keys)[:-1]):
        with pytest.raises(BadInputError):
            decode_keys(bad)
