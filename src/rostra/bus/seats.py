"""Sound of speakers on its way to the stage: numbered frames, sent again after either side was away."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Final

import structlog

from rostra.bus.connection import Connection
from rostra.bus.subjects import call_subject, green_subject, seat_subject
from rostra.core.errors import BadInputError, BusError
from rostra.core.limits import FEED_BACKLOG_FRAMES_MAX, SEAT_FRAMES_MAX
from rostra.core.messages import Feed, FeedFrames, decode, encode

_log = structlog.get_logger()
_RETRY_S: Final = 0.02
_BACK_S: Final = 1.0  # after a broken connection: others are on their way back too, and call when they are


class SeatPublisher:
    """Sends what the seats of one source say, all of one moment in one message.

    While the bus is away FEED_BACKLOG_FRAMES_MAX messages wait (the oldest go). What was under way when a
    connection broke is lost: as much as a seat may hold is sent again when ours is back, and when a stage that was
    away calls for it (`called` is set, see `calls`). Stages drop what they have. A seat that has said goodbye is
    not repeated: a stage that has seen it leave would hear it come back. So goodbyes wait until all are back.
    What is sent to the `green` room is heard by those who wait behind the stage, and by no stage.
    """

    def __init__(self, connection: Connection, conversation: str, *, green: bool = False) -> None:
        self._connection = connection
        self._conversation = conversation
        self._subject = (green_subject if green else seat_subject)(conversation)
        self._sent: deque[tuple[FeedFrames, ...]] = deque(maxlen=SEAT_FRAMES_MAX)
        self._waiting: deque[tuple[FeedFrames, ...]] = deque()
        self._goodbyes: list[FeedFrames] = []
        self._connected_since = connection.connected_since
        self.called = asyncio.Event()
        self.dropped_frames = 0

    def _repeat(self) -> None:
        self._waiting.extendleft(reversed(self._sent))
        self._sent.clear()

    async def send(self, *frames: FeedFrames) -> None:
        """Publish `frames` of different seats, or keep them for the next call while the bus is away."""
        if frames:
            here = {each.seat for each in frames if not each.last}
            self._goodbyes = [each for each in self._goodbyes if each.seat not in here]
            if len(self._waiting) >= FEED_BACKLOG_FRAMES_MAX:
                self.dropped_frames += len(self._waiting.popleft())
            self._waiting.append(frames)
        connected_since = self._connection.connected_since
        if connected_since is None:
            return
        if connected_since != self._connected_since:
            self._connected_since = connected_since
            self.called.set()
        if self.called.is_set():
            self.called.clear()
            self._repeat()
        all_back = time.monotonic() - connected_since >= _BACK_S
        if all_back and self._goodbyes:
            self._waiting.append(tuple(self._goodbyes))
            self._goodbyes.clear()
        while self._waiting:
            next_frames = self._waiting.popleft()
            if not all_back:
                self._goodbyes += [each for each in next_frames if each.last]
                next_frames = tuple(each for each in next_frames if not each.last)
                if not next_frames:
                    continue
            try:
                await self._connection.publish(self._subject, encode(Feed(self._conversation, next_frames)))
            except BusError:
                self._waiting.appendleft(next_frames)
                return
            self._sent.append(next_frames)
            for each in next_frames:
                if each.last:
                    self._forget(each.seat)

    async def finish(self, frames: FeedFrames, *, patience_s: float) -> bool:
        """Send a seat's last message and see it off; False if the bus stayed away for `patience_s`."""
        await self.send(frames)
        try:
            async with asyncio.timeout(patience_s):
                while self._waiting or self._goodbyes:
                    await asyncio.sleep(_RETRY_S)
                    await self.send()
        except TimeoutError:
            return False
        return True

    def _forget(self, seat: str) -> None:
        others = (tuple(frames for frames in each if frames.seat != seat) for each in self._sent)
        self._sent = deque(filter(None, others), maxlen=SEAT_FRAMES_MAX)


def calls(connection: Connection, conversation: str) -> AbstractAsyncContextManager[asyncio.Event]:
    """An event that is set when a stage of the conversation asks for what was sent last."""
    return connection.notified(call_subject(conversation))


async def call_seats(connection: Connection, conversation: str) -> None:
    """Ask for what was sent last, now and whenever we have been away. Never returns."""
    async with aclosing(connection.connections()) as connections:
        async for _ in connections:
            try:
                await connection.publish(call_subject(conversation), b"")
            except BusError:
                continue  # lost again already: the next connection asks


async def follow_seats(
    connection: Connection, conversation: str, *, green: bool = False
) -> AsyncGenerator[FeedFrames, None]:
    """What all seats of a conversation send, as it comes; garbage is counted in the log and dropped."""
    subject = green_subject if green else seat_subject
    async with aclosing(connection.subscribe(subject(conversation))) as messages:
        async for message in messages:
            try:
                feed = decode(message.data)
            except BadInputError as error:
                _log.warning("feed.refused", conversation=conversation, error=str(error))
                continue
            if isinstance(feed, Feed) and feed.conversation == conversation:
                for frames in feed.frames:
                    yield frames
