"""Of what a telephone offers the best that we speak is taken, and the answer is what the RFCs want of it."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("aiosipua", reason="pip install rostra[telephone]")

from aiosipua import serialize_sdp

from rostra.audio.g711 import Law
from rostra.core.errors import BadInputError
from rostra.gate.call_offer import agree
from rostra.gate.line import Codec

HEAD = "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
EVENTS = "a=rtpmap:101 telephone-event/8000\r\n"
OPUS = "a=rtpmap:96 opus/48000/2\r\n"


@pytest.mark.parametrize(
    ("media", "codec"),
    [
        ("m=audio 4000 RTP/AVP 8\r\n", Codec(8, Law.A, None)),
        ("m=audio 4000 RTP/AVP 0 8 101\r\n" + EVENTS, Codec(0, Law.MU, 101)),
        ("m=audio 4000 RTP/AVP 18 3 8 0\r\n", Codec(8, Law.A, None)),
        ("m=audio 4000 RTP/AVP 8 0 96 101\r\n" + OPUS + EVENTS, Codec(96, None, 101)),
        ("m=audio 4000 RTP/AVP 8\r\nm=video 5000 RTP/AVP 97\r\n", Codec(8, Law.A, None)),
    ],
)
def test_opus_comes_before_g711_and_of_the_two_laws_the_callers_first(media: str, codec: Codec) -> None:
    agreed = agree(HEAD + media, address="198.51.100.1", port=40_000)
    assert agreed.codec == codec
    assert agreed.sound == ("192.0.2.7", 4_000)
    answer = serialize_sdp(agreed.answer)
    assert f"m=audio 40000 RTP/AVP {codec.payload_type}" in answer
    assert "c=IN IP4 198.51.100.1\r\n" in answer
    assert "a=ptime:20\r\n" in answer
    assert answer.count("m=") == media.count("m="), "every line of an offer is answered (RFC 3264 §6)"
    assert ("opus/48000/2" in answer) == (codec.law is None)


@pytest.mark.parametrize(
    "offer",
    [
        HEAD + "m=audio 4000 RTP/AVP 18\r\n",
        HEAD + "m=audio 0 RTP/AVP 8\r\n",
        HEAD + "m=audio 70000 RTP/AVP 8\r\n",
        HEAD + "m=audio 4000 RTP/SAVP 8\r\n",
        HEAD + "m=video 4000 RTP/AVP 8\r\n",
        HEAD.replace("c=IN IP4 192.0.2.7", "c=IN IP6 2001:db8::1") + "m=audio 4000 RTP/AVP 8\r\n",
        HEAD.replace("c=IN IP4 192.0.2.7\r\n", "") + "m=audio 4000 RTP/AVP 8\r\n",
        "",
    ],
)
def test_what_cannot_be_answered_is_refused(offer: str) -> None:
    with pytest.raises(BadInputError):
        agree(offer, address="198.51.100.1", port=40_000)


@given(st.text(max_size=200), st.integers(0, 200))
def test_garbage_is_refused_or_answered_and_nothing_else(rest: str, cut: int) -> None:
    whole = HEAD + "m=audio 4000 RTP/AVP 8 96\r\n" + OPUS
    for offer in (rest, whole[:cut] + rest, whole + "a=" + rest):
        with suppress(BadInputError):
            agree(offer, address="198.51.100.1", port=40_000)
