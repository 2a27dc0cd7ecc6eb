"""NATS's client, with an end: what nats-py (2.16) leaves open when its server is gone is closed here."""

import asyncio
from typing import Any, Final

from nats.aio.client import Client

_AGAIN_S: Final = 0.05  # between two cancellations of one attempt


class LeavingClient(Client):
    """Whose `close` leaves no connection and no attempt at one behind."""

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
