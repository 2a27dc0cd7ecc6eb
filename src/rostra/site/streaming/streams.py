"""The streams that are open in this process, and the queue of each. Pure but for asyncio's queues."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import orjson

from rostra.core.limits import STREAM_FRAMES_MAX, STREAM_SUBSCRIPTIONS_MAX, STREAMS_PER_ACCOUNT_MAX
from rostra.site.snowflake import parse_snowflake

# Mastodon's names, each with the scope that it needs.
NAMES: Final = {
    "user": "read:statuses",
    "user:notification": "read:notifications",
    "public": "read:statuses",
    "public:local": "read:statuses",
    "public:remote": "read:statuses",
    "public:media": "read:statuses",
    "public:local:media": "read:statuses",
    "public:remote:media": "read:statuses",
    "hashtag": "read:statuses",
    "hashtag:local": "read:statuses",
    "list": "read:lists",
    "direct": "read:statuses",
}
PERSONAL: Final = frozenset({"user", "user:notification", "direct"})
_ARGUMENTS: Final = {"hashtag": "tag", "hashtag:local": "tag", "list": "list"}


@dataclass(frozen=True, slots=True)
class Stream:
    """One of `NAMES`; `argument` is the key of a hashtag, the id of a list, or whose a personal one is."""

    name: str
    argument: str = ""

    @property
    def labels(self) -> list[str]:
        """As frames of the WebSocket name it."""
        return [self.name] if self.name in PERSONAL or not self.argument else [self.name, self.argument]


@dataclass(frozen=True, slots=True)
class Unknown:
    """No stream, with Mastodon's words for it."""

    message: str


def stream_of(name: str, account_id: int, *, tag: str = "", list_id: str = "") -> Stream | Unknown:
    """What a client means."""
    if name not in NAMES:
        return Unknown("Unknown stream type")
    match _ARGUMENTS.get(name):
        case "tag":
            key = tag.removeprefix("#").lower()
            return Stream(name, key) if key else Unknown("Missing tag name parameter")
        case "list":
            known = parse_snowflake(list_id)
            return Stream(name, str(known)) if known else Unknown("Missing list name parameter")
        case _:
            return Stream(name, str(account_id) if name in PERSONAL else "")


@dataclass(frozen=True)
class Frame:
    """One event, written once for all who get it. `payload` is JSON, or the id of what was deleted, or nothing."""

    event: str
    payload: str | None = None

    @cached_property
    def sse(self) -> bytes:
        """Event first, one line of data: other clients' parsers take nothing else (microblog.md §3).

        Mastodon writes nothing as JavaScript does, and its clients look for that word.
        """
        return f"event: {self.event}\ndata: {'undefined' if self.payload is None else self.payload}\n\n".encode()

    @cached_property
    def _tail(self) -> str:
        payload = {} if self.payload is None else {"payload": self.payload}
        return orjson.dumps({"event": self.event} | payload).decode()[1:]

    def message(self, stream: Stream) -> str:
        return f'{{"stream":{orjson.dumps(stream.labels).decode()},{self._tail}'


@dataclass(eq=False, slots=True)
class Listener:
    """One connection: who, by which token, what it wants, and what waits to be written to it."""

    account_id: int
    token_id: int
    streams: set[Stream] = field(default_factory=set)
    is_closed: bool = False
    _waiting: asyncio.Queue[tuple[Stream, Frame] | None] = field(
        default_factory=lambda: asyncio.Queue(STREAM_FRAMES_MAX)
    )

    def give(self, stream: Stream, frame: Frame) -> None:
        """Queue a frame. Who reads so slowly that the queue is full is closed, and asks for what it missed."""
        if self.is_closed:
            return
        try:
            self._waiting.put_nowait((stream, frame))
        except asyncio.QueueFull:
            self.close()

    def close(self) -> None:
        """Nothing more comes, not even what waits."""
        self.is_closed = True
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._waiting.put_nowait(None)

    async def next(self) -> tuple[Stream, Frame] | None:
        """What comes next, or None when it is closed."""
        return await self._waiting.get()


class Streams:
    """Who listens to what."""

    def __init__(self) -> None:
        self._by_stream: defaultdict[Stream, set[Listener]] = defaultdict(set)
        self._by_account: defaultdict[int, set[Listener]] = defaultdict(set)

    def open(self, account_id: int, token_id: int) -> Listener | None:
        """A new connection, or None if the account has as many as it may."""
        if len(self._by_account[account_id]) >= STREAMS_PER_ACCOUNT_MAX:
            return None
        listener = Listener(account_id, token_id)
        self._by_account[account_id].add(listener)
        return listener

    def close(self, listener: Listener) -> None:
        for stream in list(listener.streams):
            self.unsubscribe(listener, stream)
        self._by_account[listener.account_id].discard(listener)
        if not self._by_account[listener.account_id]:
            del self._by_account[listener.account_id]
        listener.close()

    def subscribe(self, listener: Listener, stream: Stream) -> bool:
        """False if it has as many as it may."""
        if len(listener.streams) >= STREAM_SUBSCRIPTIONS_MAX:
            return False
        listener.streams.add(stream)
        self._by_stream[stream].add(listener)
        return True

    def unsubscribe(self, listener: Listener, stream: Stream) -> None:
        listener.streams.discard(stream)
        self._by_stream[stream].discard(listener)
        if not self._by_stream[stream]:
            del self._by_stream[stream]

    def __len__(self) -> int:
        return sum(len(listeners) for listeners in self._by_account.values())

    def of(self, names: Collection[str]) -> list[Stream]:
        """The streams of these names that somebody listens to."""
        return [stream for stream in self._by_stream if stream.name in names]

    def accounts(self, stream: Stream) -> set[int]:
        """Who listens to it."""
        return {listener.account_id for listener in self._by_stream.get(stream, ())}

    def owners(self, name: str) -> set[int]:
        """Whose personal stream of that name is listened to."""
        return {int(stream.argument) for stream in self.of({name})}

    def give(self, stream: Stream, frame: Frame, *, to: Collection[int] | None = None) -> None:
        """To all who listen to it, or those of the accounts `to`."""
        for listener in list(self._by_stream.get(stream, ())):
            if to is None or listener.account_id in to:
                listener.give(stream, frame)

    def end_account(self, account_id: int) -> None:
        self._end(self._by_account.get(account_id, ()))

    def end_token(self, token_id: int) -> None:
        self._end(each for every in self._by_account.values() for each in every if each.token_id == token_id)

    def token_ids(self) -> set[int]:
        """The tokens by which somebody listens."""
        return {each.token_id for every in self._by_account.values() for each in every}

    @staticmethod
    def _end(listeners: Iterable[Listener]) -> None:
        for listener in list(listeners):
            listener.close()
