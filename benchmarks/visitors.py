"""Visitors who do at the door what the player does: wait, listen, go over to another rendition, leave."""

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from rostra.core.framing import EVENT, MEDIA, FrameReader


@dataclass(eq=False)
class Visitor:
    """`told` is every answer while waiting, `gaps` what was missing in the stream, `strange` any answer but these."""

    number: int
    port: int
    conversation: str
    stays_s: float
    began_s: float = 0.0
    first_word_s: float | None = None  # the programme, or a place with music
    in_s: float | None = None
    told: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    gaps: int = 0
    strange: list[str] = field(default_factory=list)
    rendition: str = ""
    listening: bool = False
    _ticket: str = ""
    _newest: int = -1
    _over: bool = False

    async def visit(self) -> None:
        self.began_s = time.monotonic()
        joined = await self._join({})
        while joined is not None and joined["status"] == "waiting":
            self._heard()
            self.told.append((time.monotonic(), joined))
            await asyncio.sleep(joined["again_s"])
            joined = await self._join({"place": joined["place"]})
        if joined is None:
            return
        self.in_s = time.monotonic()
        self._take(joined)
        async with asyncio.TaskGroup() as streams:
            self._streams = streams
            streams.create_task(self._leave(), name="leaving")
            streams.create_task(self._stream(None), name="stream")

    async def _leave(self) -> None:
        await asyncio.sleep(self.stays_s)
        self._over = True

    def _heard(self) -> None:
        if self.first_word_s is None:
            self.first_word_s = time.monotonic() - self.began_s

    def _take(self, joined: dict[str, Any]) -> None:
        self._ticket = joined["ticket"]
        self.rendition = next(each["name"] for each in joined["renditions"] if each["name"].startswith("webm"))

    async def _join(self, query: dict[str, str]) -> dict[str, Any] | None:
        head, reader, writer = await self._ask("POST", f"join?{urlencode(query)}")
        length = next(int(line[15:]) for line in head if line.lower().startswith("content-length:"))
        answer = json.loads(await reader.readexactly(length))
        writer.close()
        if answer["status"] not in {"admitted", "waiting"}:
            self.strange.append(f"join: {answer}")
            return None
        return dict(answer)

    async def _ask(self, method: str, target: str) -> tuple[list[str], asyncio.StreamReader, asyncio.StreamWriter]:
        # Each comes from a network of its own: a crowd behind one would wait for its turns.
        source = f"127.{self.number // 200 + 1}.{self.number % 200 + 1}.1"
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=(source, 0))
        writer.write(f"{method} /c/{self.conversation}/{target} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        return head, reader, writer

    async def _stream(self, former: asyncio.Event | None) -> None:
        """One stream, until the visitor leaves or another one goes on; it lets `former` go when it sounds."""
        query = {"ticket": self._ticket, "rendition": self.rendition}
        if self._newest >= 0:
            query["from"] = str(self._newest + 1)
        head, reader, writer = await self._ask("GET", f"stream?{urlencode(query)}")
        if head[0].split()[1] != str(HTTPStatus.OK.value):
            self.strange.append(f"stream: {head[0]}")
            writer.close()
            return
        frames, replaced, self.listening = FrameReader(), asyncio.Event(), True
        while not self._over and not replaced.is_set():
            data = await reader.read(65_536)
            if not data:
                self.strange.append("the stream ended")
                break
            for frame in frames.feed(data):
                if frame.kind == MEDIA:
                    self._heard()
                    if former is not None:
                        former.set()
                    self._hear(frame.seq)
                elif frame.kind == EVENT and json.loads(frame.payload)["type"] == "rendition":
                    self._streams.create_task(self._go_over(json.loads(frame.payload), replaced), name="going over")
        self.listening = not self._over
        writer.close()

    def _hear(self, seq: int) -> None:
        if self._newest >= 0 and seq > self._newest + 1:
            self.gaps += seq - self._newest - 1
        self._newest = max(self._newest, seq)

    async def _go_over(self, event: dict[str, Any], replaced: asyncio.Event) -> None:
        await asyncio.sleep(random.random() * event["within_s"])
        joined = None if self._over else await self._join({"ticket": self._ticket})
        if joined is None or joined["status"] != "admitted":
            return
        before = self.rendition
        self._take(joined)
        if self.rendition != before:
            await self._stream(replaced)
