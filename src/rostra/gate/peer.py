"""One speaker's WebRTC connection. aiortc is the transport only: ICE, DTLS, SRTP, RTCP.

Its own jitter buffer and decoder break at 1 % loss, so received packets go around them into ours; and it speaks to
peers with ECDSA certificates only, while GStreamer has RSA. That takes names of aiortc that are not public;
tests/contract/test_aiortc.py watches over them, and the version is pinned.
"""

import asyncio
import time
from functools import cache
from typing import Any, Final, Literal

import structlog
from aiortc import MediaStreamTrack, RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcdtlstransport import RTCCertificate, SRTPProtectionProfile
from aiortc.rtcrtpreceiver import RTCRtpReceiver, StreamStatistics
from aiortc.rtp import RtpPacket
from aiortc.sdp import candidate_from_sdp
from OpenSSL import SSL
from pylibsrtp import Error as SrtpError

from rostra.audio.frame import Frame
from rostra.audio.jitter import JitterBuffer
from rostra.audio.opus import OpusDecoder
from rostra.audio.red import blocks
from rostra.core.errors import BadInputError
from rostra.core.units import SAMPLE_RATE_HZ
from rostra.gate.arrival import Arrival
from rostra.gate.return_stream import QuietTrack, ReturnStream
from rostra.gate.sdp import Offer, improve_answer, read_offer
from rostra.gate.transport import Transport

_log = structlog.get_logger()
_ANSWER_S: Final = 10.0  # gathering candidates asks STUN servers, which may not answer
# RFC 8827 §6.5: AES-128-GCM with forward secrecy; what older encoders need after it.
_CIPHERS: Final = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE+CHACHA20:ECDHE+AES128:ECDHE+AES256"
)


class _Certificate(RTCCertificate):
    """One that agrees with peers whose own is RSA, too."""

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        context = super()._create_ssl_context(srtp_profiles)
        context.set_cipher_list(_CIPHERS)
        return context


@cache
def _certificate() -> RTCCertificate:
    """The same for all peers of this process: a key pair for each would let a crowd spend our time."""
    return _Certificate.generateCertificate()


