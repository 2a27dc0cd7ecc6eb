"""A feed: any file or live source on the stage as a speaker, in real time, its level evened."""

import asyncio
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import Final

from rostra.audio.dynamics import Leveller
from rostra.audio.frame import Frame, frame_to_pcm16
from rostra.audio.source import frames_from
from rostra.bus.connection import Connection
from rostra.bus.seats import SeatPublisher, calls
from rostra.bus.state import read_conversation
from rostra.core.conversation import is_over
from rostra.core.errors import BadInputError, BusError
from rostra.core.messages import FeedFrames
from rostra.core.units import FRAME_NS, SECOND_NS

# A file is sent this much ahead, so that a bus or stage that restarts is not heard at all.
_FILE_LEAD_NS: Final = 1 * SECOND_NS
_FILE_DELAY_FRAMES: Final = 10
# A live source is sent as it comes; two frames absorb the scheduling jitter of one machine.
_LIVE_DELAY_FRAMES: Final = 2
# A live source that falls behind this far has paused: its next frames are due from then on.
_STALL_NS: Final = 60_000_000
_GOODBYE_PATIENCE_S: Final = 10.0
_BACKLOG_FRAMES: Final = 100
# So many frames at three quarters of the pace of sound: the source makes us wait, it has nothing in store.
_PACE_FRAMES: Final = 16
_PACE_S: Final = 0.75 * (_PACE_FRAMES - 1) * FRAME_NS / SECOND_NS
_CHECK_FRAMES: Final = 50  # once a second: has somebody ended the conversation?
_GROWTH_POLL_S: Final = 0.1


@contextmanager
def open_source(source: str, *, live: bool, loop: bool, follow: bool) -> Iterator[Iterator[Frame]]:
    """Frames of a file, an address, or standard input (`-`). SourceError comes with the first frame."""

    def wait_for_more() -> bool:
        time.sleep(_GROWTH_POLL_S)  # runs in the feed's reading thread
        return True

    def frames() -> Generator[Frame, None, None]:
        while True:
            if source == "-":
                yield from frames_from(sys.stdin.buffer)
            elif live:
                yield from frames_from(source)
            else:
                yield from frames_from(source, wait=wait_for_more if follow else None)
            if not loop or source == "-":
                return

    opened = frames()
    try:
        yield opened
    finally:
        opened.close()


@dataclass(slots=True)
class FeedProgress:
    """Frames sent so far, and how often the source stalled."""

    frames: int = 0
    stalls: int = 0
    dropped_frames: int = 0


async def run_feed(
    connection: Connection,
    conversation: str,
    seat: str,
    frames: Iterator[Frame],
    *,
    live: bool,
    even_level: bool = True,
    on_progress: Callable[[FeedProgress], Awaitable[None]] | None = None,
) -> FeedProgress:
    """Put `frames` on the stage; return when they are over. A file begins at the announced instant, or now.

    BadInputError if there is no such conversation or it is over; SourceError from `frames`.
    """
    begins_ns = await _begins_ns(connection, conversation)
    leveller, progress = Leveller(), FeedProgress()
    publisher = SeatPublisher(connection, conversation)
    async with calls(connection, conversation) as publisher.called:
        held: list[Frame] = []
        if live:
            held, live = await first_of_live(frames)
        lead_ns = 0 if live else _FILE_LEAD_NS
        if not live:
            # The stage must hear the first frame before it is due; who comes later than that begins at once.
            begins_ns = max(begins_ns, time.time_ns() + lead_ns)
        due_ns: int | None = None if live else begins_ns
        source = chain(held, frames)
        first_seq: int | None = None
        while (frame := await asyncio.to_thread(next, source, None)) is not None:
            now_ns = time.time_ns()
            if due_ns is None or (live and now_ns - due_ns > _STALL_NS):
                progress.stalls += due_ns is not None
                due_ns = now_ns
            if due_ns - lead_ns > now_ns:
                begins_ns, due_ns = await _wait(connection, conversation, begins_ns, due_ns, lead_ns, progress)
            if first_seq is None:
                first_seq = first_number(due_ns)
            level = leveller.process(frame) if even_level else frame
            await publisher.send(
                FeedFrames(
                    seat,
                    first_seq + progress.frames,
                    due_ns,
                    _LIVE_DELAY_FRAMES if live else _FILE_DELAY_FRAMES,
                    frame_to_pcm16(level),
                )
            )
            due_ns += FRAME_NS
            progress.frames += 1
            progress.dropped_frames = publisher.dropped_frames
            if progress.frames % _CHECK_FRAMES == 0:
                if await _is_over(connection, conversation):
                    break
                if on_progress is not None:
                    await on_progress(progress)
        due_ns = due_ns or time.time_ns()
        last_seq = first_number(due_ns) if first_seq is None else first_seq + progress.frames
        last = FeedFrames(seat, last_seq, due_ns, 0, b"", last=True)
        if not await publisher.finish(last, patience_s=_GOODBYE_PATIENCE_S):
            raise BusError("The bus went away before the feed could say goodbye.")
        return progress


def first_number(due_ns: int) -> int:
    """The number of a feed's first frame: one that is started again must not begin before the former one's end."""
    return due_ns // FRAME_NS


async def first_of_live(
    frames: Iterator[Frame], *, now_s: Callable[[], float] = time.monotonic
) -> tuple[list[Frame], bool]:
    """The frames to begin with, and whether the source is live: whether it makes us wait for more.

    What had gathered while its format was being recognised and its writer was kept waiting (a second or more)
    would be heard late for ever: a live source begins with the newest frame, as soon as frames come at the pace
    of sound. A pipe that has two seconds ready is a recording: it loses nothing.
    """
    held: list[Frame] = []
    came_s: deque[float] = deque(maxlen=_PACE_FRAMES)
    while len(held) < _BACKLOG_FRAMES:
        frame = await asyncio.to_thread(next, frames, None)
        if frame is None:
            break
        came_s.append(now_s())
        if len(came_s) == _PACE_FRAMES and came_s[-1] - came_s[0] > _PACE_S:
            return [frame], True
        held.append(frame)
    return held, False


async def _wait(
    connection: Connection,
    conversation: str,
    begins_ns: int,
    due_ns: int,
    lead_ns: int,
    progress: FeedProgress,
) -> tuple[int, int]:
    """Sleep until `due_ns` is `lead_ns` ahead; until the first frame the announced instant may move."""
    while (wait_ns := due_ns - lead_ns - time.time_ns()) > 0:
        await asyncio.sleep(min(wait_ns / SECOND_NS, 0.5))
        if progress.frames == 0:
            begins_ns = due_ns = max(
                await _begins_ns(connection, conversation, otherwise=begins_ns), time.time_ns()
            )
    return begins_ns, due_ns


async def _is_over(connection: Connection, conversation: str) -> bool:
    try:
        found = await read_conversation(connection, conversation)
    except BusError:
        return False
    return found is None or is_over(found.state)


async def _begins_ns(connection: Connection, conversation: str, *, otherwise: int | None = None) -> int:
    try:
        found = await read_conversation(connection, conversation)
    except BusError:
        if otherwise is None:
            raise
        return otherwise
    if found is None:
        raise BadInputError(f"There is no conversation {conversation!r}: see `rostra status`.")
    if is_over(found.state):
        raise BadInputError(f"The conversation {conversation!r} is over.")
    return found.schedule.starts_ns
