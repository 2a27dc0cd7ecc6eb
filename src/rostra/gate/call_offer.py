"""What a telephone offers and what it is answered (RFC 8866, RFC 3264): one line of sound, Opus or G.711. Pure."""

import ipaddress
from dataclasses import dataclass
from typing import Final

from aiosipua import SdpMessage, SdpNegotiationError, negotiate_sdp, parse_sdp

from rostra.audio.g711 import Law
from rostra.core.errors import BadInputError
from rostra.gate.line import Codec

_STATIC_TYPES: Final = {0: Law.MU, 8: Law.A}  # RFC 3551 §6, table 4


@dataclass(frozen=True, slots=True)
class Agreed:
    """An offer, answered."""

    answer: SdpMessage
    codec: Codec
    sound: tuple[str, int]  # where the caller's SDP says that it listens


def agree(text: str, *, address: str, port: int) -> Agreed:
    """The answer to an offer: Opus before G.711 as the caller prefers it. BadInputError if nothing fits."""
    try:
        offer = parse_sdp(text)
        sound = offer.rtp_address
        assert offer.audio is not None
        assert sound is not None
        ipaddress.IPv4Address(sound[0])  # a name would be looked up for each packet
    except Exception as error:  # the library tells bad SDP by any exception
        raise BadInputError("This is no SDP with a line of audio and an IPv4 address.") from error
    if offer.audio.proto not in {"RTP/AVP", "RTP/AVPF"} or not 0 < sound[1] < 1 << 16:
        raise BadInputError("Offer plain RTP/AVP.")
    named = {codec.payload_type: (codec.encoding_name.lower(), codec.clock_rate) for codec in offer.audio.codecs}
    opus = [number for number, name in named.items() if name == ("opus", 48_000)]
    keys = next((number for number, name in named.items() if name == ("telephone-event", 8_000)), None)
    try:
        answer, chosen = negotiate_sdp(
            offer, address, port, supported_codecs=opus or list(_STATIC_TYPES), dtmf_payload_type=keys or 0
        )
    except SdpNegotiationError as error:
        raise BadInputError("Offer Opus, PCMA or PCMU.") from error
    assert answer.audio is not None
    answer.audio.attributes["ptime"] = ["20"]
    if opus:  # RFC 7587 §7: always two channels in the map
        answer.audio.attributes["rtpmap"][0] = f"{chosen} opus/48000/2"
        answer.audio.attributes.setdefault("fmtp", []).insert(0, f"{chosen} useinbandfec=1;stereo=0;usedtx=0")
    return Agreed(answer, Codec(chosen, None if opus else _STATIC_TYPES[chosen], keys), sound)
