"""The first rung of the ladder (P4): how often each listener is written to, from what the writes cost."""

from dataclasses import dataclass
from typing import Final

from rostra.core.units import CHUNK_NS, SECOND_NS

# In chunks of 100 ms: 0.1, 0.2, 0.5, 1, 2 and 4 s. Beyond 4 s a person gives up before the sound starts.
RUNGS_CHUNKS: Final = (1, 2, 5, 10, 20, 40)
# A fifth of the loop for writes: 2,000 listeners at 100 ms, 20,000 at 1 s (10 us a write). The rest is room
# for a stampede at the door, where each who joins costs as much as five writes.
SHARE_MAX: Final = 0.20
SHARE_COMFORTABLE: Final = 0.12  # the shorter cadence must fit below this: 40 % of hysteresis
SHARE_ALARMING: Final = 0.50  # measured, whatever the prediction says: something else is slow
DWELL_UP_S: Final = 2.0  # a crowd doubles no faster; the smoothing needs as long
DWELL_DOWN_S: Final = 60.0  # a listener notices each change, and no one is waiting for this one
WRITE_COST_PRIOR_S: Final = 10e-6  # DESIGN §4.4, until this machine has told its own
PLAYER_SLOWDOWN: Final = 0.05  # a player at 0.95 of full speed grows its buffer, and nobody hears it
_SMOOTHING: Final = 0.2  # of each new second: five seconds of memory


@dataclass(frozen=True, slots=True)
class Load:
    """What a worker feels: `share` of the loop's time that went into writes, and what one costs the processor.

    A neighbour on the same cores makes writes take longer, not cost more: a longer cadence would not help for long.
    """

    listeners: int = 0
    share: float = 0.0
    write_cost_s: float = WRITE_COST_PRIOR_S


def smooth(load: Load, *, listeners: int, writes: int, busy_s: float, cpu_s: float, elapsed_s: float) -> Load:
    """The load after another `elapsed_s`, in which `writes` writes took `busy_s`, and `cpu_s` of the processor."""
    share = load.share + _SMOOTHING * (busy_s / elapsed_s - load.share)
    cost_s = load.write_cost_s
    if writes >= 64:  # fewer tell more about the clock than about the kernel
        cost_s += _SMOOTHING * (cpu_s / writes - cost_s)
    return Load(listeners, share, cost_s)


def predicted_share(load: Load, cadence: int) -> float:
    """The share of time spent writing if everybody had this cadence (in chunks)."""
    return load.listeners * load.write_cost_s / (cadence * CHUNK_NS / SECOND_NS)


def next_cadence(current: int, load: Load, *, dwelt_s: float, settled: bool = True) -> int:
    """The cadence (in chunks) to have from now on, after `dwelt_s` seconds at `current`.

    Up goes as far as needed at once, down goes one rung at a time. Until everybody has the present cadence
    (`settled`), what is felt is still that of the former one: then only the prediction counts.
    """
    rung = RUNGS_CHUNKS.index(current)
    if dwelt_s >= DWELL_UP_S:
        fitting = (r for r, c in enumerate(RUNGS_CHUNKS) if predicted_share(load, c) <= SHARE_MAX)
        needed = next(fitting, len(RUNGS_CHUNKS) - 1)
        if needed > rung:
            return RUNGS_CHUNKS[needed]
        if settled and load.share > SHARE_ALARMING and rung + 1 < len(RUNGS_CHUNKS):
            return RUNGS_CHUNKS[rung + 1]
    if dwelt_s >= DWELL_DOWN_S and rung > 0:
        shorter = RUNGS_CHUNKS[rung - 1]
        if predicted_share(load, shorter) <= SHARE_COMFORTABLE and load.share <= SHARE_MAX:
            return shorter
    return current


def moves_from_seq(newest: int, *, shortest: int, cadence: int) -> int:
    """The first chunk of the new `cadence`, late enough for a player to grow its buffer unheard.

    `shortest` is the shortest cadence that somebody still has. (0.5 - 0.1 s) / 0.05 = 8 s, for instance.
    A shorter cadence needs no warning.
    """
    return newest + 1 + max(0, round((cadence - shortest) / PLAYER_SLOWDOWN))
