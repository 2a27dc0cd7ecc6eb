"""A bad network between a browser and a gate: a UDP relay that loses in bursts and delays unevenly."""

import asyncio
import random
import re
import threading
from typing import Any, Final

BURST: Final = 2
_CANDIDATE = re.compile(r"^a=candidate:(\S+) 1 udp (\d+) (\S+) (\d+) typ host.*$", re.IGNORECASE | re.MULTILINE)


class _Way(asyncio.DatagramProtocol):
    """One end of the relay: what arrives here leaves at the other end, if it does."""

    def __init__(self, relay: "Relay") -> None:
        self.relay = relay
        self.transport: asyncio.DatagramTransport | None = None
        self.other: _Way | None = None
        self.peer: tuple[str, int] | None = None
        self._losing = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if self.peer is None or self.other is None or self.other.peer is None:
            self.peer = self.peer or addr
        media = len(data) > 0 and 128 <= data[0] <= 191  # RTP and RTCP (RFC 7983 §7)
        if media and self._is_lost():
            return
        delay_s = self.relay.chance.uniform(0, self.relay.jitter_s) if media else 0.0
        asyncio.get_running_loop().call_later(delay_s, self._pass_on, data)

    def _is_lost(self) -> bool:
        if self._losing == 0 and self.relay.chance.random() < self.relay.loss / BURST:
            self._losing = BURST
        lost = self._losing > 0
        self._losing = max(0, self._losing - 1)
        return lost

    def _pass_on(self, data: bytes) -> None:
        assert self.other is not None
        if self.other.transport is not None and self.other.peer is not None:
            self.other.transport.sendto(data, self.other.peer)


class Relay:
    """Between one browser and the gate; `route` gives Playwright the offers to lead through it."""

    def __init__(self, *, loss: float, jitter_s: float, seed: int = 1) -> None:
        self.loss = loss
        self.jitter_s = jitter_s
        self.chance = random.Random(seed)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _open(self, gate: tuple[str, int]) -> int:
        """The port at which the browser finds the gate."""
        ends = [_Way(self), _Way(self)]
        for end, other in (ends, ends[::-1]):
            end.other = other
            await self._loop.create_datagram_endpoint(lambda end=end: end, local_addr=("127.0.0.1", 0))
        ends[1].peer = gate
        assert ends[0].transport is not None
        return int(ends[0].transport.get_extra_info("sockname")[1])

    def route(self, route: Any) -> None:
        """Offers without candidates, so that the gate cannot find the browser but through us; answers with ours."""
        request = route.request
        if request.method != "POST" or "application/sdp" not in (request.headers.get("content-type") or ""):
            route.continue_()
            return
        offer = re.sub(r"a=candidate:.*\r\n", "", request.post_data)
        reply = route.fetch(post_data=offer)
        answer = reply.text()
        found = _CANDIDATE.search(answer)
        if reply.status == 201 and found:
            gate = (found[3], int(found[4]))
            port = asyncio.run_coroutine_threadsafe(self._open(gate), self._loop).result(5)
            ours = f"a=candidate:1 1 udp 2130706431 127.0.0.1 {port} typ host"
            kept = [line for line in answer.split("\r\n") if not line.startswith("a=candidate:")]
            at = next(i for i, line in enumerate(kept) if line.startswith("m=")) + 1
            answer = "\r\n".join([*kept[:at], ours, *kept[at:]])
        route.fulfill(response=reply, body=answer)
