"""Offers are read as browsers write them, and answers ask for what a bad network needs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rostra.core.errors import BadInputError
from rostra.gate.sdp import Offer, improve_answer, read_offer

# Chromium 156, shortened.
CHROMIUM = """v=0
o=- 4611731400430051336 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126
c=IN IP4 0.0.0.0
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:63 red/48000/2
a=fmtp:63 111/111
a=rtpmap:0 PCMU/8000
""".replace("\n", "\r\n")
ANSWER = """v=0
m=audio 40000 UDP/TLS/RTP/SAVPF 111
a=rtpmap:111 opus/48000/2
a=candidate:1 1 udp 2130706431 10.0.0.5 40000 typ host
a=candidate:2 1 udp 1694498815 198.51.100.7 40000 typ srflx raddr 10.0.0.5 rport 40000
""".replace("\n", "\r\n")


def test_a_browsers_offer_is_read() -> None:
    assert read_offer(CHROMIUM) == Offer(opus=111, red=63, sends=True, receives=True)
    assert read_offer(CHROMIUM.replace("sendrecv", "sendonly")) == Offer(111, 63, sends=True, receives=False)
    assert read_offer(CHROMIUM.replace("\r\n", "\n")).red == 63


def test_red_that_carries_something_else_is_left_alone() -> None:
    assert read_offer(CHROMIUM.replace("a=fmtp:63 111/111", "a=fmtp:63 0/0")).red is None


def test_the_answer_asks_for_redundancy_first_and_for_correction() -> None:
    answer = improve_answer(ANSWER, read_offer(CHROMIUM), public_address=None)
    assert "m=audio 40000 UDP/TLS/RTP/SAVPF 63 111\r\n" in answer
    assert "a=fmtp:63 111/111\r\n" in answer
    assert "useinbandfec=1" in answer
    assert answer.endswith("\r\n")
    without = improve_answer(ANSWER, Offer(111, None, sends=True, receives=True), public_address=None)
    assert "red" not in without


def test_a_machine_behind_a_translation_names_the_address_that_others_reach() -> None:
    answer = improve_answer(ANSWER, read_offer(CHROMIUM), public_address="203.0.113.9")
    assert "2130706431 203.0.113.9 40000 typ host" in answer
    assert "198.51.100.7" in answer, "what a STUN server said is left as it is"
    assert "10.0.0.5 40000 typ host" in improve_answer(ANSWER, read_offer(CHROMIUM), public_address="2001:db8::1")


@pytest.mark.parametrize(
    ("offer", "said"),
    [
        ("", "v=0"),
        ("v=0\r\n", "one medium"),
        (CHROMIUM + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n", "one medium"),
        (CHROMIUM.replace("opus/48000/2", "opus/16000/1"), "Opus"),
        (CHROMIUM + "x" * 40_000, "at most"),
    ],
)
def test_any_other_offer_is_refused_in_words(offer: str, said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        read_offer(offer)


@given(st.text(max_size=300))
def test_garbage_is_refused_and_nothing_else_happens(text: str) -> None:
    for offer in (text, "v=0\n" + text, "v=0\nm=audio 9 X 1\na=rtpmap:" + text):
        try:
            read_offer(offer)
        except BadInputError:
            continue
