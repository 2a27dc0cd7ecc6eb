"""P8: only who was invited comes on the stage."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.core.invitation import Invitation, sign, verify
from rostra.core.roster import StageRole

KEY = bytes(range(32))
ANN = Invitation("evening", "00112233445566ff", StageRole.HOST, expires_s=1_000, green=True)


@pytest.mark.parametrize("role", [None, *StageRole])
def test_what_was_signed_is_read_back(role: StageRole | None) -> None:
    invitation = Invitation("evening", "00112233445566ff", role, expires_s=1_000)
    text = sign(invitation, key=KEY)
    assert verify(text, conversation="evening", key=KEY, now_s=1_000) == invitation
    assert text.isprintable()
    assert "=" not in text, "it stands in a link"


def test_p8_an_invitation_holds_for_one_conversation_until_it_expires() -> None:
    text = sign(ANN, key=KEY)
    assert verify(text, conversation="evening", key=KEY, now_s=999) == ANN
    assert verify(text, conversation="morning", key=KEY, now_s=999) is None
    assert verify(text, conversation="evening", key=KEY, now_s=1_001) is None
    assert verify(text, conversation="evening", key=KEY[::-1], now_s=999) is None


@given(st.integers(0, 30), st.integers(1, 255))
def test_p8_an_invitation_with_any_byte_changed_is_none(at: int, flip: int) -> None:
    from base64 import urlsafe_b64decode, urlsafe_b64encode

    text = sign(ANN, key=KEY)
    raw = bytearray(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    raw[at] ^= flip
    assert verify(urlsafe_b64encode(raw).decode(), conversation="evening", key=KEY, now_s=1) is None


@given(st.text(max_size=60))
def test_garbage_is_no_invitation(text: str) -> None:
    assert verify(text, conversation="evening", key=KEY, now_s=1) is None
