"""What one listener hears, judged while it comes: numbers, gaps, pauses. Pure; cheap enough for thousands."""

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from rostra.core.errors import BadInputError
from rostra.core.framing import EVENT, FRAME_BYTES_MAX, INIT, MEDIA
from rostra.core.limits import RING_CHUNKS_MAX
from rostra.rehearsal.playout import Playout

UNHEARD: Final = -1
_KINDS: Final = frozenset({INIT, MEDIA, EVENT})
_HEADER_BYTES: Final = 4
_SEQ_BYTES: Final = 4


class Conversation(msgspec.Struct, frozen=True):
    """What the checkers use of the object `state` of docs/protocol.md §2."""

    state: str
    title: str = ""
    starts_ms: int = 0
    doors_ms: int = 0
    now_ms: int = 0
    listeners: int = 0
    seq: int | None = None


class Event(msgspec.Struct, frozen=True):
    """An EVENT frame of docs/protocol.md §3; a field that its `type` does not have keeps its default."""

    type: str
    cadence_ms: int = 0
    seq: int = UNHEARD
    now_ms: int = 0
    at: int = 0
    value: str = ""
    text: str = ""
    from_seq: int = 0
    count: int = 0
    to_seq: int = UNHEARD
    missed: int = 0
    alternates: tuple[str, ...] = ()
    reason: str = ""
    conversation: Conversation | None = None


_events = msgspec.json.Decoder(Event)


class Position(NamedTuple):
    """Where a listener is in its stream.

    `next_seq` is the chunk it needs next, `seq` the one it got last (UNHEARD: none). `owed` bytes of the
    current frame need not be looked at; `rest` is the beginning of a frame that has to be seen whole.
    `resumed` until the first new chunk of a resumed stream: an edge that is behind may repeat some.
    """

    next_seq: int = UNHEARD
    seq: int = UNHEARD
    owed: int = 0
    rest: bytes = b""
    resumed: bool = False


START: Final = Position()


class Heard(NamedTuple):
    """What some bytes brought.

    `chunks` new ones in order; `missing` that were left out without a word and `missed` with one
    (`moved`); `repeated` that had been heard before, `disordered` steps back among them.
    """

    position: Position
    chunks: int = 0
    missing: int = 0
    repeated: int = 0
    disordered: int = 0
    missed: int = 0
    events: tuple[Event, ...] = ()


def resume(position: Position) -> Position:
    """The position at the start of the next connection, which asks for `next_seq`."""
    return Position(position.next_seq, position.seq, resumed=position.next_seq != UNHEARD)


def follow(position: Position, data: bytes) -> Heard:
    """What `data` brings to a listener at `position`. BadInputError if this is no Rostra stream."""
    if position.owed > len(data):
        return Heard(position._replace(owed=position.owed - len(data)))
    at = position.owed
    if position.rest:
        data, at = position.rest + data, 0
    next_seq, seq, resumed = position.next_seq, position.seq, position.resumed
    chunks = missing = repeated = disordered = missed = 0
    events: list[Event] = []
    size = len(data)
    while size - at >= _HEADER_BYTES:
        kind = data[at]
        length = int.from_bytes(data[at + 1 : at + _HEADER_BYTES], "big")
        end = at + _HEADER_BYTES + length
        if kind not in _KINDS or length > FRAME_BYTES_MAX or (kind == MEDIA and length < _SEQ_BYTES):
            raise BadInputError(f"This is no Rostra stream: frame kind {kind}, length {length}.")
        if kind == MEDIA:
            if size - at < _HEADER_BYTES + _SEQ_BYTES:
                break
            now = int.from_bytes(data[at + _HEADER_BYTES : at + _HEADER_BYTES + _SEQ_BYTES], "big")
            if next_seq in (now, UNHEARD):
                chunks += 1
                next_seq, resumed = now + 1, False
            elif now > next_seq:
                chunks += 1
                missing += now - next_seq
                next_seq, resumed = now + 1, False
            elif not resumed:
                repeated += 1
                disordered += now < seq
            seq = now
        elif kind == EVENT:
            if end > size:
                break
            event = _event(data[at + _HEADER_BYTES : end])
            events.append(event)
            if event.type == "moved" and event.to_seq > next_seq != UNHEARD:
                missed += event.to_seq - next_seq
                next_seq = event.to_seq
            elif event.type == "hello" and UNHEARD < event.seq < next_seq - RING_CHUNKS_MAX:
                # The doors have been closed and opened again since: another programme, counted from zero.
                next_seq, resumed = event.seq, False
        at = end
    if at > size:
        position = Position(next_seq, seq, owed=at - size, resumed=resumed)
    else:
        position = Position(next_seq, seq, rest=data[at:], resumed=resumed)
    return Heard(position, chunks, missing, repeated, disordered, missed, tuple(events))


