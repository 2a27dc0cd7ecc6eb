"""Pieces of sound that have come: put in order, then appended, the first of a new segment, or dropped. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import takewhile
from typing import Final

HOLE_PATIENCE_S: Final = 2.0  # a seat repeats with its next message; a file's may be a second away
# A live source that paused goes on with the next number, due later. A gate's frames are due when they are sent, so
# they come late after a stall of the gate and are soon in time again: that is no pause.
_PAUSE_NS: Final = 200_000_000


@dataclass(frozen=True, slots=True)
class Piece:
    """Sound of one track as it came: `count` numbers from `number` on, the first of which begins at `starts_ns`."""

    number: int
    count: int
    starts_ns: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a track goes on: its next number, and the wall instant at which that would begin."""

    number: int
    starts_ns: int


class Placement(Enum):
    """What becomes of a piece."""

    DROP = auto()  # it is there already
    APPEND = auto()
    OPEN = auto()  # it begins a new segment


def place(piece: Piece, cursor: Cursor | None, *, paused_matters: bool) -> Placement:
    """What becomes of `piece` in a track that has come to `cursor` (None: nothing yet).

    `paused_matters`: a pause in wall time begins a new segment too. It does so in stems, whose only clock is the
    wall; the programme's numbers are its clock.
    """
    if cursor is None:
        return Placement.OPEN
    if piece.number < cursor.number:
        return Placement.DROP
    if piece.number > cursor.number:
        return Placement.OPEN
    paused = paused_matters and abs(piece.starts_ns - cursor.starts_ns) >= _PAUSE_NS
    return Placement.OPEN if paused else Placement.APPEND


def after(piece: Piece, cursor: Cursor | None, *, unit_ns: int) -> Cursor:
    """Where a track goes on after `piece`: the first of a segment (`cursor` None), or appended at `cursor`.

    A segment's time is that of its first sample and counts on from there.
    """
    starts_ns = piece.starts_ns if cursor is None else cursor.starts_ns
    return Cursor(piece.number + piece.count, starts_ns + piece.count * unit_ns)


class ReorderBuffer:
    """One track's pieces that wait to be written, in the order of their numbers; when it is full the oldest goes.

    Whoever was away hears first what is said now, and then what is repeated. So what lies behind a hole waits
    HOLE_PATIENCE_S for the hole to be filled. `next_number` is the first that is wanted, None if nobody knows. Time
    is any clock's seconds.
    """

    def __init__(self, next_number: int | None, *, pieces_max: int) -> None:
        self.dropped_pieces = 0
        self._pieces_max = pieces_max
        self._next = next_number
        self._pieces: dict[int, Piece] = {}
        self._hole_since_s: float | None = None

    def __len__(self) -> int:
        return len(self._pieces)

    @property
    def hole(self) -> range | None:
        """The numbers that are missing before the first piece."""
        first = min(self._pieces, default=None)
        return None if first is None or self._next is None or first <= self._next else range(self._next, first)

    def offer(self, piece: Piece) -> bool:
        """Whether `piece` is new."""
        if piece.number in self._pieces or (self._next is not None and piece.number < self._next):
            return False
        self._pieces[piece.number] = piece
        if len(self._pieces) > self._pieces_max:
            del self._pieces[min(self._pieces)]
            self.dropped_pieces += 1
        return True

    def take(self, now_s: float, *, patience_s: float = HOLE_PATIENCE_S) -> list[Piece]:
        """What is to be written now, in order."""
        waiting = [self._pieces[number] for number in sorted(self._pieces)]
        taken = list(takewhile(self._follows, waiting))
        if len(taken) == len(waiting):
            self._hole_since_s = None
        elif self._hole_since_s is None:
            self._hole_since_s = now_s
        if self._hole_since_s is not None and now_s - self._hole_since_s >= patience_s:
            taken, self._hole_since_s = waiting, None
        for piece in taken:
            del self._pieces[piece.number]
            self._next = piece.number + piece.count
        return taken

    def _follows(self, piece: Piece) -> bool:
        """Whether `piece` goes on where what was taken ends; then what follows it is asked next."""
        if self._next is None or piece.number > self._next:
            return False
        self._next = max(self._next, piece.number + piece.count)
        return True

    def put_back(self, pieces: Sequence[Piece]) -> None:
        """What was taken last could not be written."""
        if pieces:
            self._next = pieces[0].number
        for piece in pieces:
            self.offer(piece)
