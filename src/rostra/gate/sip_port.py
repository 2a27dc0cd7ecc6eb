"""The UDP port of the telephone: what is looked at of what comes, and where answers may go."""

import asyncio
import socket
import time
from typing import Final

from aiosipua import SipRequest, SipResponse, SipTransport

from rostra.core.limits import SIP_BYTES_MAX, SIP_DATAGRAMS_PER_SECOND_MAX
from rostra.gate.call_door import Bucket

_PORTS: Final = 1 << 16


class SipPort(SipTransport):
    """The UDP port. The library's own one asserts a class that CPython 3.11's transports do not have."""

    def __init__(self, address: tuple[str, int]) -> None:
        super().__init__(local_addr=address)
        self._transport: asyncio.DatagramTransport | None = None
        self._budget = Bucket(rate=SIP_DATAGRAMS_PER_SECOND_MAX, burst=SIP_DATAGRAMS_PER_SECOND_MAX)
        self.dropped = 0

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), local_addr=self.local_addr)
        self._transport = transport
        host, port = transport.get_extra_info("sockname")[:2]
        self.local_addr = (host, port)

    def take(self, data: bytes, address: tuple[str, int]) -> None:
        """A datagram has come. Keep-alives (RFC 5626 §4.4.1) are nothing, floods are not parsed."""
        if not data.strip(b"\r\n\0"):
            return
        if len(data) > SIP_BYTES_MAX or not self._budget.take(now_s=time.monotonic()):
            self.dropped += 1
            return
        self._dispatch(data, address)

    def send(self, message: SipRequest | SipResponse, addr: tuple[str, int]) -> None:
        if not 0 < addr[1] < _PORTS:
            self.dropped += 1  # asyncio would close the whole endpoint over it
        elif self._transport is not None:
            self._transport.sendto(bytes(message), addr)

    async def stop(self) -> None:
        if self._transport is not None:
            self._transport.close()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, port: SipPort) -> None:
        self._port = port

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._port.take(data, (addr[0], addr[1]))


def answers_go_to(address: str, request: SipRequest) -> bool:
    """Whether the answer goes back to the sender: not to a name, which would be looked up, nor to somebody else.

    The library notes the sender in the topmost Via, but for a sender who has written there already.
    """
    if not request.via:
        return False
    via = request.via[0]
    port = int(via.rport) if via.rport and via.rport.isdecimal() else via.port or 0
    return (via.received or via.host) == address and port < _PORTS


def address_towards(peer: tuple[str, int]) -> str:
    """The address by which `peer` reaches this machine, as the routing table has it. Sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(peer)
        return str(probe.getsockname()[0])
