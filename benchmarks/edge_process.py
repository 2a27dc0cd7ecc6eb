"""One edge worker with a programme of its own: only the edge is measured.

`python -m benchmarks.edge_process PORT CADENCE_CHUNKS [SPARED]` prints `ready PORT TICKET`, then once a second
`report CADENCE_MS LISTENERS WRITE_SHARE`. With cadence 0 the ladder is free; otherwise it stays on that rung.
The shield spares this machine, as that of `rostra serve`, or the prefixes SPARED; whom it spares may open any number of
streams with one ticket. With an empty word nobody is spared anything.
"""

import asyncio
import itertools
import resource
import sys
import time
from collections.abc import AsyncIterator

from rostra.audio.encoder import ProgrammeEncoder
from rostra.audio.recordings import two_cities
from rostra.audio.source import frames_from
from rostra.core.keys import Key, KeyRing
from rostra.core.messages import BanNotice, Chunk, ConversationRecord, EdgeReport, Init
from rostra.core.prefixes import parse_prefixes
from rostra.core.shield import Shield
from rostra.core.ticket import Ticket, TicketClass, sign
from rostra.core.units import CHUNK_NS, SECOND_NS
from rostra.edge import server, worker
from rostra.edge.cadence import RUNGS_CHUNKS
from rostra.edge.entrance import Entrance
from rostra.edge.server import run
from rostra.edge.streams import Streams

KEYS = KeyRing(Key(0, 0, bytes(32)))
NAME = "bench"
FRAMES = 1_000  # 20 s: 200 chunks, whole seconds


class Recording:
    """The bundled recording as an endless programme: sizes are real, container timestamps repeat."""

    def __init__(self) -> None:
        encoder = ProgrammeEncoder(0)
        frames = itertools.islice(frames_from(str(two_cities())), FRAMES)
        self.media = [media for frame in frames if (media := encoder.encode(frame)) is not None]
        self.headers = encoder.init
        self.connected_since: float | None = time.monotonic()

    async def conversations(self) -> AsyncIterator[ConversationRecord]:
        now_ns = time.time_ns()
        yield ConversationRecord(
            NAME, "Bench", now_ns, now_ns, now_ns + 7200 * SECOND_NS, "UTC", "en", 0, "live", now_ns
        )
        await asyncio.Event().wait()

    async def chunks(self, conversation: str) -> AsyncIterator[Chunk]:
        began_ns = time.monotonic_ns()
        for seq, media in enumerate(itertools.cycle(self.media)):
            due_s = (began_ns + seq * CHUNK_NS - time.monotonic_ns()) / SECOND_NS
            if seq > 100:  # the first ten seconds are history
                await asyncio.sleep(max(0.0, due_s - 10))
            yield Chunk(conversation, 1, seq, time.time_ns(), "live", -16.0, media)

    async def init(self, conversation: str) -> Init:
        return Init(conversation, self.headers)

    async def edge_reports(self) -> AsyncIterator[EdgeReport]:
        await asyncio.Event().wait()
        yield EdgeReport("", "", 0, {}, 0, 0, 0.0)

    async def bans(self) -> AsyncIterator[BanNotice]:
        await asyncio.Event().wait()
        yield BanNotice("", 0, "", "")

    async def tell_ban(self, notice: BanNotice) -> None:
        print(f"ban {notice.prefix} {notice.strike}", flush=True)

    async def report(self, report: EdgeReport) -> None:
        print(f"report {report.cadence_ms} {sum(report.listeners.values())} {report.write_share:.3f}", flush=True)


class OfOneTicket(Streams):
    """Streams of readers who all bring the same ticket, each counted as a listener of its own."""

    def open(self, stream: int, listener: bytes) -> None:
        super().open(stream, listener and stream.to_bytes(8, "big"))


def main() -> None:
    port, pinned_chunks = int(sys.argv[1]), int(sys.argv[2])
    spared = sys.argv[3] if len(sys.argv) > 3 else "127.0.0.0/8"
    if pinned_chunks:
        # A busy machine makes writes look dearer, and 18,000 listeners are near the border between two rungs.
        worker.next_rung = lambda *_, **__: RUNGS_CHUNKS.index(pinned_chunks)  # type: ignore[attr-defined]
    if spared:
        server.Streams = OfOneTicket  # type: ignore[misc,attr-defined]
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    ticket = sign(Ticket(NAME, b"12345678", TicketClass.ANONYMOUS, 0, int(time.time()) + 86_400), keys=KEYS)

    def announce(port: int) -> None:
        print(f"ready {port} {ticket}", flush=True)

    asyncio.run(
        run(
            Recording(),
            edge_id="bench",
            host="127.0.0.1",
            port=port,
            public_url="http://127.0.0.1",
            keys=KEYS,
            metrics_port=None,
            entrance=Entrance(Shield(parse_prefixes(spared))),
            announce=announce,
        )
    )


if __name__ == "__main__":
    main()
