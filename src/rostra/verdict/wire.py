"""What was lost before an edge had it: packets that open a connection, and whose packets left them no room."""

from typing import Final, NamedTuple

from rostra.verdict.evening import Evening, Process, total
from rostra.verdict.listening import unreached_listeners

LOST_MIN: Final = 0.05  # of packets: less is any evening
OVERLOADED: Final = 0.9
LISTENERS_TELL: Final = 5  # so many know whether a line works
GONE_USUAL: Final = 2  # listeners whom nothing reaches any more: a tunnel, a battery, a closed lid
STRANGE_MIN: Final = 10  # packets a second; neighbours, names and clocks are fewer
USELESS_MIN: Final = 20  # connections that asked for nothing that there is
SENT_AGAIN: Final = 3  # answers to a handshake
QUEUES_FULL: Final = (  # who sends cookies has no room for handshakes
    "syn_cookies_sent",
    "syn_queue_full_drops",
    "accept_queue_drops",
)
GONE: Final = 0.3  # as many of the listeners are left
GONE_FOR_S: Final = 300
USUAL_BYTES_MAX: Final = 500_000  # a second: every rendition of ten programmes


class Causes(NamedTuple):
    """Something for each of the four: attack, demand, own, external."""

    attack: float = 0.0
    demand: float = 0.0
    own: float = 0.0
    external: float = 0.0


NO_CAUSES: Final = Causes()


def on_the_wire(evening: Evening, edge: Process, begin: int, end: int) -> Causes:
    """Packets that the machine lost before an edge had them: by hostile ones, a crowd, ourselves."""
    attack = together(_handshakes(edge, begin, end), _idle(edge, begin, end))
    dropped = edge.counted("nic_drops_in", begin, end)
    packets = edge.counted("nic_packets_in", begin, end)
    again, out = edge.counted("segments_again", begin, end), edge.counted("segments_out", begin, end)
    asked = edge.level("asked_of_listeners", begin, end) or 0
    deaf = unreached_listeners(edge, begin, end)
    if not deaf and asked >= LISTENERS_TELL:
        again = 0  # those who are there answer: it is answers to who does not exist that are sent again
    lost = max(dropped / (packets + dropped) if dropped > 10 else 0.0, again / out if out > 100 else 0.0)
    if deaf * asked > GONE_USUAL or lost >= LOST_MIN:  # so few alone have lines of their own that fail
        lost = max(lost, deaf)
    lost = max(lost, float(no_handshake(edge, begin, end)))
    # What comes beside TCP nobody has asked for: no edge speaks anything else.
    strange = packets - edge.counted("segments_in", begin, end)
    unasked = strange > STRANGE_MIN * (end - begin) and 3 * strange > packets
    behind = edge.level("behind_listeners", begin, end) or 0
    if unasked and behind > GONE_USUAL and 2 * behind >= asked:  # acknowledgements find no room beside it
        lost = max(lost, behind / max(behind, asked))
    if lost < LOST_MIN:
        return Causes(attack)
    own_bytes = edge.counted("bytes_in", begin, end) + edge.counted("bytes_out", begin, end) / 20  # with the ACKs
    usual = edge.memo.once("usual_bytes_in", lambda: _usual_bytes_in(edge))
    hostile_bytes = edge.counted("nic_bytes_in", begin, end) - 2 * own_bytes - usual * (end - begin)
    useless = edge.counted("answers_4xx", begin, end) + edge.counted("timeouts", begin, end)
    opened = edge.counted("accepts", begin, end)
    if unasked or hostile_bytes > own_bytes or (useless > USELESS_MIN and 2 * useless > opened):
        return Causes(together(attack, lost))
    sent_bps = 8 * edge.counted("bytes_out", begin, end) / (end - begin)
    known = evening.capacities.get(edge.name)
    if known and known.egress_bps and sent_bps >= OVERLOADED * known.egress_bps:
        return Causes(attack, demand=lost)
    return Causes(attack, own=lost)


def no_handshake(edge: Process, begin: int, end: int) -> bool:
    """Whether people began a handshake, had an answer again and again, and nobody completed one.

    That is a line that fails only if listeners answer no more, or have gone. It is none where cookies or a full
    queue say that most who begin are nobody, or where more begin than people were there: one who tries is answered
    again once a second at most.
    """
    near = max(0, begin - 1), end + 1
    if edge.counted("passive_opens", *near) or not edge.knows("passive_opens"):
        return False
    again = edge.counted("segments_again", *near)
    if again < SENT_AGAIN or total(edge, QUEUES_FULL, *near):
        return False
    most = max(edge.levels("playing", max(0, end - GONE_FOR_S), end), default=0)
    there = max(edge.levels("playing", begin, end), default=0)
    gone = there < min(LISTENERS_TELL, GONE * most) or unreached_listeners(edge, begin, end) > 0
    return gone and again <= most * (near[1] - near[0])


def together(first: float, second: float) -> float:
    """What two losses make together."""
    return 1 - (1 - first) * (1 - second)


def _usual_bytes_in(edge: Process) -> float:
    """What comes in a second anyway, of the bus and of neighbours: three times a calm second of the evening."""
    column = sorted(edge.counts.get("nic_bytes_in", []))
    calm = column[len(column) // 4] if column else 0
    own = edge.counted("bytes_in", 0, edge.seconds) / edge.seconds
    return min(3.0 * calm, 3 * own + USUAL_BYTES_MAX)


def _handshakes(edge: Process, begin: int, end: int) -> float:
    """Of handshakes, those that the kernel dropped, while most came from nobody who answers."""
    unfinished, opened = handshakes(edge, begin, end)
    dropped = _dropped(edge, begin, end)
    if not is_syn_flood(unfinished, opened) or not dropped:
        return 0.0
    return dropped / (dropped + opened + edge.counted("syn_cookies_sent", begin, end))


def is_syn_flood(unfinished: int, opened: int) -> bool:
    """Whether most handshakes are of nobody: more than a few that fail are unfinished."""
    return unfinished > 2 * (opened + 10)


def handshakes(edge: Process, begin: int, end: int) -> tuple[int, int]:
    """How many nobody went on with, and how many opened a connection."""
    sent, returned = edge.counted("syn_cookies_sent", begin, end), edge.counted("syn_cookies_returned", begin, end)
    unfinished = max(0, sent - returned) + _dropped(edge, begin, end)
    return unfinished, edge.counted("passive_opens", begin, end)


def _dropped(edge: Process, begin: int, end: int) -> int:
    """Without cookies a kernel counts whom it drops among those for whom the accept queue had no room."""
    overflows = edge.counted("accept_queue_overflows", begin, end)
    dropped = edge.counted("accept_queue_drops", begin, end) - overflows
    return max(edge.counted("syn_queue_full_drops", begin, end), dropped)


def _idle(edge: Process, begin: int, end: int) -> float:
    """Of connections that wanted in, those that found no place because others hold theirs and ask nothing."""
    connections, idle = edge.level("connections", begin, end), edge.level("idle_connections", begin, end)
    failed = edge.counted("accept_failures", begin, end) + edge.counted("accept_queue_overflows", begin, end)
    if not connections or not idle or failed < 3 or 2 * idle < connections:
        return 0.0
    return failed / (failed + edge.counted("accepts", begin, end)) * idle / connections


def unreached(lost: float) -> float:
    """Share of people without a connection in ten seconds: a kernel's four attempts (at 0, 1, 3, 7 s) failed."""
    return lost * lost * lost * lost
