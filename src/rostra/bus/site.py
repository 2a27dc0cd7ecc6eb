"""What site processes tell one another: bytes on one subject, never stored, never waited for."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from rostra.bus.connection import Connection
from rostra.bus.subjects import SITE_SUBJECT


class BusEvents:
    """Events of the site over NATS: who subscribes hears all that is told from then on, by any process."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def tell(self, payload: bytes) -> None:
        """BusError while the bus is away."""
        await self._connection.publish(SITE_SUBJECT, payload)

    async def hear(self) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._connection.subscribe(SITE_SUBJECT)) as messages:
            async for message in messages:
                yield message.data
