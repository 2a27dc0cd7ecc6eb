"""What a worker tells Prometheus: the loops count plain integers, this reads them when it is asked."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from rostra.core.limits import LAGGARD_CHUNKS_MAX
from rostra.edge.channel import CHUNK_MS
from rostra.edge.worker import Worker


class WorkerCollector:
    """A prometheus_client collector. It runs in the exporter's thread and only reads."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def collect(self) -> Iterator[Metric]:
        worker = self._worker
        counters, crowd, door = worker.fanout.counters, worker.crowd, worker.door
        gauges = {
            "listeners": ("Listeners at this edge", len(worker.fanout.seats) + len(worker.fanout.laggards)),
            "laggards": ("Listeners out of step", len(worker.fanout.laggards)),
            "descriptors": ("Sockets of the crowd", crowd.descriptors),
            "descriptors_max": ("Sockets of the crowd that fit", worker.bounds.descriptors),
            "write_share": ("Share of time spent writing, smoothed", worker.load.share),
            "write_cost_seconds": ("What one write costs, smoothed", worker.load.write_cost_s),
            "loop_lag_seconds": ("How late the loop was in the last second", worker.loop_lag_s),
            "cadence_seconds": ("Cadence of newcomers", worker.rung.cadence * CHUNK_MS / 1_000),
            "rung": ("Rung of the ladder, 0 the lowest", worker.rungs.index(worker.rung)),
            "capacity": ("Listeners that can be carried now", door.room.capacity),
            "waiting": ("People who wait for a place, in the whole fleet", door.room.waiting),
            "shield_strain": ("How hard it is for newcomers to be served, 0 to 1", crowd.shield.strain),
            "shield_share": ("What budgets have shrunk to, of 1", crowd.shield.share),
            "shield_sources": ("Sources that the shield remembers", len(crowd.shield)),
            "bus_lost_seconds": ("How long the bus has been away", worker.bus_lost_s),
        }
        for name, (text, value) in gauges.items():
            yield GaugeMetricFamily(f"rostra_edge_{name}", text, value=value)
        totals = {
            "joins": ("Tickets given", door.joins),
            "listens": ("Streams begun", crowd.listens),
            "accepts": ("Connections accepted", crowd.accepted),
            "writes": ("Writes to listeners", counters.writes),
            "sent_bytes": ("Bytes written to listeners", counters.sent_bytes),
            "lagged": ("Times that a listener fell out of step", counters.lagged),
            "moved": (f"Times that one was moved on, {LAGGARD_CHUNKS_MAX} chunks behind", counters.moved),
            "rung_steps": ("Times that the rung has changed", worker.steps),
            "gone": ("Listeners who have left", counters.gone),
            "paused_listener_seconds": (
                "Sound that was written too late, times listeners",
                counters.paused_listener_s,
            ),
            "interrupted": ("Listeners who say that they lack three seconds of sound", door.demand.interrupted),
        }
        for name, (text, total) in totals.items():
            yield CounterMetricFamily(f"rostra_edge_{name}", text, value=total)
        yield _labelled("refused", "Requests refused", "reason", dict(door.refused))
        yield _labelled("replies", "Replies by status", "status", {str(k): v for k, v in crowd.replies.items()})
        yield _labelled("shield", "Verdicts and strikes of the shield", "what", dict(crowd.shield.counts))
        yield _labelled("chunks", "Chunks from the bus", "verdict", dict(worker.verdicts))


def _labelled(name: str, text: str, label: str, totals: dict[str, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(f"rostra_edge_{name}", text, labels=[label])
    for value, total in totals.items():
        family.add_metric([value], total)
    return family
