"""What a speaker hears, as RTP (RFC 3550): past aiortc's sender, straight into SRTP and the socket.

aiortc's way for a packet that is made already is a task, a queue, three objects and four coroutines: five times
as long. Its sender stays, for RTCP: it reports what was counted here. tests/contract/test_aiortc.py watches
over the names that are not public.
"""

import asyncio
import secrets
import struct
from typing import Any, Final, NoReturn

from aiortc import MediaStreamTrack, RTCRtpSender, clock
from aiortc.mediastreams import MediaStreamError

from rostra.core.units import FRAME_SAMPLES

_HEADER: Final = struct.Struct(">BBHII")
_VERSION_2: Final = 0x80
_SEQUENCES: Final = 1 << 16
_TIMESTAMPS: Final = 1 << 32
_REPORT_EACH: Final = 25  # packets, 0.5 s: aiortc sends no report sooner
_LOSSY_PACKETS: Final = 500  # 10 s, two of a browser's reports: a network that loses will lose again
_LOSSY: Final = 3  # 1/256 (RFC 3550 §6.4.1): of 1 % concealment makes a crackle a second


class QuietTrack(MediaStreamTrack):
    """Stands where aiortc wants a track, and never has anything to send."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._stopped = asyncio.Event()

    async def recv(self) -> NoReturn:
        """Return never: MediaStreamError once stopped."""
        await self._stopped.wait()
        raise MediaStreamError

    def stop(self) -> None:
        super().stop()
        self._stopped.set()


class ReturnStream:
    """Sends a packet of 20 ms with each `send`, once the connection of `sender` is up."""

    def __init__(self, sender: RTCRtpSender, payload_type: int) -> None:
        self._sender: Any = sender
        self._payload_type = payload_type
        self._sequence = secrets.randbits(15)  # RFC 3550 §5.1: below 2^15, the first wrap is far
        self._timestamp = secrets.randbits(32)
        self._octets = 0
        self._packets = 0
        self._lossy_until = _LOSSY_PACKETS

    @property
    def is_lossy(self) -> bool:
        """Whether the other side has reported loss lately; at first, and while it reports nothing, it may lose."""
        return self._packets < self._lossy_until

    def send(self, payload: bytes) -> None:
        sender = self._sender
        dtls = sender.transport
        pair = dtls.transport._connection._nominated.get(1)  # noqa: SLF001
        if pair is None:
            return
        header = _HEADER.pack(_VERSION_2, self._payload_type, self._sequence, self._timestamp, sender._ssrc)  # noqa: SLF001
        pair.protocol.transport.sendto(dtls._tx_srtp.protect(header + payload), pair.remote_addr)  # noqa: SLF001
        if self._packets % _REPORT_EACH == 0:
            self._account()
        self._packets += 1
        self._octets += len(payload)
        self._sequence = (self._sequence + 1) % _SEQUENCES
        self._timestamp = (self._timestamp + FRAME_SAMPLES) % _TIMESTAMPS

    def _account(self) -> None:
        """Let aiortc's sender report (RFC 3550 §6.4.1) what has been sent until now; hear what it was told."""
        sender = self._sender
        told = sender._RTCRtpSender__stats.get(f"remote-inbound-rtp_{id(sender)}")  # noqa: SLF001
        if told is None or told.fractionLost >= _LOSSY:
            self._lossy_until = self._packets + _LOSSY_PACKETS
        sender._RTCRtpSender__ntp_timestamp = clock.current_ntp_time()  # noqa: SLF001
        sender._RTCRtpSender__rtp_timestamp = self._timestamp  # noqa: SLF001
        sender._RTCRtpSender__packet_count = self._packets  # noqa: SLF001
        sender._RTCRtpSender__octet_count = self._octets  # noqa: SLF001
