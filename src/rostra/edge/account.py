"""What a worker has done and how it is, as evidence has it: gathered once a second from what is counted anyway."""

from itertools import chain
from typing import Final

from rostra.core.ticket import TicketClass
from rostra.edge.demand import SOUND_WITHIN_MS
from rostra.edge.reached import Rounds
from rostra.edge.sources import Sources
from rostra.edge.worker import Worker
from rostra.verifier.canonical import Json

IDLE_S: Final = 5.0
_MILLION: Final = 1_000_000
_TIMEOUTS: Final = ("timeout", "half_open", "slow_reader")  # core.shield.Strike


def account(worker: Worker, sources: Sources, rounds: Rounds, *, now_s: float) -> dict[str, Json]:
    """`did`: totals since the process began. `now`: this moment."""
    return {"did": did(worker), "now": now(worker, sources, rounds, now_s=now_s)}


def did(worker: Worker) -> dict[str, Json]:
    """Whole numbers that only grow; a reason for which nobody was refused yet is not there."""
    door, crowd, room, written = worker.door, worker.crowd, worker.door.room, worker.fanout.counters
    demand, streams, struck = door.demand, door.streams, crowd.shield.counts
    done = {f"asked_first_{each.name.lower()}": demand.first[each] for each in TicketClass}
    done |= {f"tickets_{what}": count for what, count in demand.tickets.items()}
    done |= {f"refused_{reason}": count for reason, count in door.refused.items()}
    done |= {f"answers_{hundred}xx": 0 for hundred in range(2, 6)}
    for status, count in crowd.replies.items():
        if status:
            done[f"answers_{status // 100}xx"] += count
    done["answers_2xx"] += crowd.listens
    done |= {
        f"sound_within_{within}_ms": count for within, count in zip(SOUND_WITHIN_MS, demand.sound, strict=False)
    }
    return {
        **done,
        "sound_later": demand.sound[-1],
        "asked_again": demand.again,
        "asked_again_unproven": demand.again_unproven,
        "passes_refused": demand.passes_refused,
        "admitted": door.joins + demand.plain,
        "admitted_plain": demand.plain,
        "admitted_after_wait": demand.admitted_after_wait,
        "waited_ms": demand.waited_ms,
        "told_to_wait": demand.waits,
        "sent_to_copy": demand.copies,
        "gave_up": room.gave_up,
        "followed_10s": streams.followed,
        "left_before_10s": streams.left_early,
        "resumed": demand.resumed,
        "interrupted": demand.interrupted,
        "paused_listener_ms": round(1_000 * written.paused_listener_s),
        "streams": crowd.listens,
        "cut_streams": written.cut,
        "skipped_chunks": written.skipped,
        "timeouts": sum(struck.get(each, 0) for each in _TIMEOUTS),
        "accepts": crowd.accepted,
        "accept_failures": crowd.replies[0],
        "bytes_in": crowd.bytes_in,
        "bytes_out": crowd.bytes_out + written.sent_bytes,
        "rung_steps": worker.steps,
    }


def now(worker: Worker, sources: Sources, rounds: Rounds, *, now_s: float) -> dict[str, Json]:
    crowd, room, fanout = worker.crowd, worker.door.room, worker.fanout
    reached = rounds.look(chain(fanout.seats, fanout.laggards), fanout.place, count=fanout.listeners)
    return {
        "playing": fanout.listeners,
        "asked_of_listeners": reached.asked,
        "unreached_listeners": reached.unreached,
        "behind_listeners": reached.behind,
        "programme_age_ms": _age_ms(worker, now_s=now_s),
        "waiting": len(room.line),
        "connections": len(crowd.patience),
        "idle_connections": crowd.patience.idle.older(IDLE_S, now_s=now_s),
        "half_open": len(crowd.patience.amid_request),
        "unread_answers": len(crowd.patience.amid_response),
        "room": room.room_here,
        "strain_u": round(crowd.shield.strain * _MILLION),
        "budget_share_u": round(crowd.shield.share * _MILLION),
        "lag_us": round(worker.loop_lag_s * _MILLION),
        "sources": sources.told(),
        "requests_per_source_p50": sources.requests(50),
        "requests_per_source_p99": sources.requests(99),
    }


def _age_ms(worker: Worker, *, now_s: float) -> int:
    """How long no chunk has come of what somebody listens to."""
    ages = [
        now_s - channel.heard_s
        for channel in worker.channels.values()
        if channel.heard_s is not None and channel.listeners_here and not channel.ended
    ]
    return round(1_000 * max(ages, default=0.0))
