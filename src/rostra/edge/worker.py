"""One worker's whole state, and what the bus and the clock do to it. No awaits: `server` brings the events."""

import time
from collections import Counter
from collections.abc import Iterable

import structlog

from rostra.core.limits import CONVERSATIONS_PER_EDGE_MAX
from rostra.core.messages import Chunk, ConversationRecord, EdgeReport, Init
from rostra.core.shield import strain
from rostra.edge.cadence import RUNGS_CHUNKS, Load, next_cadence, smooth
from rostra.edge.channel import CHUNK_MS, OVER, Channel
from rostra.edge.connection import Crowd
from rostra.edge.door import Door, Pressure
from rostra.edge.fanout import Fanout
from rostra.edge.ring import Verdict, event_frame

_log = structlog.get_logger()
REPORT_LIFETIME_S = 5.0  # an edge that has been silent for longer is no alternate, and its listeners have left
LISTENERS_EVERY_S = 5
DRAIN_S = 10.0  # players resume elsewhere within their buffer, 4 s at most; the rest does not listen


class Worker:
    """Everything one edge process knows and carries."""

    def __init__(
        self,
        crowd: Crowd,
        door: Door,
        fanout: Fanout,
        *,
        channels: dict[str, Channel],
        edge_id: str,
        public_url: str,
        descriptors_max: int,
    ) -> None:
        self.crowd = crowd
        self.door = door
        self.fanout = fanout
        self.channels = channels
        self.edge_id = edge_id
        self.public_url = public_url
        self.descriptors_max = descriptors_max
        self.cadence = RUNGS_CHUNKS[0]
        self.load = Load()
        self.loop_lag_s = 0.0
        self.draining = False
        self.bus_lost_s = 0.0
        self.verdicts: Counter[str] = Counter()
        self._reports: dict[str, tuple[float, EdgeReport]] = {}
        self._dwelt_s = 0.0
        self._seconds = 0
        self._measured = (0, 0.0, time.monotonic())
        self._announced: dict[str, int] = {}

    def pressure(self) -> Pressure:
        descriptors = self.crowd.descriptors
        return Pressure(descriptors, self.descriptors_max, self.bus_lost_s, self.draining)

    # --- the bus ---------------------------------------------------------------------------------------

    def know(self, record: ConversationRecord) -> bool:
        """Take a conversation's record. Whether its programme is to be followed now."""
        channel = self.channels.get(record.id)
        if channel is None:
            if len(self.channels) >= CONVERSATIONS_PER_EDGE_MAX and not self._make_room():
                _log.warning("conversation.refused", conversation=record.id, limit=CONVERSATIONS_PER_EDGE_MAX)
                return False
            channel = self.channels[record.id] = Channel(record, self.fanout, cadence=self.cadence)
        channel.record = record
        channel.forget_openings()
        self.door.forget_pages()
        return record.state not in OVER and record.state != "scheduled"

    def _make_room(self) -> bool:
        over = next((id_ for id_, channel in self.channels.items() if channel.record.state in OVER), None)
        if over is None:
            return False
        self.channels.pop(over).close()
        return True

    def restart(self, conversation: str) -> None:
        """The doors have been closed again: the next programme counts from zero."""
        channel = self.channels[conversation]
        channel.close()
        self.channels[conversation] = Channel(channel.record, self.fanout, cadence=self.cadence)

    def take(self, chunk: Chunk, init: Init | None) -> None:
        channel = self.channels[chunk.conversation]
        channel.init = init or channel.init
        verdict = channel.append(chunk)
        self.verdicts[verdict.name.lower()] += 1
        if verdict is Verdict.AFTER_GAP:
            _log.warning("chunk.missing", conversation=chunk.conversation, seq=chunk.seq)

    def end(self, conversation: str) -> None:
        """The record says that it is over, and no last chunk has come."""
        channel = self.channels[conversation]
        channel.end("cancelled" if channel.record.state == "cancelled" else "ended")

    def hear(self, report: EdgeReport, *, now_s: float) -> None:
        if report.edge != self.edge_id:
            self._reports[report.edge] = now_s, report

    def report(self, *, now_ns: int) -> EdgeReport:
        listeners = {id_: here for id_, channel in self.channels.items() if (here := channel.listeners_here)}
        return EdgeReport(
            edge=self.edge_id,
            url=self.public_url,
            at_ns=now_ns,
            listeners=listeners,
            capacity=self.descriptors_max,
            cadence_ms=self.cadence * CHUNK_MS,
            write_share=self.load.share,
            draining=self.draining,
        )

    # --- the clock -------------------------------------------------------------------------------------

    def second(self, *, now_s: float) -> None:
        """What is done once a second."""
        self.crowd.expire(now_s=now_s)
        self._measure(now_s)
        descriptors_share = self.crowd.descriptors / self.descriptors_max
        self.crowd.shield.feel(
            strain(descriptors_share=descriptors_share, write_share=self.load.share, lag_s=self.loop_lag_s)
        )
        self._survey(now_s)
        self._seconds += 1
        if self._seconds % LISTENERS_EVERY_S == 0:
            self._tell_listeners()
        lanes = [lane for channel in self.channels.values() for lane in channel.lanes.values()]
        settled = all(lane.cohort.cadences <= {self.cadence} for lane in lanes)
        cadence = next_cadence(self.cadence, self.load, dwelt_s=self._dwelt_s, settled=settled)
        if cadence != self.cadence:
            _log.info("cadence.change", cadence_ms=cadence * CHUNK_MS, listeners=self.load.listeners)
            self._change_cadence(cadence)

    def _measure(self, now_s: float) -> None:
        counters = self.fanout.counters
        writes, busy_s, since_s = self._measured
        elapsed_s = max(1e-3, now_s - since_s)
        self._measured = counters.planned_writes, counters.write_time_s, now_s
        self._dwelt_s += elapsed_s
        self.load = smooth(
            self.load,
            listeners=self.fanout.listeners,
            writes=counters.planned_writes - writes,
            busy_s=counters.write_time_s - busy_s,
            elapsed_s=elapsed_s,
        )

    def _change_cadence(self, cadence: int) -> None:
        self.cadence = cadence
        self._dwelt_s = 0.0
        self.door.cadence_ms = cadence * CHUNK_MS
        for channel in self.channels.values():
            channel.retarget(cadence)

    def _survey(self, now_s: float) -> None:
        """Where else to listen, and how many do."""
        self._reports = {
            edge: (heard_s, report)
            for edge, (heard_s, report) in self._reports.items()
            if now_s - heard_s < REPORT_LIFETIME_S
        }
        others = [report for _, report in self._reports.values()]
        self.door.alternates = self.alternates(others)
        elsewhere: Counter[str] = Counter()
        for report in others:
            elsewhere.update(report.listeners)
        for id_, channel in self.channels.items():
            channel.listeners_elsewhere = elsewhere[id_]
            channel.forget_openings()  # they tell the time; chunks may not come while the bus is away
            for lane in channel.lanes.values():
                lane.cohort.forget_empty()

    def alternates(self, others: Iterable[EdgeReport]) -> list[str]:
        """Base addresses of edges to resume at, this one first unless it drains."""
        urls = [] if self.draining else [self.public_url]
        return list(dict.fromkeys(urls + sorted(report.url for report in others if not report.draining)))

    def _tell_listeners(self) -> None:
        for id_, channel in self.channels.items():
            if channel.lanes and self._announced.get(id_) != channel.listeners:
                self._announced[id_] = channel.listeners
                channel.say(event_frame("listeners", count=channel.listeners))

    # --- going away ------------------------------------------------------------------------------------

    def drain(self) -> None:
        """Stop accepting and send everybody elsewhere with their next write."""
        self.draining = True
        self.crowd.stop_accepting()
        alternates = self.alternates(report for _, report in self._reports.values())
        for channel in self.channels.values():
            channel.say(event_frame("drain", alternates=alternates))
        _log.info("edge.drain", listeners=self.fanout.listeners, alternates=alternates)

    def close(self) -> None:
        for channel in self.channels.values():
            channel.close()
        self.crowd.close_all()
