"""The pre-flight's mirror: what a speaker sends comes back, so that the page can measure the way there and back."""

import asyncio
from typing import Final

from rostra.audio.frame import silence
from rostra.audio.opus import OpusEncoder
from rostra.core.units import FRAME_NS, SECOND_NS
from rostra.gate.peer import Peer

_LONGEST_S: Final = 30.0  # a check takes ten seconds
_FRAME_S: Final = FRAME_NS / SECOND_NS
_BPS: Final = 32_000


async def echo(peer: Peer) -> None:
    """Send back what `peer` says until it goes away, or has tested long enough."""
    encoder, loop = OpusEncoder(_BPS, loss_percent=10), asyncio.get_running_loop()
    due_s = loop.time()
    until_s = due_s + _LONGEST_S
    while not peer.lost.is_set() and due_s < until_s:
        said = peer.pull()
        peer.offer(encoder.encode(silence() if said is None else said))
        due_s += _FRAME_S
        await asyncio.sleep(max(0.0, due_s - loop.time()))
