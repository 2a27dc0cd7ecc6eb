"""NATS's client, with an end and in order: what nats-py (2.16) leaves open or lets overtake is mended here."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, Final

from nats.aio.client import PING_PROTO, Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

_AGAIN_S: Final = 0.05  # between two cancellations of one attempt
_TAKEN_MAX: Final = 64  # messages in one turn of the loop: others have theirs too


class LeavingClient(Client):
    """Whose `close` leaves no connection and no attempt at one behind, and whose `flush` comes last."""

    async def _send_ping(self, future: asyncio.Future[Any] | None = None) -> None:
        """Behind what waits to be sent. nats-py's own overtakes it: `flush` ends before a subscription is there."""
        self._pongs.append(asyncio.Future() if future is None else future)
        await self._send_command(PING_PROTO)
        await self._flush_pending()

    async def _connect_to_server(self, s: Any) -> None:
        """The one before is closed first: after a greeting that failed the client forgets it as it is."""
        if self._transport is not None:
            self._transport.close()  # type: ignore[no-untyped-call] # nats-py
        await super()._connect_to_server(s)

    async def close(self) -> None:
        """First the attempts to connect anew end.

        Before 3.12 `wait_for` may forget that it was cancelled; such an attempt would go on for ever, and connect
        behind the back of who has left.
        """
        me = asyncio.current_task()
        try:
            while (attempt := self._reconnection_task) is not None and attempt is not me and not attempt.done():
                attempt.cancel()
                await asyncio.wait({attempt}, timeout=_AGAIN_S)
        finally:
            await super().close()


async def taken(subscription: Subscription) -> AsyncGenerator[Msg, None]:
    """What comes, for ever: all that has come by now in one turn of the loop, or _TAKEN_MAX of it.

    nats-py's own iterator starts a task for each message and takes three turns. So after a stall what had come
    first was taken last, if it came on the busier subscription.
    """
    queue, count = subscription._pending_queue, 0  # noqa: SLF001
    while True:
        message = await queue.get()
        queue.task_done()
        subscription._pending_size -= len(message.data)  # noqa: SLF001
        yield message
        count += 1
        if count % _TAKEN_MAX == 0:
            await asyncio.sleep(0)
