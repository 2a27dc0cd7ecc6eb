"""The gate's event loop: its UDP sockets lie in a range of ports, and what strangers send there goes no further.

aioice hands whatever arrives to DTLS and SRTP, from any address: one datagram of nothing, or one forged alert, ends
somebody's session. So a guard stands before it.
"""

import asyncio
import errno
import struct
from itertools import islice
from typing import Any, Final, cast

from aioice.ice import CandidatePair, StunProtocol
from aioice.stun import parse_message

_SHORTEST: Final = 12  # an RTP header (RFC 3550 §5.1); STUN and DTLS are longer
_STUN_LAST: Final = 3  # first byte of STUN (RFC 7983 §7)


class Guard(asyncio.DatagramProtocol):
    """Lets through STUN, and the rest from addresses that passed ICE (RFC 8445 §7)."""

    def __init__(self, ice: StunProtocol) -> None:
        self.ice = ice
        self.refused = 0
        self._passed: set[tuple[str, int]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.ice.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ice.connection_lost(exc)

    def error_received(self, exc: Exception) -> None:
        self.ice.error_received(exc)

    def datagram_received(self, data: bytes | str, addr: tuple[Any, ...]) -> None:
        datagram = cast("bytes", data)
        if len(datagram) >= _SHORTEST and (
            _is_stun(datagram) if datagram[0] <= _STUN_LAST else self._has_passed((addr[0], addr[1]))
        ):
            self.ice.datagram_received(datagram, addr)
        else:
            self.refused += 1

    def _has_passed(self, address: tuple[str, int]) -> bool:
        if address in self._passed:
            return True
        connection: Any = self.ice.receiver
        pairs: list[CandidatePair] = [*connection._check_list, *connection._nominated.values()]  # noqa: SLF001
        self._passed = {pair.remote_addr for pair in pairs if pair.state is CandidatePair.State.SUCCEEDED}
        return address in self._passed


def _is_stun(datagram: bytes) -> bool:
    """Whether aioice can read it; whose it is aioice checks by itself (RFC 8445 §7.3)."""
    try:
        parse_message(datagram)
    except (ValueError, struct.error, IndexError, KeyError):  # what a broken attribute raises there, by its type
        return False
    return True


class GateLoop(asyncio.SelectorEventLoop):
    """Whoever asks for any UDP port (0) gets the next free one of `ports`, round and round; without them, any."""

    def __init__(self, ports: range | None = None) -> None:
        super().__init__()
        self._ports = ports
        self._next = 0

    async def create_datagram_endpoint(  # type: ignore[override] # the options go through as they are
        self, protocol_factory: Any, local_addr: Any = None, **options: Any
    ) -> Any:
        """As asyncio's; OSError (EADDRINUSE) if the whole range is taken."""
        protocol = protocol_factory()
        guarded = Guard(protocol) if isinstance(protocol, StunProtocol) else protocol
        transport = await self._bound(lambda: guarded, local_addr, options)
        return transport, protocol

    async def _bound(self, factory: Any, address: Any, options: dict[str, Any]) -> Any:
        if self._ports is None or address is None or address[1] != 0:
            return (await super().create_datagram_endpoint(factory, address, **options))[0]
        for port in islice(self._round(self._ports), len(self._ports)):
            try:
                return (await super().create_datagram_endpoint(factory, (address[0], port), **options))[0]
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
        raise OSError(errno.EADDRINUSE, f"all UDP ports from {self._ports[0]} to {self._ports[-1]} are taken")

    def _round(self, ports: range) -> Any:
        while True:
            yield ports[self._next]
            self._next = (self._next + 1) % len(ports)
