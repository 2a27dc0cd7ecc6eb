"""The RTP of one call (RFC 3550, RFC 3551): packets into our jitter buffer, keys out, and a packet back each 20 ms.

Only packets from where the call came from, or where its SDP said that it would speak from, are looked at; sound is
sent only to where some came from, or to the caller's own address, so that nobody can have it poured over another
(RFC 8445 §19.5.1, the "voice hammer"). Everything else is counted and forgotten.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple, cast

from aiortp import RtpPacket
from aiortp.dtmf import DtmfEvent

from rostra.audio.frame import Frame
from rostra.audio.g711 import G711Decoder, G711Encoder, Law
from rostra.audio.jitter import Decoder, JitterBuffer
from rostra.audio.opus import OpusDecoder, OpusEncoder
from rostra.core.limits import RTP_BYTES_MAX
from rostra.core.units import FRAME_NS, SAMPLE_RATE_HZ, SECOND_NS
from rostra.gate.arrival import Arrival

_KEYS: Final = "0123456789*#"  # events 0 to 11 (RFC 4733 §3.2, table 3); A to D are no telephone's
_OWN_SOUND_BPS: Final = 32_000  # prompts and music to callers with Opus
_QUIET_S: Final = 0.2  # so long must a source have been silent before another is taken for its successor
_SEQUENCES: Final = 1 << 16
_TIMESTAMPS: Final = 1 << 32
TELEPHONE_HZ: Final = 8_000


@dataclass(frozen=True, slots=True)
class Codec:
    """What an offer and its answer agreed on; `law` is None for Opus. `keys` is the type of RFC 4733's packets."""

    payload_type: int
    law: Law | None
    keys: int | None

    @property
    def clock_hz(self) -> int:
        return SAMPLE_RATE_HZ if self.law is None else TELEPHONE_HZ


@dataclass(frozen=True, slots=True)
class Peers:
    """Where a call came from, and what its SDP says about its sound."""

    signalled: str  # IP address
    sound: tuple[str, int]


class _Source(NamedTuple):
    """Who speaks: from one address may come many streams, of which one is the caller."""

    address: tuple[str, int]
    ssrc: int


class Line(asyncio.DatagramProtocol):
    """A datagram endpoint of one call; `pressed` is told each key as it goes down."""

    def __init__(self, codec: Codec, peers: Peers, pressed: Callable[[str], None]) -> None:
        self.codec = codec
        self._pressed = pressed
        self._transport: asyncio.DatagramTransport | None = None
        decoder: Decoder = OpusDecoder() if codec.law is None else G711Decoder(codec.law)
        self._decoder = decoder
        self.buffer = JitterBuffer(decoder, clock_hz=codec.clock_hz)
        self._encoder = OpusEncoder(_OWN_SOUND_BPS) if codec.law is None else G711Encoder(codec.law)
        self._source: _Source | None = None
        self._heard_s = 0.0
        self._listening = False
        self._key_at: int | None = None  # timestamp of the newest key
        self._ssrc = secrets.randbits(32)
        self._sequence = secrets.randbits(15)  # RFC 3550 §5.1: below 2^15, the first wrap is far
        self._timestamp = secrets.randbits(32)
        self.takes_opus = codec.law is None
        self.foreign = 0
        self.malformed = 0
        self.moved(peers)

    def moved(self, peers: Peers) -> None:
        """The caller speaks from elsewhere now (a re-INVITE)."""
        self._welcome = {peers.signalled, peers.sound[0]}
        self._to = peers.sound if peers.sound[0] == peers.signalled else None

    # --- the caller's sound ---------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if addr[0] not in self._welcome or len(data) > RTP_BYTES_MAX:
            self.foreign += 1
            return
        try:
            packet = RtpPacket.parse(data)
        except (ValueError, IndexError):
            self.malformed += 1
            return
        if packet.payload_type == self.codec.keys:
            self._take_key(packet)
        elif packet.payload_type == self.codec.payload_type and packet.payload:
            self._take_sound(packet, (addr[0], addr[1]))
        else:
            self.malformed += 1  # comfort noise (RFC 3389) too: silence needs no help

    def _take_sound(self, packet: RtpPacket, addr: tuple[str, int]) -> None:
        now_s = time.monotonic()
        source = _Source(addr, packet.ssrc)
        if source != self._source:
            if self._source is not None and now_s - self._heard_s < _QUIET_S:
                self.foreign += 1
                return
            self._source = source  # the first, or the call was handed on: other timestamps
            self._renew_buffer()
        self._heard_s = now_s
        self._to = addr  # RFC 4961: where it speaks from it listens
        if self._listening:
            self.buffer.add(packet.timestamp, packet.payload, arrived_s=now_s)

    def _renew_buffer(self) -> None:
        provenance = self.buffer.provenance
        self.buffer = JitterBuffer(self._decoder, clock_hz=self.codec.clock_hz)
        self.buffer.provenance = provenance

    def _take_key(self, packet: RtpPacket) -> None:
        try:
            event = DtmfEvent.parse(packet.payload)
        except ValueError:
            self.malformed += 1
            return
        if packet.timestamp != self._key_at and event.event < len(_KEYS):
            self._key_at = packet.timestamp  # RFC 4733 §2.5.1.3: one event, however often its packets come
            self._pressed(_KEYS[event.event])

    def error_received(self, exc: Exception) -> None:
        """ICMP says that nobody listens there: a caller may come back, and hangs up by SIP."""

    def listen(self) -> None:
        """From now on what the caller says is kept: somebody pulls it."""
        self._listening = True

    @property
    def local_port(self) -> int:
        assert self._transport is not None
        return int(self._transport.get_extra_info("sockname")[1])

    def pull(self) -> Frame | None:
        return self.buffer.pull()

    @property
    def arrival(self) -> Arrival:
        return Arrival("telephone", self.codec.law or "opus", self.buffer)

    # --- what the caller hears ------------------------------------------------------------------------

    def send_frame(self, frame: Frame) -> None:
        self._send(self._encoder.encode(frame))

    def send_opus(self, payload: bytes) -> None:
        assert self.takes_opus
        self._send(payload)

    def _send(self, payload: bytes) -> None:
        packet = RtpPacket(
            payload_type=self.codec.payload_type,
            sequence_number=self._sequence,
            timestamp=self._timestamp,
            ssrc=self._ssrc,
            payload=payload,
        )
        self._sequence = (self._sequence + 1) % _SEQUENCES
        self._timestamp = (self._timestamp + self.codec.clock_hz * FRAME_NS // SECOND_NS) % _TIMESTAMPS
        if self._to is not None and self._transport is not None:
            self._transport.sendto(packet.serialize(), self._to)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
