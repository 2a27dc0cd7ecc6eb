"""The bus in a world without time: what JetStream promises and nothing more.

Deliveries take a while of their own but keep their order; what is under way when a connection breaks is lost; a
write whose acknowledgement is lost has happened all the same.
"""

import asyncio
import contextvars
import random
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from virtual import World

from rostra.bus import connection as bus_connection
from rostra.bus.connection import Stored
from rostra.bus.subjects import PROGRAMME_STREAM
from rostra.core.errors import BusError, ConflictError

DELAY_S = (0.0002, 0.003)
SLOW_DELAY_S = 0.08  # now and then: a scheduler's hiccup, a retransmission
SLOW_EACH = 200
RECONNECT_S = (0.05, 0.3)
WIRE = contextvars.Context()  # belongs to no machine: what is under way arrives, whatever becomes of the sender
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Message:
    subject: str
    data: bytes
    reply: str = ""


def _pattern(subject: str) -> re.Pattern[str]:
    return re.compile(re.escape(subject).replace(r"\*", r"[^.]+").replace(">", ".+"))


class Cluster:
    """The server: what is stored, and who is connected."""

    def __init__(self, world: World, chance: random.Random) -> None:
        self.world = world
        self.chance = chance
        self.up = True
        self._stored: dict[str, Stored] = {}
        self._revision = 0
        self._connections: list[Connection] = []

    def connect(self) -> "Connection":
        connection = Connection(self)
        self._connections.append(connection)
        return connection

    def restart(self, *, after_s: float) -> None:
        """Killed, and started again with what was on its disk."""
        self.up = False
        for connection in self._connections:
            connection.lose()
        self.world.call_later(after_s, self._come_up)

    def _come_up(self) -> None:
        self.up = True
        for connection in self._connections:
            connection.heal()

    def write(self, subject: str, payload: bytes, expected_revision: int | None) -> int:
        self.spread(Message(subject, payload))  # who subscribes hears it, whether the stream takes it or not
        before = self._stored.get(subject)
        if expected_revision is not None and expected_revision != (before.revision if before else 0):
            raise ConflictError(f"Somebody else wrote {subject} first.")
        self._revision += 1
        self._stored.pop(subject, None)  # the newest is the last
        self._stored[subject] = Stored(subject, payload, self._revision)
        return self._revision

    def spread(self, message: Message) -> None:
        for connection in self._connections:
            connection.deliver(message)

    def find(self, subjects: list[str], *, stream: str) -> list[Stored]:
        """The newest message of each subject, in stream order; `last_by_subj` is the last of them."""
        prefix = "rostra.programme." if stream == PROGRAMME_STREAM else "$KV."
        patterns = [_pattern(subject) for subject in subjects if "*" in subject or ">" in subject]
        names = set(subjects)
        return [
            stored
            for name, stored in self._stored.items()
            if name.startswith(prefix) and (name in names or any(each.fullmatch(name) for each in patterns))
        ]


