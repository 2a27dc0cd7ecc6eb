"""An event loop whose UDP sockets lie in a range of ports: aioice has no such setting, firewalls want one."""

import asyncio
import errno
from itertools import islice
from typing import Any


class PortRangeLoop(asyncio.SelectorEventLoop):
    """Whoever asks for any UDP port (0) gets the next free one of the range, round and round."""

    def __init__(self, ports: range) -> None:
        super().__init__()
        self._ports = ports
        self._next = 0

    async def create_datagram_endpoint(  # type: ignore[override] # the options go through as they are
        self, protocol_factory: Any, local_addr: Any = None, **options: Any
    ) -> Any:
        """As asyncio's; OSError (EADDRINUSE) if the whole range is taken."""
        if local_addr is None or local_addr[1] != 0:
            return await super().create_datagram_endpoint(protocol_factory, local_addr, **options)
        for port in islice(self._round(), len(self._ports)):
            try:
                return await super().create_datagram_endpoint(protocol_factory, (local_addr[0], port), **options)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
        raise OSError(errno.EADDRINUSE, f"all UDP ports from {self._ports[0]} to {self._ports[-1]} are taken")

    def _round(self) -> Any:
        while True:
            yield self._ports[self._next]
            self._next = (self._next + 1) % len(self._ports)