def _event(payload: bytes) -> Event:
    try:
        return _events.decode(payload)
    except ValueError as error:  # no JSON, no UTF-8, or a field of another type
        raise BadInputError(f"This is no event of a Rostra stream: {error}.") from error


class Lockstep:
    """`follow`, at the price of one comparison for listeners who hear the same bytes from the same position.

    The listeners of one group get the same write one after the other, so the last few answers are kept.
    """

    _KEPT_MAX: Final = 4

    def __init__(self) -> None:
        self._kept: list[tuple[bytes, Position, Heard]] = []

    def follow(self, position: Position, data: bytes) -> Heard:
        for kept, at, heard in self._kept:
            if kept == data and at == position:
                return heard
        heard = follow(position, data)
        self._kept.insert(0, (data, position, heard))
        del self._kept[self._KEPT_MAX :]
        return heard


class Continuity:
    """One listener: what came, what is missing of it, and when a player would have been short of sound.

    Times are monotonic seconds given by the caller. `follow` may be that of a `Lockstep` shared by many.
    """

    __slots__ = (
        "_follow",
        "_position",
        "alternates",
        "bytes",
        "chunks",
        "disordered",
        "end_reason",
        "first_seq",
        "first_sound_s",
        "missed",
        "missing",
        "moved",
        "newest_seq",
        "playout",
        "repeated",
        "state",
    )

    def __init__(self, follow: Callable[[Position, bytes], Heard] = follow) -> None:
        self._follow = follow
        self._position = START
        self.alternates: tuple[str, ...] = ()  # where to go on, as far as the edge has said
        self.bytes = 0
        self.chunks = 0
        self.disordered = 0
        self.end_reason: str | None = None
        self.first_seq: int | None = None
        self.first_sound_s: float | None = None
        self.missed = 0
        self.missing = 0
        self.moved = 0
        self.newest_seq: int | None = None  # the newest chunk of the edge at the last `hello`
        self.playout = Playout()
        self.repeated = 0
        self.state = ""

    @property
    def last_seq(self) -> int | None:
        """The newest chunk heard; the next stream is asked for `last_seq` + 1."""
        return None if self.chunks == 0 else self._position.next_seq - 1

    def reconnected(self) -> None:
        """A new response begins: what was unfinished of the old one is void."""
        self._position = resume(self._position)

    def feed(self, data: bytes, *, now_s: float) -> None:
        """Judge what has been received at `now_s`. BadInputError if it is no Rostra stream."""
        heard = self._follow(self._position, data)
        self._position = heard.position
        self.bytes += len(data)
        if heard.events or heard.missing or heard.repeated:
            self._note(heard)
        if heard.chunks:
            if self.first_sound_s is None:
                self.first_sound_s = now_s
                self.first_seq = heard.position.next_seq - heard.chunks - heard.missing - heard.missed
            self.chunks += heard.chunks
            self.playout.hear(heard.chunks, now_s=now_s)

    def close(self, *, now_s: float) -> None:
        """Listening ends at `now_s`: whoever hears nothing by then has a pause, unless it was the end."""
        if self.end_reason is None:
            self.playout.until(now_s)

    def _note(self, heard: Heard) -> None:
        self.missing += heard.missing
        self.missed += heard.missed
        self.repeated += heard.repeated
        self.disordered += heard.disordered
        for event in heard.events:
            match event.type:
                case "hello":
                    self.playout.cadence_s = event.cadence_ms / 1_000
                    if event.conversation is not None:
                        self.state = event.conversation.state
                        self.newest_seq = event.conversation.seq
                case "state":
                    self.state = event.value
                case "cadence":
                    self.playout.cadence_s = event.cadence_ms / 1_000
                case "moved":
                    self.moved += 1
                case "drain":
                    self.alternates = event.alternates
                case "ended":
                    self.end_reason = event.reason
                case _:  # what a page shows does not matter here
                    pass
