"""How many listeners a worker can carry: what was certified, what the system lets it, and what it feels. Pure."""

from dataclasses import dataclass
from typing import Final

from rostra.core.units import CHUNK_NS, SECOND_NS
from rostra.edge.cadence import RUNGS_CHUNKS, WRITE_COST_PRIOR_S

# Of the descriptors: for those who come back with a ticket, and for seconds in which workers give away too much.
RETURNING_SHARE: Final = 0.05
SHARE_FULL: Final = 0.5  # of the time for writes at the longest cadence: the other half is for joins and lag
LAG_MAX_S: Final = 0.5  # timers as late as this: nobody more
MEMORY_KEPT_BYTES: Final = 256 * 1024 * 1024  # of the machine's: for the bus, the page cache, the operator
LISTENER_BYTES: Final = 64 * 1024  # of a listener who stops reading: the kernel's send buffer is what counts
LISTENER_BPS: Final = 20_000  # of the smallest rendition, with its frames


@dataclass(frozen=True, slots=True)
class Bounds:
    """What does not change while a worker runs. None: no such bound."""

    descriptors: int
    listeners: int | None = None  # certified, or set by the operator
    egress_bps: float | None = None


@dataclass(frozen=True, slots=True)
class Felt:
    """What a worker feels now."""

    listeners: int = 0
    write_cost_s: float = WRITE_COST_PRIOR_S
    lag_s: float = 0.0
    memory_free_bytes: int | None = None


def capacity(bounds: Bounds, felt: Felt) -> int:
    """Listeners at once. What is felt can only be a reason for fewer than the bounds allow."""
    longest_s = RUNGS_CHUNKS[-1] * CHUNK_NS / SECOND_NS
    limits = [
        int(bounds.descriptors * (1 - RETURNING_SHARE)),
        int(SHARE_FULL * longest_s / felt.write_cost_s),
    ]
    if bounds.listeners is not None:
        limits.append(bounds.listeners)
    if bounds.egress_bps is not None:
        limits.append(int(bounds.egress_bps / LISTENER_BPS))
    if felt.memory_free_bytes is not None:
        limits.append(felt.listeners + (felt.memory_free_bytes - MEMORY_KEPT_BYTES) // LISTENER_BYTES)
    if felt.lag_s > LAG_MAX_S:
        limits.append(felt.listeners)
    return max(0, min(limits))
