"""Who is written when: the lockstep planner of one conversation, rendition and surface. Pure.

A group `(cadence, phase)` gets, when chunk `n` with `n mod cadence == phase` has come, the chunks
`n - cadence + 1 … n` in one write per listener. So the chunk clock itself spreads the writes of one cadence
over time, and between two chunks every group's position is known without being stored. Listeners are
file descriptors; what is done with them is `fanout`'s business.
"""

import math
from collections.abc import Iterator
from typing import Final

# Newcomers between two chunks go to so many of the least filled groups: each needs an opening of its own (50 us),
# and the next chunk opens others.
OPEN_GROUPS: Final = 4
NOTHING_WRITTEN: Final = (-2, 0.0, 0)


class Group:
    """Listeners at the same position. `cadence` in chunks, `phase` in `0 … cadence - 1`.

    `written` is the last chunk that was written to all of them, when, and to how many.
    """

    __slots__ = ("cadence", "cohort", "members", "phase", "written")

    def __init__(self, cohort: "Cohort", cadence: int, phase: int) -> None:
        self.cohort = cohort
        self.cadence = cadence
        self.phase = phase
        self.members: set[int] = set()
        self.written = NOTHING_WRITTEN

    def position(self, newest: int, *, floor: int) -> int:
        """The last chunk that the group has been given (or is just being given) when `newest` has come.

        `floor` is the first chunk since the ring's last gap: everybody has been given what was before it.
        """
        return max(newest - (newest - self.phase) % self.cadence, floor - 1)


def _size(group: Group) -> int:
    return len(group.members)


class Cohort:
    """All groups of one conversation, rendition and surface.

    `seats` (listener → group) is shared by all cohorts of a worker, so that one look-up finds who has gone.
    """

    def __init__(self, cadence: int, seats: dict[int, Group]) -> None:
        self.cadence = cadence
        self._seats = seats
        self._groups: dict[tuple[int, int], Group] = {}
        self._moves_from_seq = 0
        self._open_at: tuple[int, int] | None = None
        self._open: list[Group] = []

    def __len__(self) -> int:
        return sum(len(group.members) for group in self._groups.values())

    @property
    def groups(self) -> Iterator[Group]:
        return iter(self._groups.values())

    @property
    def cadences(self) -> set[int]:
        """Every cadence that somebody has at this moment, in chunks."""
        return {group.cadence for group in self._groups.values() if group.members}

    def group(self, cadence: int, phase: int) -> Group:
        key = cadence, phase % cadence
        if key not in self._groups:
            self._groups[key] = Group(self, *key)
        return self._groups[key]

    # --- who is where ------------------------------------------------------------------------------

    def place(self, *, newest: int, from_seq: int | None = None, cadence: int | None = None) -> Group:
        """The least filled group of the newcomers' cadence.

        For a listener who has everything before chunk `from_seq` (`newest` + 1 at most) it is the least
        filled one of those that have been given that much, so that nothing comes twice; of `cadence`, for which
        its buffer is long enough, until everybody moves to another one.
        """
        cadence = self.cadence_for(cadence or self.cadence, newest=newest)
        if from_seq is not None:
            positions = range(newest, max(newest - cadence + 1, from_seq - 1) - 1, -1)
            return min([self.group(cadence, position) for position in positions], key=_size)
        if self._open_at != (newest, cadence):
            self._open_at = newest, cadence
            groups = [self.group(cadence, phase) for phase in range(cadence)]
            self._open = sorted(groups, key=_size)[:OPEN_GROUPS]
        return min(self._open, key=_size)

    def cadence_for(self, cadence: int, *, newest: int) -> int:
        """What a listener who had `cadence` has now: its own until everybody moves to the new one."""
        return cadence if newest < self._moves_from_seq else self.cadence

    def join(self, listener: int, group: Group) -> None:
        group.members.add(listener)
        self._seats[listener] = group

    def leave(self, listener: int) -> Group:
        group = self._seats.pop(listener)
        group.members.discard(listener)
        return group

    # --- what is due -------------------------------------------------------------------------------

    def due(self, seq: int) -> list[Group]:
        """The groups that get their write when chunk `seq` has come."""
        return [group for group in self._groups.values() if group.members and seq % group.cadence == group.phase]

    def retarget(self, cadence: int, *, from_seq: int) -> None:
        """From chunk `from_seq` on move everybody to `cadence`; newcomers have it at once."""
        self.cadence = cadence
        self._moves_from_seq = from_seq

    def migrate(self, group: Group, seq: int) -> None:
        """After the group's write of `seq` is planned: let its share go over to the new cadence.

        A listener moved at boundary `seq` goes to phase `seq mod cadence`, whose boundary this is too:
        nothing is missed, nothing comes twice. Over a window of `lcm(old, new)` chunks each visit hits
        another phase, and each gives the same share, so the new phases fill evenly.
        """
        if group.cadence == self.cadence or seq < self._moves_from_seq:
            return
        window_end = self._moves_from_seq + math.lcm(group.cadence, self.cadence)
        visits = max(1, (window_end - 1 - seq) // group.cadence + 1)
        target = self.group(self.cadence, seq)
        for _ in range(math.ceil(len(group.members) / visits)):
            self.join(group.members.pop(), target)

    def forget_empty(self) -> None:
        """Drop the groups of cadences that nobody has any more."""
        left = [key for key, group in self._groups.items() if key[0] != self.cadence and not group.members]
        for key in left:
            del self._groups[key]
