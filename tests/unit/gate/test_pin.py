"""A PIN opens what it was made for and nothing else."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from rostra.gate.pin import DIGITS, Access, CallerRole, access_of, every_access, pin_of

KEY = bytes(range(32))
EVENING = [f"evening-{number}" for number in range(20)]


def test_every_pin_has_eight_digits_and_opens_its_own_place_only() -> None:
    for access in every_access("evening-3"):
        pin = pin_of(access, key=KEY)
        assert len(pin) == DIGITS
        assert pin.isdecimal()
        assert access_of(pin, conversations=EVENING, key=KEY) == access


def test_a_pin_opens_nothing_with_another_key_or_when_its_conversation_is_not_open() -> None:
    pin = pin_of(Access("evening-3", CallerRole.SPEAKER, 1), key=KEY)
    assert access_of(pin, conversations=EVENING, key=bytes(32)) is None
    assert access_of(pin, conversations=EVENING[4:], key=KEY) is None


@given(st.text(max_size=12))
def test_no_text_that_is_no_pin_opens_anything(text: str) -> None:
    known = {pin_of(access, key=KEY) for name in EVENING for access in every_access(name)}
    assert text in known or access_of(text, conversations=EVENING, key=KEY) is None


def test_a_pin_that_two_conversations_share_opens_neither() -> None:
    seen: dict[str, Access] = {}
    names = (f"talk-{number}" for number in itertools.count())
    while True:  # 14 PINs each out of 10^8: a pair within about 1,000 conversations
        name = next(names)
        for access in every_access(name):
            other = seen.setdefault(pin_of(access, key=KEY), access)
            if other.conversation != name:
                both = [other.conversation, name]
                assert access_of(pin_of(access, key=KEY), conversations=both, key=KEY) is None
                assert access_of(pin_of(access, key=KEY), conversations=[name], key=KEY) == access
                return


def test_speakers_sit_on_seats_of_their_own() -> None:
    speakers = [access for access in every_access("evening") if access.role is CallerRole.SPEAKER]
    assert len({access.person for access in speakers}) == len(speakers) == 13