class Peer:
    """A speaker who comes through WebRTC: `pull` gives the next 20 ms, `offer` sends the next packet back.

    `lost` is set when the connection has failed or was closed, `connected` when sound can flow.
    """

    def __init__(self, transport: Transport | None = None) -> None:
        self._transport = transport or Transport()
        self.buffer = JitterBuffer(OpusDecoder())
        self.connected = asyncio.Event()
        self.lost = asyncio.Event()
        self.malformed = 0
        self._quiet = QuietTrack()
        self._returns: ReturnStream | None = None
        servers = [
            RTCIceServer(server.url, server.username, server.credential)
            for server in self._transport.servers(now_s=int(time.time()))
        ]
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=servers))
        private: Any = self._connection
        private._RTCPeerConnection__certificates = [_certificate()]  # noqa: SLF001
        self._connection.on("connectionstatechange", self._state_changed)
        self._connection.on("track", self._track_came)
        self._offer: Offer | None = None

    def pull(self) -> Frame | None:
        return self.buffer.pull()

    def offer(self, payload: bytes) -> None:
        if self._returns is not None and self.connected.is_set():
            self._returns.send(payload)

    @property
    def is_lossy(self) -> bool:
        return self._returns is not None and self._returns.is_lossy

    @property
    def arrival(self) -> Arrival:
        """Of the sound that is pulled. Once an offer was accepted."""
        assert self._offer is not None
        transport: Literal["webrtc", "whip"] = "webrtc" if self._offer.receives else "whip"
        return Arrival(transport, "opus" if self._offer.red is None else "opus with redundancy", self.buffer)

    async def accept(self, offer_text: str) -> str:
        """The answer to an offer. BadInputError if it cannot be answered."""
        self._offer = read_offer(offer_text)
        try:
            async with asyncio.timeout(_ANSWER_S):
                await self._connection.setRemoteDescription(RTCSessionDescription(offer_text, "offer"))
                if self._offer.receives:
                    self._returns = ReturnStream(self._connection.addTrack(self._quiet), self._offer.opus)
                await self._connection.setLocalDescription(await self._connection.createAnswer())
        except TimeoutError as error:
            raise BadInputError("No answer could be made in time: are the STUN servers reachable?") from error
        except (
            Exception
        ) as error:  # aiortc tells bad offers by any exception: AssertionError, ValueError, KeyError...
            await self.close()
            raise BadInputError(f"This offer cannot be answered: {str(error) or type(error).__name__}.") from error
        answer = self._connection.localDescription.sdp
        return improve_answer(answer, self._offer, public_address=self._transport.public_address)

    async def add_candidates(self, candidates: list[str]) -> None:
        """Further candidates (`candidate:...`, RFC 8839 §5.1) of the other side. BadInputError if they are none."""
        for text in candidates:
            try:
                candidate = candidate_from_sdp(text.removeprefix("candidate:"))
            except (AssertionError, ValueError, IndexError) as error:
                raise BadInputError(f"{text[:80]!r} is no candidate (RFC 8839 §5.1).") from error
            candidate.sdpMid = self._mid
            await self._connection.addIceCandidate(candidate)

    @property
    def _mid(self) -> str:
        return str(self._connection.getTransceivers()[0].mid)

    def restarts(self, ufrag: str) -> bool:
        """Whether a fragment of this ICE user would restart ICE, which aiortc cannot."""
        return self._offer is not None and ufrag not in {"", self._offer.ufrag}

    async def close(self) -> None:
        self._returns = None
        self._quiet.stop()
        await self._connection.close()
        self.lost.set()

    # --- what aiortc tells ------------------------------------------------------------------------------

    def _state_changed(self) -> None:
        state = self._connection.connectionState
        if state == "connected":
            self.connected.set()
        elif state in {"failed", "closed"}:
            self._returns = None
            self.lost.set()

    def _track_came(self, track: MediaStreamTrack) -> None:
        if track.kind != "audio":
            return
        (receiver,) = (each.receiver for each in self._connection.getTransceivers() if each.receiver.track is track)
        self._tap(receiver)

    def _tap(self, receiver: RTCRtpReceiver) -> None:
        """Have packets come to `_take` when they are read, instead of aiortc's queue, jitter buffer and decoder.

        The queue would be read a turn of the loop later, which a gate that makes up for a stall does not have.
        """
        private: Any = receiver
        streams: dict[int, StreamStatistics] = private._RTCRtpReceiver__remote_streams  # noqa: SLF001
        dtls = private.transport
        ice = dtls.transport._connection  # noqa: SLF001
        others = ice.data_received

        def received(datagram: bytes, component: int) -> None:
            srtp = dtls._rx_srtp  # noqa: SLF001
            if srtp is None or not _is_rtp(datagram):
                others(datagram, component)
                return
            try:
                packet = RtpPacket.parse(srtp.unprotect(datagram), dtls._rtp_header_extensions_map)  # noqa: SLF001
            except (SrtpError, ValueError):
                self.malformed += 1
                return
            if dtls._rtp_router.route_rtp(packet) is not receiver:  # noqa: SLF001
                return
            if packet.ssrc not in streams:
                streams[packet.ssrc] = StreamStatistics(SAMPLE_RATE_HZ)  # the sender is told what got lost
            streams[packet.ssrc].add(packet)
            self._take(packet)

        ice.data_received = received
        if self._offer is not None and self._offer.red is not None:
            # aiortc's router drops payload types that it did not negotiate itself.
            table = dtls._rtp_router.payload_type_table  # noqa: SLF001
            table.setdefault(self._offer.red, set()).add(receiver)

    def _take(self, packet: RtpPacket) -> None:
        assert self._offer is not None
        arrived_s = time.monotonic()
        if packet.payload_type != self._offer.red:
            if packet.payload:
                self.buffer.add(packet.timestamp, packet.payload, arrived_s=arrived_s)
            return
        try:
            for block in blocks(packet.payload):
                if block.payload:
                    timestamp = (packet.timestamp - block.offset) % (1 << 32)
                    self.buffer.add(timestamp, block.payload, arrived_s=arrived_s, redundant=block.offset > 0)
        except BadInputError:
            self.malformed += 1


def _is_rtp(datagram: bytes) -> bool:
    """And neither DTLS nor RTCP (RFC 7983 §7, RFC 5761 §4)."""
    return len(datagram) > 1 and 128 <= datagram[0] <= 191 and not 192 <= datagram[1] <= 223
