"""One connection to NATS: publish, subscribe, and read streams by direct get (ADR-31 of NATS)."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from nats.js.errors import APIError

from rostra.bus.leaving import LeavingClient, taken
from rostra.bus.subjects import Role, inbox_prefix
from rostra.core.errors import BusError, ConflictError, StorageError

if TYPE_CHECKING:
    from rostra.core.messages import Message

_log = structlog.get_logger()

# A restarted server is ready in 0.3 s; asking 20 times a second costs nothing and loses 50 ms at most.
_RECONNECT_WAIT_S: Final = 0.05
_CONNECT_TIMEOUT_S: Final = 2.0
# A server that hangs without closing the connection is given up after two missed pings.
_PING_INTERVAL_S: Final = 2
_REQUEST_TIMEOUT_S: Final = 2.0
_NEVER_S: Final = 3600.0  # the deadline is `_answer_due`'s, which also knows when the connection is lost
_SUBSCRIPTION_BYTES_MAX: Final = 16 * 1024 * 1024  # 400 s of one programme: beyond it the reader is dead
_BATCH_BYTES_MAX: Final = 4 * 1024 * 1024  # of one answer: what is more is asked for next
_WRONG_LAST_SEQUENCE: Final = 10_071
_ENDS: Final = frozenset({"204", "404"})


@dataclass(frozen=True, slots=True)
class Address:
    """Where the bus is, and the file that lets us in (`.creds`, or a bare NKey seed)."""

    urls: tuple[str, ...]
    credentials: Path | None


@dataclass(frozen=True, slots=True)
class Stored:
    """A message in a stream."""

    subject: str
    payload: bytes
    revision: int


class Connection:
    """A live connection that reconnects for ever. `connected_since` is monotonic seconds, or None."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.connected_since: float | None = None
        self.is_closing = False
        self.reported: Message | None = None  # what this process last said of itself
        self._connected = asyncio.Event()
        self._deadlines: set[asyncio.Timeout] = set()

    @asynccontextmanager
    async def _answer_due(self) -> AsyncIterator[None]:
        """Raise TimeoutError after _REQUEST_TIMEOUT_S, and at once when the connection is lost."""
        with _cancellable():
            async with asyncio.timeout(_REQUEST_TIMEOUT_S) as deadline:
                self._deadlines.add(deadline)
                try:
                    yield
                finally:
                    self._deadlines.discard(deadline)

    def established(self) -> None:
        self.connected_since = time.monotonic()
        self._connected.set()
        self._connected = asyncio.Event()

    async def connections(self) -> AsyncGenerator[float, None]:
        """`connected_since` now and after each reconnection, for ever; subscriptions are in place by then."""
        since_s: float | None = None
        while True:
            connected = self._connected
            if self.connected_since not in {None, since_s}:
                since_s = self.connected_since
                assert since_s is not None
                yield since_s
            else:
                await connected.wait()

    def lost(self) -> None:
        """The connection broke: whoever waits for an answer stops waiting."""
        self.connected_since = None
        now = asyncio.get_running_loop().time()
        for deadline in self._deadlines:
            deadline.reschedule(now)

    async def publish(self, subject: str, payload: bytes) -> None:
        """Fire and forget. BusError while the bus is away: nothing is buffered behind the caller's back."""
        try:
            await self.client.publish(subject, payload)
        except NatsError as error:
            raise BusError("The bus is away.") from error

    async def store(
        self,
        subject: str,
        payload: bytes,
        *,
        message_id: str | None = None,
        expected_revision: int | None = None,
    ) -> int:
        """Append to the stream that holds `subject`, wait for the acknowledgement, return its sequence.

        `message_id` makes a repetition harmless; `expected_revision` is the last sequence of this subject
        (0: none yet), else ConflictError. BusError if the bus is away, StorageError if it is there and does not
        acknowledge.
        """
        headers: dict[str, str] = {}
        if message_id is not None:
            headers["Nats-Msg-Id"] = message_id
        if expected_revision is not None:
            headers["Nats-Expected-Last-Subject-Sequence"] = str(expected_revision)
        try:
            async with self._answer_due():
                reply = await self.client.request(subject, payload, timeout=_NEVER_S, headers=headers)
        except NoRespondersError as error:
            raise StorageError(f"No stream takes {subject}.") from error
        except (NatsError, TimeoutError) as error:
            alive = isinstance(error, TimeoutError) and self.connected_since is not None
            raise (StorageError if alive else BusError)(f"The bus did not acknowledge {subject}.") from error
        answer = json.loads(reply.data)
        if failure := answer.get("error"):
            if failure.get("err_code") == _WRONG_LAST_SEQUENCE:
                raise ConflictError(f"Somebody else wrote {subject} first.")
            raise StorageError(f"The bus refused {subject}: {failure.get('description')}.")
        return int(answer["seq"])

    async def last(self, stream: str, subject: str) -> Stored | None:
        """The newest message of `subject` in `stream`; asked by a name that permissions can tell from others."""
        found = await self._direct_get(f"{stream}.{subject}", None)
        return found[0] if found else None

    async def last_of_any(self, stream: str, pattern: str) -> Stored | None:
        """The newest message in `stream` of any subject like `pattern`."""
        found = await self._direct_get(stream, {"last_by_subj": pattern})
        return found[0] if found else None

    async def last_of_each(self, stream: str, subjects: list[str]) -> list[Stored]:
        """The newest message of each of `subjects` that exists, in stream order."""
        return await self._direct_get(stream, {"multi_last": subjects, "batch": 1000})

    async def after(self, stream: str, pattern: str, sequence: int) -> list[Stored]:
        """What `stream` has of subjects like `pattern` behind `sequence`, oldest first: 1,000 messages at most."""
        query = {"seq": sequence + 1, "next_by_subj": pattern, "batch": 1000, "max_bytes": _BATCH_BYTES_MAX}
        return await self._direct_get(stream, query)

    async def _direct_get(self, source: str, query: dict[str, Any] | None) -> list[Stored]:
        inbox = self.client.new_inbox()
        request = b"" if query is None else json.dumps(query).encode()
        try:
            async with self._answer_due():
                subscription = await self.client.subscribe(inbox)
                try:
                    await self.client.publish(f"$JS.API.DIRECT.GET.{source}", request, reply=inbox)
                    return await _batch(subscription, until_status=query is not None and "batch" in query)
                finally:
                    await subscription.unsubscribe()
        except (NatsError, TimeoutError, OSError) as error:
            raise BusError(f"The bus did not answer about {source}.") from error

    async def request(self, subject: str, payload: bytes, *, timeout_s: float) -> bytes:
        """The answer of whoever listens there. BusError if nobody does, or not in time."""
        try:
            with _cancellable():
                reply = await self.client.request(subject, payload, timeout=timeout_s)
        except (NatsError, TimeoutError) as error:
            raise BusError(f"Nobody answered on {subject}.") from error
        return reply.data

    async def subscribe(self, subject: str, *, queue: str = "") -> AsyncGenerator[Msg, None]:
        """Every message published to `subject` from now on, for ever, across reconnects.

        Of those who subscribe with the same `queue` each message goes to one.
        """
        subscription = await self.client.subscribe(
            subject, queue=queue, pending_msgs_limit=-1, pending_bytes_limit=_SUBSCRIPTION_BYTES_MAX
        )
        try:
            async with aclosing(taken(subscription)) as messages:
                async for message in messages:
                    yield message
        finally:
            if not self.client.is_closed:
                await subscription.unsubscribe()

    @asynccontextmanager
    async def notified(self, subject: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set whenever something is published to `subject`; whoever waits clears it."""
        event = asyncio.Event()

        async def notify(_: Msg) -> None:
            event.set()

        subscription = await self.client.subscribe(subject, cb=notify)
        try:
            yield event
        finally:
            if not self.client.is_closed:
                await subscription.unsubscribe()

    async def management(self, action: str, body: dict[str, Any]) -> dict[str, Any]:
        """One request of the JetStream management API, e.g. `STREAM.CREATE.x`. BusError if it is refused."""
        try:
            async with self._answer_due():
                reply = await self.client.request(f"$JS.API.{action}", json.dumps(body).encode(), timeout=_NEVER_S)
        except (NatsError, APIError, TimeoutError) as error:
            raise BusError(f"The bus did not answer {action}.") from error
        answer: dict[str, Any] = json.loads(reply.data)
        if failure := answer.get("error"):
            raise BusError(f"The bus refused {action}: {failure.get('description')}.")
        return answer


@contextmanager
def _cancellable() -> Iterator[None]:
    """Be cancelled if that was asked for just when an answer came: before 3.12 the client's `wait_for` forgets it.

    Whoever was being cancelled before, and cleans up, is left alone.
    """
    task = asyncio.current_task()
    asked = 0 if task is None else task.cancelling()
    try:
        yield
    finally:
        if task is not None and task.cancelling() > asked:
            raise asyncio.CancelledError


async def _batch(subscription: Subscription, *, until_status: bool) -> list[Stored]:
    """The messages of one direct get; a batch ends with a status (404: nothing there, 204: end).

    StorageError for any other (503: JetStream is off, or not yet on).
    """
    found: list[Stored] = []
    while True:
        message = await subscription.next_msg(timeout=_NEVER_S)
        headers = message.headers or {}
        if (status := headers.get("Status")) is not None:
            if status not in _ENDS:
                raise StorageError(f"The bus cannot read its streams (status {status}).")
            return found
        found.append(Stored(headers["Nats-Subject"], message.data, int(headers["Nats-Sequence"])))
        if not until_status:
            return found


@asynccontextmanager
async def connect(address: Address, *, role: Role, name: str) -> AsyncIterator[Connection]:
    """Connect, or BusError in two seconds; afterwards reconnect for ever, until the block is left."""
    client = LeavingClient()
    connection = Connection(client)

    async def disconnected() -> None:
        if connection.connected_since is not None:
            connection.lost()
        if not connection.is_closing:
            _log.warning("bus.disconnected", name=name)

    async def reconnected() -> None:
        connection.established()
        _log.info("bus.reconnected", name=name)

    async def failed(error: Exception) -> None:
        # The client reports each refused connection attempt too; those are told by `disconnected` already.
        if connection.connected_since is not None:
            _log.warning("bus.error", name=name, error=str(error) or type(error).__name__)

    options: dict[str, Any] = {}
    if address.credentials is not None:
        kind = "user_credentials" if address.credentials.suffix == ".creds" else "nkeys_seed"
        options[kind] = str(address.credentials)
    try:
        await asyncio.wait_for(
            client.connect(
                list(address.urls),
                name=name,
                inbox_prefix=inbox_prefix(role),
                max_reconnect_attempts=-1,
                reconnect_time_wait=_RECONNECT_WAIT_S,  # type: ignore[arg-type] # a float works
                connect_timeout=1,
                ping_interval=_PING_INTERVAL_S,
                max_outstanding_pings=2,
                pending_size=0,
                disconnected_cb=disconnected,
                reconnected_cb=reconnected,
                error_cb=failed,
                no_echo=role is Role.GATE,  # it has what it says itself: 650 messages a second of a full stage
                **options,
            ),
            _CONNECT_TIMEOUT_S,
        )
    except (NatsError, OSError, TimeoutError) as error:
        connection.is_closing = True
        await client.close()
        raise BusError(
            f"No bus at {', '.join(address.urls)}: is `rostra serve` running, are the credentials right?"
        ) from error
    connection.established()
    try:
        yield connection
    finally:
        connection.is_closing = True
        await client.close()