class Connection:
    """Stands in for `rostra.bus.connection.Connection`."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._world = cluster.world
        self._chance = cluster.chance
        self._readers: list[tuple[re.Pattern[str], Callable[[Message], None]]] = []
        self._due_s = {"in": 0.0, "out": 0.0}
        self._life = 0
        self.cut_off = False
        self.connected_since: float | None = self._world.time()
        self._connected = asyncio.Event()
        self._open: dict[asyncio.Future[Any], None] = {}

    # --- what happens to it --------------------------------------------------------------------------

    def lose(self) -> None:
        self.connected_since = None
        self._life += 1  # what is under way never arrives
        for answer in list(self._open):
            if not answer.done():
                answer.set_exception(BusError("The bus did not answer."))

    def heal(self) -> None:
        self._world.call_later(self._chance.uniform(*RECONNECT_S), self._reconnect, self._life)

    def _reconnect(self, life: int) -> None:
        if life == self._life and self._cluster.up and not self.cut_off:
            self.connected_since = self._world.time()
            self._connected.set()
            self._connected = asyncio.Event()

    connections = bus_connection.Connection.connections

    def cut(self, *, seconds: float) -> None:
        """A partition: for so long nothing goes in or out."""
        self.cut_off = True
        self.lose()

        def mend() -> None:
            self.cut_off = False
            self.heal()

        self._world.call_later(seconds, mend)

    def deliver(self, message: Message) -> None:
        if self.connected_since is None:
            return
        for pattern, reader in self._readers:
            if pattern.fullmatch(message.subject):
                due_s = self._arrival_s("in")
                self._world.call_at(due_s, self._hand_over, self._life, reader, message, context=WIRE)

    def _arrival_s(self, way: str) -> float:
        """When what is sent now arrives. One way of one connection keeps its order."""
        delay_s = self._chance.uniform(*DELAY_S)
        if self._chance.randrange(SLOW_EACH) == 0:
            delay_s = SLOW_DELAY_S
        self._due_s[way] = max(self._due_s[way] + 1e-9, self._world.time() + delay_s)
        return self._due_s[way]

    def _hand_over(self, life: int, reader: Callable[[Any], None], message: Any) -> None:
        if life == self._life:
            reader(message)

    # --- what the code under test asks of it -----------------------------------------------------------

    async def publish(self, subject: str, payload: bytes) -> None:
        await self._publish(Message(subject, payload))

    async def _publish(self, message: Message) -> None:
        if self.connected_since is None:
            raise BusError("The bus is away.")
        self._world.call_at(
            self._arrival_s("out"), self._hand_over, self._life, self._cluster.spread, message, context=WIRE
        )

    async def _request(self, act: Callable[[], Answer]) -> Answer:
        """What the server answers; BusError if the connection breaks on the way there or back."""
        if self.connected_since is None:
            raise BusError("The bus is away.")
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._open[answer] = None

        def arrive(_: None) -> None:
            try:
                made, failure = act(), None
            except ConflictError as error:
                made, failure = None, error
            back_s = self._arrival_s("in")
            self._world.call_at(back_s, self._hand_over, self._life, finish, (made, failure), context=WIRE)

        def finish(said: tuple[Any, ConflictError | None]) -> None:
            if not answer.done():
                answer.set_result(said[0]) if said[1] is None else answer.set_exception(said[1])

        self._world.call_at(self._arrival_s("out"), self._hand_over, self._life, arrive, None, context=WIRE)
        try:
            return await answer
        finally:
            self._open.pop(answer, None)

    async def store(
        self, subject: str, payload: bytes, *, message_id: str = "", expected_revision: int | None = None
    ) -> int:
        del message_id  # an expected revision does all that it would
        return await self._request(lambda: self._cluster.write(subject, payload, expected_revision))

    async def last(self, stream: str, subject: str) -> Stored | None:
        found = await self.last_of_each(stream, [subject])
        return found[-1] if found else None

    async def last_of_any(self, stream: str, pattern: str) -> Stored | None:
        return await self.last(stream, pattern)

    async def request(self, subject: str, payload: bytes, *, timeout_s: float) -> bytes:
        inbox = f"_INBOX.{self._chance.getrandbits(60)}"
        replies: asyncio.Queue[Message] = asyncio.Queue()
        reader = (_pattern(inbox), replies.put_nowait)
        self._readers.append(reader)
        try:
            await self._publish(Message(subject, payload, inbox))
            async with asyncio.timeout(timeout_s):
                return (await replies.get()).data
        except TimeoutError as error:
            raise BusError(f"Nobody answered on {subject}.") from error
        finally:
            self._readers.remove(reader)

    async def last_of_each(self, stream: str, subjects: list[str]) -> list[Stored]:
        return await self._request(lambda: self._cluster.find(subjects, stream=stream))

    async def subscribe(self, subject: str) -> AsyncGenerator[Message, None]:
        messages: asyncio.Queue[Message] = asyncio.Queue()
        self._readers.append((_pattern(subject), messages.put_nowait))
        while True:
            yield await messages.get()

    @asynccontextmanager
    async def notified(self, subject: str) -> AsyncIterator[asyncio.Event]:
        event = asyncio.Event()

        def notify(_: Any) -> None:
            event.set()

        self._readers.append((_pattern(subject), notify))
        yield event
