"""One conversation as the captions process hears it: seats, chunks and names from the bus, made into work."""

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing, suppress
from typing import Final

from rostra.bus.captions import publish_captions
from rostra.bus.connection import Connection
from rostra.bus.programme import follow_programme
from rostra.bus.roster import RosterLog
from rostra.bus.seats import follow_seats
from rostra.captions.backlog import Work
from rostra.captions.utterances import Utterances
from rostra.core.messages import Caption, Captions

_HERE_S: Final = 1.0  # so often the stage is told that there is a captioner
_CLOSING_S: Final = 20.0  # the stage says its last words within 15 s of the end
_REACH_CHUNKS: Final = 1  # what was said before we came was said without captions


class Listening:
    """Offers what is to be recognised while the stage listens to this captioner; else it stands by."""

    def __init__(
        self, connection: Connection, captioner: str, conversation: str, offer: Callable[[Work], None]
    ) -> None:
        self.is_active = False
        self._connection = connection
        self._captioner = captioner
        self._conversation = conversation
        self._offer = offer
        self._utterances = Utterances(conversation)
        self._roster = RosterLog(connection, conversation)
        self._deadline = asyncio.timeout(None)

    async def run(self) -> None:
        """Return after the conversation's last chunk, or some time after it is `over`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(None) as self._deadline, asyncio.TaskGroup() as tasks:
                background = [
                    tasks.create_task(self._gather(), name=f"{self._conversation}: seats"),
                    tasks.create_task(self._roster.run(), name=f"{self._conversation}: roster"),
                    tasks.create_task(self._say_here(), name=f"{self._conversation}: presence"),
                ]
                await self._follow()
                for task in background:
                    task.cancel()

    def over(self) -> None:
        """The conversation is over; its last chunk comes soon, or never."""
        self._deadline.reschedule(asyncio.get_running_loop().time() + _CLOSING_S)

    def caption(self, work: Work, text: str | None) -> Caption:
        """`work` as it is told; `text` None: it could not be recognised."""
        seated = self._roster.roster.seat(work.seat)
        return Caption(
            id=work.id,
            seat=work.seat,
            name=work.seat if seated is None else seated.name,
            start=work.utterance.start,
            end=work.utterance.end,
            text=text or "",
            status="partial" if not work.final else "skipped" if text is None else "final",
        )

    async def _follow(self) -> None:
        chunks = follow_programme(self._connection, self._conversation, reach_chunks=_REACH_CHUNKS)
        async with aclosing(chunks):
            async for chunk in chunks:
                await asyncio.sleep(0)  # what seats had sent before it is taken first, also after a stall
                was_active, self.is_active = self.is_active, chunk.captioner == self._captioner
                if was_active and not self.is_active:
                    self._utterances.leave()
                for work in self._utterances.hear(chunk, now_s=time.monotonic()):
                    if self.is_active:
                        self._offer(work)
                if chunk.last:
                    return

    async def _gather(self) -> None:
        async with aclosing(follow_seats(self._connection, self._conversation)) as arrivals:
            async for frames in arrivals:
                self._utterances.offer(frames)

    async def _say_here(self) -> None:
        while True:
            await publish_captions(self._connection, Captions(self._conversation, self._captioner))
            await asyncio.sleep(_HERE_S)
