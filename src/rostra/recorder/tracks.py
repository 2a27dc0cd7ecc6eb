"""What becomes of a piece of sound that has come: appended, the first of a new segment, or dropped. Pure."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

# A live source that paused goes on with the next number, due later. Less than a frame is rounding, not a pause.
_PAUSE_NS: Final = 20_000_000


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


def after(piece: Piece, *, unit_ns: int) -> Cursor:
    """The cursor of a track whose newest piece is `piece`."""
    return Cursor(piece.number + piece.count, piece.starts_ns + piece.count * unit_ns)
