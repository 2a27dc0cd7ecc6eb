"""The publisher of a programme when the bus is there but cannot store."""

import asyncio

from rostra.bus.programme import ProgrammePublisher
from rostra.core.errors import StorageError
from rostra.core.messages import Chunk, decode


class FullDisk:
    """A connection over which everything is heard and nothing can be stored, until it is made anew."""

    def __init__(self) -> None:
        self.connected_since: float | None = 1.0
        self.spread: list[int] = []
        self.stored: list[int] = []

    async def store(self, _subject: str, payload: bytes, *, message_id: str, expected_revision: int) -> int:
        assert message_id
        assert expected_revision == 0
        if self.connected_since == 1.0:
            raise StorageError("no space left on device")
        chunk = decode(payload)
        assert isinstance(chunk, Chunk)
        self.stored.append(chunk.seq)
        return len(self.stored)

    async def publish(self, _subject: str, payload: bytes) -> None:
        chunk = decode(payload)
        assert isinstance(chunk, Chunk)
        self.spread.append(chunk.seq)


def chunk(seq: int) -> Chunk:
    return Chunk("evening", 1, seq, 0, "live", -16.0, {"webm-64": b"sound"})


def test_what_nobody_acknowledged_is_published_once_more_on_the_next_connection() -> None:
    async def test() -> None:
        async def may_publish() -> bool:
            return True

        clock = iter(range(0, 10**18, 300_000_000))
        connection = FullDisk()
        publisher = ProgrammePublisher(
            connection,  # type: ignore[arg-type]
            may_publish=may_publish,
            clock_ns=lambda: next(clock),
        )
        async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
            publishing = tasks.create_task(publisher.run(), name="publisher")
            for seq in range(30):
                publisher.offer(chunk(seq))
            await publisher.drained()
            assert connection.spread == list(range(30))
            assert publisher.unstored_chunks == 30
            connection.connected_since = 2.0
            publisher.offer(chunk(30))
            await publisher.drained()
            publishing.cancel()
        assert connection.stored == list(range(20, 31))

    asyncio.run(test())
