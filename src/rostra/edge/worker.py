"""One worker's whole state, and what the bus and the clock do to it. No awaits: `server` brings the events."""

import time
from collections import Counter
from dataclasses import dataclass
from typing import Final, NamedTuple

import structlog

from rostra.core.limits import CONVERSATIONS_PER_EDGE_MAX
from rostra.core.messages import Chunk, ConversationRecord, EdgeReport, Init
from rostra.edge.admission import Bounds, Felt, capacity
from rostra.edge.cadence import Load, smooth
from rostra.edge.channel import CHUNK_MS, OVER, Channel
from rostra.edge.connection import Crowd
from rostra.edge.door import Door
from rostra.edge.fanout import Fanout
from rostra.edge.fleet import Fleet
from rostra.edge.ladder import Rung, Strain, next_rung
from rostra.edge.refusals import Pressure
from rostra.edge.ring import Verdict, event_frame

_log = structlog.get_logger()
LISTENERS_EVERY_S = 5
STEP_WITHIN_S: Final = 15  # those who are asked for another rendition open a second stream: not all at once
_EGRESS_SMOOTHING: Final = 0.2  # of each new second, as the load's
_LAG_KEPT: Final = 0.8  # of what was felt before, ten times a second
DRAIN_S = 10.0  # players resume elsewhere within their buffer, 4 s at most; the rest does not listen


@dataclass(frozen=True, slots=True)
class _Measured:
    """The counters as they stood at a moment."""

    at_s: float
    writes: int = 0
    busy_s: float = 0.0
    cpu_s: float = 0.0
    sent_bytes: int = 0
    freed: int = 0


class Wanted(NamedTuple):
    """A rung that this worker should stand on, and why."""

    rung: Rung
    felt: Strain


