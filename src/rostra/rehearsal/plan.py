"""What an evening needs: a crowd of any size through the doors that were rehearsed, second by second. Pure.

The model is a fluid queue. A(t) have come by t; doors that let in `joins_hz` have let in
D(t) = min(places, min over s <= t of A(s) + joins_hz (t - s)), and the others wait in the order in which they came.
"""

import math
from collections.abc import Callable
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from rostra.core.errors import BadInputError
from rostra.core.renditions import RENDITIONS
from rostra.rehearsal.arrivals import Famous, Surge, Trickle, come_by
from rostra.rehearsal.certificate import JOINS, LISTENERS, Certificate

Times = NDArray[np.float64]
HEADROOM: Final = 0.75  # of what was rehearsed, as Cloudflare advises: the rest is for what was not
LINE_SHARE: Final = 0.8  # of a line: a burst of newcomers takes four times what listeners do
# 32 kbit/s in WebM are 4,250 bytes a second; TCP/IP adds 66 to each segment of 1,448 bytes at most.
CONTAINER: Final = 34 / 32
SEGMENT_BYTES: Final = 1_448
HEADER_BYTES: Final = 66
NATS_CLUSTER: Final = 3  # survives the loss of one (JetStream's quorum)
NATS_LINE_BPS: Final = 5e9  # what one server is given to send; the rest of its line is for what it stores
LEAVES_FROM: Final = 8  # machines: fewer connect to the cluster itself
MACHINES_MAX: Final = 1_000_000


class Terms(msgspec.Struct, frozen=True):
    """What a machine is and costs. Prices in euros: of a dedicated server of 32 cores, and of bulk traffic."""

    cores: int
    line_bps: float = 10e9
    machine_eur_h: float = 0.80
    traffic_eur_gb: float = 0.001
    wait_max_s: float = 3.0
    headroom: float = HEADROOM


class Doors(msgspec.Struct, frozen=True):
    """What a fleet, or one worker of it, lets in and holds."""

    joins_hz: float
    places: float


class Minute(msgspec.Struct, frozen=True):
    """One minute: how many have come and listen by its end, how many wait at its worst, and for how long."""

    minute: int
    come: int
    listening: int
    waiting_max: int
    wait_max_s: float


class Plan(msgspec.Struct, frozen=True):
    """What is needed, what it costs, how it goes, and what was assumed."""

    listeners: int
    machines: int
    workers: int
    cores: int
    bound_by: str
    joins_peak_hz: float
    joins_hz: float
    places: int
    egress_bps: float
    machine_egress_bps: float
    nats_servers: int
    nats_leaves: int
    nats_egress_bps: float
    cost_eur_h: float
    wait_max_s: float
    waiting_max: int
    minutes: tuple[Minute, ...]
    assumes: tuple[str, ...]


def let_in(come: Times, doors: Doors, *, step_s: float = 1.0) -> Times:
    """How many have been let in by each step, of those who have `come` by then: the fluid queue above."""
    room = doors.joins_hz * step_s * np.arange(len(come), dtype=np.float64)
    queued: Times = room + np.minimum.accumulate(come - room)
    return np.minimum(queued, doors.places)


def waits_s(come: Times, inside: Times, *, step_s: float = 1.0) -> Times:
    """For each step: how long those waited who came in it. Infinite for whoever is never let in."""
    times = step_s * np.arange(len(come))
    # The first step by which as many are inside as had come: searching in a rising curve.
    found = np.searchsorted(inside, come - 1e-6, side="left")
    entered = np.where(found < len(times), times[np.minimum(found, len(times) - 1)], math.inf)
    newcomers = np.diff(come, prepend=0.0) > 0
    return np.where(newcomers, np.maximum(0.0, entered - times), 0.0)


def bits_per_second(bitrate_bps: int, *, cadence_s: float) -> float:
    """What one listener takes of a line."""
    write_bytes = bitrate_bps * CONTAINER / 8 * cadence_s
    segments = max(1.0, write_bytes / SEGMENT_BYTES)
    return 8 * (write_bytes + segments * HEADER_BYTES) / cadence_s


def worker_doors(certificate: Certificate) -> Doors:
    """What one worker was shown to do. BadInputError if the rehearsal was not about that."""
    joins_hz, places = certificate.per_worker(JOINS), certificate.per_worker(LISTENERS)
    if joins_hz is None or places is None:
        raise BadInputError("The certificate says nothing of joins, or of listeners at once: rehearse `capacity`.")
    return Doors(joins_hz, places)


