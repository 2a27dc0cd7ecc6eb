"""Those who want to listen, as the player's page would have them do it, and bots who do as if."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from rostra.core.framing import MEDIA, FrameReader
from rostra.core.units import INTERRUPTION_MS
from rostra.rehearsal.continuity import Continuity, Lockstep
from rostra.rehearsal.incidents.network import PORT
from rostra.rehearsal.incidents.recipe import PATIENCE_S
from rostra.rehearsal.member import JoinAnswer, answers, header

_RENDITION: Final = "webm-16"
_ANSWER_S: Final = 5.0  # the player's own patience with one edge
_AGAIN_FIRST_S: Final = 0.2
_AGAIN_MAX_S: Final = 5.0
_SILENCE_MIN_S: Final = 1.5
_SILENCE_CADENCES: Final = 3
_READ_BYTES: Final = 64 * 1024
_HELD: Final = "held"
# Who misses so much of what is said, in all, has not heard the evening.
MISSED_MAX_S: Final = INTERRUPTION_MS / 1_000
_CHUNKS_PER_S: Final = 10
_SILENT_BYTES_MAX: Final = 170  # of a chunk of webm-16: silence has 150 at most, noise has 190 at least
_EARS_EVERY: Final = 8  # of the people listens to what there is to hear: all at an edge hear the same
_HASTY_S: Final = 3.0  # a bot takes a place, and leaves
_BOT_AGAIN_S: Final = 0.5

Style = Literal["person", "deaf", "hasty", "mimic"]


@dataclass(frozen=True, slots=True)
class Visit:
    """Who comes when, from where, and to which edge first.

    `again_s`: a client that asks again after so long whatever it was told, `asks` times at once, as long as it is
    there; it keeps its place only if it `remembers`.
    """

    at_s: float
    source: str
    edge: int
    known: str = ""  # a pass
    stay_s: float | None = None
    style: Style = "person"
    again_s: float | None = None
    asks: int = 1
    remembers: bool = True


class Fate(msgspec.Struct, frozen=True):
    """What became of one person; `harm` is nothing, `unheard`, `silent` or `cut`. Times since the beginning."""

    asked_s: float
    heard_s: float | None
    harm: str
    remark: str = ""


@dataclass(slots=True)
class Hall:
    """What all visitors share: the edges, the clock, and which chunks were silent."""

    path: str
    edges: Sequence[str]
    began_s: float
    ends_s: float
    chance: random.Random
    lockstep: Lockstep = field(default_factory=Lockstep)
    silent: set[int] = field(default_factory=set)
    refused: Counter[str] = field(default_factory=Counter)


class Visitor:
    """One of them."""

    def __init__(self, visit: Visit, hall: Hall, *, has_ears: bool) -> None:
        self._visit = visit
        self._hall = hall
        self._at = visit.edge - 1
        self._heard = Continuity(hall.lockstep.follow)
        self._reader = FrameReader() if has_ears else None
        self._ticket = ""
        self._place = ""
        self._failures = 0
        self._asked_s: float | None = None
        self._left_s: float | None = None
        self._held_s = 0.0
        self._since_s = 0.0
        self._told_ms = 0  # of what it lacks

    async def come(self) -> None:
        """Until the evening ends, or they have heard enough."""
        await asyncio.sleep(self._hall.began_s + self._visit.at_s - time.monotonic())
        self._asked_s = self._since_s = time.monotonic()
        with suppress(TimeoutError):
            async with (
                asyncio.timeout_at(asyncio.get_running_loop().time() + self._hall.ends_s - self._asked_s),
                asyncio.TaskGroup() as tasks,
            ):
                storming = None
                if self._visit.again_s is not None:
                    storming = tasks.create_task(self._storm(self._visit.again_s), name="storm")
                while self._left_s is None and self._heard.end_reason is None:
                    again_s = await self._turn()
                    await asyncio.sleep(again_s)
                if storming is not None:
                    storming.cancel()

    async def _storm(self, again_s: float) -> None:
        """Ask, although somebody else does so already or it is heard."""
        while True:
            with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
                async with self._connection() as (reader, writer):
                    while True:
                        writer.write(self._request(again=self._visit.remembers) * self._visit.asks)
                        async with asyncio.timeout(_ANSWER_S):
                            for _ in range(self._visit.asks):
                                await self._answer(reader)
                        await asyncio.sleep(again_s)
            await asyncio.sleep(again_s)

    async def _turn(self) -> float:
        """Ask, and listen while there is something; returns when to ask again."""
        try:
            async with self._connection() as (reader, writer):
                if not self._ticket:
                    async with asyncio.timeout(_ANSWER_S):
                        again_s = await self._join(reader, writer)
                    if again_s is not None:
                        return again_s
                await self._listen(reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            self._hall.refused[type(error).__name__] += 1
        if self._visit.style == "hasty":
            self._ticket = ""
        self._heard.reconnected()
        self._at = (self._at + 1) % len(self._hall.edges)
        return self._pause()

    def _pause(self) -> float:
        if self._visit.again_s is not None:
            return self._visit.again_s
        if self._visit.style != "person":
            return _BOT_AGAIN_S
        self._failures += 1
        if self._failures == 1:
            return 0.0
        pause_s: float = min(_AGAIN_MAX_S, _AGAIN_FIRST_S * 2.0**self._failures)
        return pause_s * self._hall.chance.uniform(0.5, 1.0)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        async with asyncio.timeout(_ANSWER_S):
            reader, writer = await asyncio.open_connection(
                self._hall.edges[self._at], PORT, local_addr=(self._visit.source, 0), limit=_READ_BYTES
            )
        try:
            yield reader, writer
        finally:
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> float | None:
        """None: there is a ticket. Else when to ask again."""
        writer.write(self._request(again=self._failures > 0 and self._visit.remembers))
        status, head, answer = await self._answer(reader)
        self._ticket = answer.ticket
        if self._ticket:
            return None
        self._hall.refused[str(answer.status if status == 200 else status)] += 1
        if answer.place and self._visit.remembers:
            self._place = answer.place
        if self._visit.again_s is not None or self._visit.style != "person":
            return self._pause()
        retry_s = header(head, b"retry-after")
        return answer.again_s if status == 200 else float(retry_s) if retry_s.isdigit() else self._pause()

    def _request(self, *, again: bool) -> bytes:
        asked = {"place": self._place, "pass": self._visit.known, "again": "1" if again else ""}
        query = "&".join(f"{name}={value}" for name, value in asked.items() if value)
        return f"POST {self._hall.path}/join?{query} HTTP/1.1\r\n{self._host}Content-Length: 0\r\n\r\n".encode()

    @staticmethod
    async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes, JoinAnswer]:
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(int(header(head, b"content-length") or 0))
        return int(head[9:12]), head, answers.decode(body)

    @property
    def _host(self) -> str:
        return f"Host: {self._hall.edges[self._at]}:{PORT}\r\n"

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Return when the edge has gone silent, or they leave. OSError if it is gone."""
        last = self._heard.last_seq
        self._heard.playout.until(time.monotonic())
        lacked_ms = round(1_000 * self._lacked_s())
        resume = "" if last is None else f"&from={last + 1}&lacked_ms={lacked_ms}&told_ms={self._told_ms}"
        query = f"ticket={self._ticket}&rendition={_RENDITION}{resume}"
        writer.write(f"GET {self._hall.path}/stream?{query} HTTP/1.1\r\n{self._host}\r\n".encode())
        async with asyncio.timeout(_ANSWER_S):
            head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            self._hall.refused[head[9:12].decode("latin-1")] += 1
            if head[9:12] == b"403":
                self._ticket = ""
            return
        self._told_ms = lacked_ms
        if self._reader is not None:
            self._reader = FrameReader()  # what was unfinished of another connection is void
        self._since_s = time.monotonic()
        if self._visit.style == "deaf":
            await asyncio.sleep(self._hall.ends_s)  # the reader takes 128 kB by itself, and then no more
        while self._left_s is None:
            silence_s = max(_SILENCE_MIN_S, _SILENCE_CADENCES * self._heard.playout.cadence_s)
            async with asyncio.timeout(silence_s):
                data = await reader.read(_READ_BYTES)
            if not data:
                return
            self._hear(data, time.monotonic())

    def _hear(self, data: bytes, now_s: float) -> None:
        heard = self._heard
        if heard.state == _HELD:
            self._held_s += now_s - self._since_s
        self._since_s, self._failures = now_s, 0
        heard.feed(data, now_s=now_s)
        if self._reader is not None:
            for frame in self._reader.feed(data):
                if frame.kind == MEDIA and len(frame.payload) < _SILENT_BYTES_MAX:
                    self._hall.silent.add(frame.seq)
        stay_s = _HASTY_S if self._visit.style == "hasty" else self._visit.stay_s
        if stay_s is not None and heard.first_sound_s is not None and now_s - heard.first_sound_s > stay_s:
            if self._visit.style == "person":
                self._left_s = now_s
            else:
                raise ConnectionError

    # --- what became of them -----------------------------------------------------------------------------

    def fate(self) -> Fate | None:
        """None for who is no person, or came too late to be judged."""
        asked_s, heard, began_s = self._asked_s, self._heard, self._hall.began_s
        if self._visit.style != "person" or asked_s is None or self._hall.ends_s - asked_s < PATIENCE_S:
            return None
        end_s = self._left_s or self._hall.ends_s
        first_s = heard.first_sound_s
        if first_s is None or first_s - asked_s > PATIENCE_S:
            return Fate(asked_s - began_s, None if first_s is None else first_s - began_s, "unheard")
        heard.close(now_s=end_s)
        harm, remark = "", ""
        if self._silent_s() + self._held_s > MISSED_MAX_S:
            harm, remark = "silent", f"silent {self._silent_s():.1f} s, held {self._held_s:.1f} s"
        if self._lacked_s() > MISSED_MAX_S:
            harm, remark = "cut", f"paused {heard.playout.paused_s:.1f} s, missed {heard.missed}"
        return Fate(asked_s - began_s, first_s - began_s, harm, remark)

    def _lacked_s(self) -> float:
        """Of sound, since the first."""
        return self._heard.playout.paused_s + self._heard.missed / _CHUNKS_PER_S

    def _silent_s(self) -> float:
        first, last = self._heard.first_seq, self._heard.last_seq
        if first is None or last is None:
            return 0.0
        return sum(first <= seq <= last for seq in self._hall.silent) / _CHUNKS_PER_S


def visitors(visits: Sequence[Visit], hall: Hall) -> list[Visitor]:
    return [Visitor(visit, hall, has_ears=number % _EARS_EVERY == 0) for number, visit in enumerate(visits)]
