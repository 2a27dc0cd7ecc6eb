"""NATS's client, with an end and in order: what nats-py (2.16) leaves open or lets overtake is mended here."""

import asyncio
from typing import Any, Final

from nats.aio.client import PING_PROTO, Client

_AGAIN_S: Final = 0.05  # between two cancellations of one attempt


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