def plan(
    crowd: Trickle | Surge | Famous,
    certificate: Certificate,
    terms: Terms,
    *,
    rendition: str = "webm-32",
    cadence_s: float = 2.0,
) -> Plan:
    """The smallest fleet in which nobody waits longer than `wait_max_s`, and how its evening goes."""
    one = worker_doors(certificate)
    each_bps = bits_per_second(RENDITIONS[rendition].bitrate_bps, cadence_s=cadence_s)
    come = come_by(crowd, np.arange(math.ceil(crowd.at_s + crowd.over_s) + 2.0))

    def fleet(machines: int) -> Doors:
        workers = machines * terms.cores
        places = min(workers * one.places * terms.headroom, machines * terms.line_bps * LINE_SHARE / each_bps)
        return Doors(workers * one.joins_hz * terms.headroom, places)

    def serves(machines: int) -> bool:
        return bool(waits_s(come, let_in(come, fleet(machines))).max() <= terms.wait_max_s)

    machines = _smallest(serves)
    doors = fleet(machines)
    inside = let_in(come, doors)
    minutes = _minutes(come, inside)
    egress_bps = crowd.listeners * each_bps
    leaves = machines if machines >= LEAVES_FROM else 0
    programme_bps = sum(each.bitrate_bps for each in RENDITIONS.values()) * CONTAINER
    nats_bps = programme_bps * (leaves or machines * terms.cores)
    traffic_gb_h = egress_bps * 3_600 / 8 / 1e9
    return Plan(
        listeners=crowd.listeners,
        machines=machines,
        workers=machines * terms.cores,
        cores=machines * terms.cores,
        bound_by=_bound(crowd.listeners, one, terms, each_bps, machines),
        joins_peak_hz=float(np.diff(come).max()),
        joins_hz=doors.joins_hz,
        places=int(doors.places),
        egress_bps=egress_bps,
        machine_egress_bps=egress_bps / machines,
        nats_servers=max(NATS_CLUSTER, math.ceil(nats_bps / NATS_LINE_BPS)) if machines > 1 else 1,
        nats_leaves=leaves,
        nats_egress_bps=nats_bps,
        cost_eur_h=round(machines * terms.machine_eur_h + traffic_gb_h * terms.traffic_eur_gb, 2),
        wait_max_s=max(minute.wait_max_s for minute in minutes),
        waiting_max=max(minute.waiting_max for minute in minutes),
        minutes=minutes,
        assumes=_assumptions(certificate, terms, cadence_s),
    )


def _smallest(serves: Callable[[int], bool]) -> int:
    """The smallest number that serves; more machines never serve less."""
    high = 1
    while not serves(high):
        high *= 2
        if high > MACHINES_MAX:
            raise BadInputError(f"Not even {MACHINES_MAX:,} machines serve this crowd: it comes too suddenly.")
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if serves(middle) else (middle, high)
    return high


def _minutes(come: Times, inside: Times) -> tuple[Minute, ...]:
    waiting, waits = come - inside, waits_s(come, inside)
    found = []
    for minute in range(math.ceil(len(come) / 60)):
        part = slice(60 * minute, 60 * (minute + 1))
        found.append(
            Minute(
                minute + 1,
                come=round(float(come[part][-1])),
                listening=round(float(inside[part][-1])),
                waiting_max=round(float(waiting[part].max())),
                wait_max_s=round(float(waits[part].max()), 1),
            )
        )
    return tuple(found)


def _bound(listeners: int, one: Doors, terms: Terms, each_bps: float, machines: int) -> str:
    by_places = math.ceil(listeners / (terms.cores * one.places * terms.headroom))
    by_line = math.ceil(listeners * each_bps / (terms.line_bps * LINE_SHARE))
    if machines > max(by_places, by_line):
        return "joins"
    return "line" if by_line > by_places else "listeners"


def _assumptions(certificate: Certificate, terms: Terms, cadence_s: float) -> tuple[str, ...]:
    said = [
        f"Each of {terms.cores} cores carries one worker.",
        f"It does what one did in the rehearsal {certificate.script!r} of {certificate.made}.",
        f"Of that {terms.headroom:.0%} is used; of a line of {terms.line_bps / 1e9:g} Gbit/s {LINE_SHARE:.0%}.",
        f"Everybody who comes stays; a listener is written to every {cadence_s:g} s.",
        "Those who wait are let in in the order in which they came, and nobody gives up.",
        "Joins are spread evenly over all machines.",
        f"A machine costs {terms.machine_eur_h:.2f} euros an hour, a gigabyte {terms.traffic_eur_gb:g}.",
    ]
    for name in (JOINS, LISTENERS):
        stage = certificate.stage(name)
        if stage is not None and not stage.known:
            said.append(f"The rehearsal did not reach the limit of {stage.name}: the true number is larger.")
    if certificate.generator_shares_machine:
        said.append("The rehearsed crowd ran on the same machine: without it, a worker does more.")
    return tuple(said)
