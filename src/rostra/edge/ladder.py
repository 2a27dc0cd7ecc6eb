"""The ladder (P4): what is taken from everybody a little, before anybody is kept out. Pure.

Rungs are climbed in one order, and descended in the opposite one. Nobody who listens is ever put out: the rungs
after the cadence ask those who listen for a smaller rendition, and turn to newcomers only.
"""

from dataclasses import dataclass
from typing import Final

from rostra.core.ticket import NO_CAP, TicketClass
from rostra.core.units import CHUNK_NS
from rostra.edge.cadence import RUNGS_CHUNKS, SHARE_ALARMING, SHARE_MAX, Load, next_cadence

EGRESS_ALARMING: Final = 0.9  # of the line that the operator named: beyond it packets are lost, for everybody
EGRESS_COMFORTABLE: Final = 0.75  # the lower rung must fit below this
LAG_ALARMING_S: Final = 0.25  # newcomers wait for so long at each step of their joining
DWELL_CADENCE_S: Final = 2.0
DWELL_CAP_S: Final = 20.0  # until those who were asked for a smaller rendition have it
DWELL_CLOSED_S: Final = 5.0
DWELL_DOWN_S: Final = 60.0
_CLOSED_COMFORTABLE: Final = 0.35  # of the time for writes: the doors open again well below what closed them
_UNCAPPED_KBPS: Final = 64


@dataclass(frozen=True, slots=True)
class Rung:
    """What holds from here on. `closed_to` waits in the waiting room, with all classes that come after it."""

    name: str
    cadence: int
    cap_kbps: int = NO_CAP
    copy: bool = False
    closed_to: TicketClass | None = None


@dataclass(frozen=True, slots=True)
class Strain:
    """`load` is that of the write loop; `egress_share` of the line that the operator named, 0 if none is."""

    load: Load
    egress_share: float = 0.0
    lag_s: float = 0.0
    settled: bool = True  # everybody has the present cadence

    @property
    def alarming(self) -> bool:
        writing = self.settled and self.load.share > SHARE_ALARMING
        return writing or self.egress_share > EGRESS_ALARMING or self.lag_s > LAG_ALARMING_S


def ladder(*, has_copy: bool) -> tuple[Rung, ...]:
    """All rungs, the lowest first; the one of the copy at a CDN only where there is one."""
    longest = RUNGS_CHUNKS[-1]
    cadences = [Rung(f"cadence {c * CHUNK_NS // 1_000_000} ms", c) for c in RUNGS_CHUNKS]
    caps = [Rung(f"{kbps} kbit/s", longest, kbps) for kbps in (32, 16)]
    copy = [Rung("copy", longest, 16, copy=True)] if has_copy else []
    closing = (TicketClass.ANONYMOUS, TicketClass.SIGNED_IN, TicketClass.REGISTERED)
    closed = [Rung(f"{c.name.lower().replace('_', ' ')} wait", longest, 16, has_copy, c) for c in closing]
    return (*cadences, *caps, *copy, *closed)


def next_rung(rungs: tuple[Rung, ...], at: int, strain: Strain, *, dwelt_s: float) -> int:
    """The index of the rung to be on, after `dwelt_s` on that of index `at`.

    Cadences are left behind as fast as the prediction asks for; everything after them one at a time.
    """
    rung = rungs[at]
    cadence = next_cadence(rung.cadence, strain.load, dwelt_s=dwelt_s, settled=strain.settled)
    if cadence > rung.cadence:
        return RUNGS_CHUNKS.index(cadence)
    if strain.alarming:
        return min(at + 1, len(rungs) - 1) if dwelt_s >= _dwell_up_s(rung) else at
    if at == 0 or dwelt_s < DWELL_DOWN_S or strain.lag_s > LAG_ALARMING_S / 2:
        return at
    below = rungs[at - 1]
    grows = (below.cap_kbps or _UNCAPPED_KBPS) / (rung.cap_kbps or _UNCAPPED_KBPS)
    if strain.egress_share * grows > EGRESS_COMFORTABLE:
        return at
    if below.cadence != rung.cadence:
        return at - 1 if cadence < rung.cadence else at
    return at - 1 if strain.load.share <= (_CLOSED_COMFORTABLE if rung.closed_to is not None else SHARE_MAX) else at


def _dwell_up_s(rung: Rung) -> float:
    if rung.closed_to is not None or rung.copy:
        return DWELL_CLOSED_S
    return DWELL_CAP_S if rung.cap_kbps else DWELL_CADENCE_S