class Worker:
    """Everything one edge process knows and carries."""

    def __init__(
        self,
        crowd: Crowd,
        door: Door,
        fanout: Fanout,
        *,
        channels: dict[str, Channel],
        fleet: Fleet,
        bounds: Bounds,
        rungs: tuple[Rung, ...],
    ) -> None:
        self.crowd = crowd
        self.door = door
        self.fanout = fanout
        self.channels = channels
        self.fleet = fleet
        self.bounds = bounds
        self.rungs = rungs
        self.rung = rungs[0]
        self.wanted: Wanted | None = None  # said before it is done: `step`
        self.steps = 0
        self.load = Load()
        self.egress_share = 0.0
        self.loop_lag_s = 0.0
        self.memory_free_bytes: int | None = None
        self.draining = False
        self.bus_lost_s = 0.0
        self.verdicts: Counter[str] = Counter()
        self._dwelt_s = 0.0
        self._seconds = 0
        self._measured = _Measured(at_s=time.monotonic())
        self._announced: dict[str, int] = {}
        door.room.capacity = self.capacity

    def pressure(self) -> Pressure:
        return Pressure(self.bus_lost_s, self.draining)

    @property
    def capacity(self) -> int:
        """Listeners that this worker can carry, as things are now."""
        felt = Felt(self.fanout.listeners, self.load.write_cost_s, self.loop_lag_s, self.memory_free_bytes)
        return capacity(self.bounds, felt)

    @property
    def on_air(self) -> bool:
        """Whether something can be heard here."""
        return any(channel.on_air and channel.record.state not in OVER for channel in self.channels.values())

    # --- the bus ---------------------------------------------------------------------------------------

    def know(self, record: ConversationRecord) -> bool:
        """Take a conversation's record. Whether its programme is to be followed now."""
        channel = self.channels.get(record.id)
        if channel is None:
            if len(self.channels) >= CONVERSATIONS_PER_EDGE_MAX and not self._make_room():
                _log.warning("conversation.refused", conversation=record.id, limit=CONVERSATIONS_PER_EDGE_MAX)
                return False
            channel = self.channels[record.id] = Channel(record, self.fanout, cadence=self.rung.cadence)
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
        self.channels[conversation] = Channel(channel.record, self.fanout, cadence=self.rung.cadence)

    def take(self, chunk: Chunk, init: Init | None) -> None:
        channel = self.channels[chunk.conversation]
        channel.init = init or channel.init
        channel.heard_s = time.monotonic()
        verdict = channel.append(chunk)
        self.verdicts[verdict.name.lower()] += 1
        if verdict is Verdict.AFTER_GAP:
            _log.warning("chunk.missing", conversation=chunk.conversation, seq=chunk.seq)

    def end(self, conversation: str) -> None:
        """The record says that it is over, and no last chunk has come."""
        channel = self.channels[conversation]
        channel.end("cancelled" if channel.record.state == "cancelled" else "ended")

    def hear(self, report: EdgeReport, *, now_s: float) -> None:
        if self.fleet.hear(report, now_s=now_s):
            self.door.room.hear(report)

    def report(self, *, now_ns: int) -> EdgeReport:
        listeners = {id_: here for id_, channel in self.channels.items() if (here := channel.listeners_here)}
        report = EdgeReport(
            edge=self.fleet.edge_id,
            url=self.fleet.url,
            at_ns=now_ns,
            listeners=listeners,
            capacity=self.door.room.capacity,
            cadence_ms=self.rung.cadence * CHUNK_MS,
            write_share=self.load.share,
            draining=self.draining,
            rung=self.rung.name,
            joins=self.door.joins,
            lag_ms=round(1_000 * self.loop_lag_s, 1),
            shield=dict(self.crowd.shield.counts),
        )
        return self.door.room.report(report, several=self.door.streams.several())

    # --- the clock -------------------------------------------------------------------------------------

    def feel(self, *, late_s: float, now_s: float) -> None:
        """How late a timer was: what a newcomer waits in addition. Ten times a second."""
        self.loop_lag_s = max(late_s, self.loop_lag_s * _LAG_KEPT)
        self.crowd.shield.feel(self.crowd.strain(now_s=now_s, loop_lag_s=self.loop_lag_s))

    def second(self, *, now_s: float, wall_s: float) -> None:
        """What is done once a second. `now_s` is monotonic; the waiting room goes by the clock on the wall."""
        self.crowd.expire(now_s=now_s)
        freed = self._measure(now_s)
        self._survey(now_s)
        room = self.door.room
        room.capacity = self.capacity
        room.second(now_s=wall_s, freed=freed, draining=self.draining)
        self._send_away_revoked(int(wall_s))
        self.door.streams.second()
        self._seconds += 1
        if self._seconds % LISTENERS_EVERY_S == 0:
            self._tell_listeners()
            self.door.streams.sweep()
        lanes = [lane for channel in self.channels.values() for lane in channel.lanes.values()]
        settled = all(lane.cohort.cadences <= {self.rung.cadence} for lane in lanes)
        felt = Strain(self.load, self.egress_share, self.loop_lag_s, settled)
        at = self.rungs.index(self.rung)
        rung = self.rungs[next_rung(self.rungs, at, felt, dwelt_s=self._dwelt_s)]
        self.wanted = None if rung == self.rung else Wanted(rung, felt)

    def _send_away_revoked(self, now_s: int) -> None:
        """End the streams of those whose ticket was withdrawn."""
        for listeners in self.door.revoked.values():
            for name, until_s in listeners.items():
                if until_s > now_s:
                    self.fanout.cut(self.door.streams.of(bytes.fromhex(name)))

    def _measure(self, now_s: float) -> int:
        """Feel the load of the time since it was felt last; returns how many listeners have left since then."""
        counters, before = self.fanout.counters, self._measured
        elapsed_s = max(1e-3, now_s - before.at_s)
        now = _Measured(
            now_s,
            counters.planned_writes,
            counters.write_time_s,
            counters.write_cpu_s,
            counters.sent_bytes,
            counters.gone - self.door.demand.resumed,
        )
        self._measured = now
        self._dwelt_s += elapsed_s
        self.load = smooth(
            self.load,
            listeners=self.fanout.listeners,
            writes=now.writes - before.writes,
            busy_s=now.busy_s - before.busy_s,
            cpu_s=now.cpu_s - before.cpu_s,
            elapsed_s=elapsed_s,
        )
        if self.bounds.egress_bps is not None:
            share = 8 * (now.sent_bytes - before.sent_bytes) / elapsed_s / self.bounds.egress_bps
            self.egress_share += _EGRESS_SMOOTHING * (share - self.egress_share)
        return now.freed - before.freed

    def step(self, wanted: Wanted) -> None:
        """Go to another rung of the ladder: tell those who listen, and the door."""
        rung, felt = wanted
        _log.warning(
            "ladder.step",
            rung=rung.name,
            before=self.rung.name,
            listeners=self.load.listeners,
            write_share=round(felt.load.share, 3),
            egress_share=round(felt.egress_share, 3),
            lag_ms=round(1_000 * felt.lag_s),
            dwelt_s=round(self._dwelt_s, 1),
        )
        before, self.rung = self.rung, rung
        self._dwelt_s = 0.0
        self.steps += 1
        self.door.rung = rung
        self.door.room.closed_to = rung.closed_to
        for channel in self.channels.values():
            if rung.cadence != before.cadence:
                channel.retarget(rung.cadence)
            if rung.cap_kbps != before.cap_kbps:
                channel.say(event_frame("rendition", cap_bps=1_000 * rung.cap_kbps, within_s=STEP_WITHIN_S))

    def _survey(self, now_s: float) -> None:
        """Where else to listen, and how many do."""
        self.fleet.survey(now_s=now_s)
        self.door.alternates = self._alternates()
        elsewhere = self.fleet.listeners()
        for id_, channel in self.channels.items():
            channel.listeners_elsewhere = elsewhere[id_]
            channel.forget_openings()  # they tell the time; chunks may not come while the bus is away
            for lane in channel.lanes.values():
                lane.cohort.forget_empty()

    def _alternates(self) -> list[str]:
        return self.fleet.alternates(room=self.door.room.room_here, draining=self.draining)

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
        alternates = self._alternates()
        for channel in self.channels.values():
            channel.say(event_frame("drain", alternates=alternates))
        _log.info("edge.drain", listeners=self.fanout.listeners, alternates=alternates)

    def close(self) -> None:
        for channel in self.channels.values():
            channel.close()
        self.crowd.close_all()
