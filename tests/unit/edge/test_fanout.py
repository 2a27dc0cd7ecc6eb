"""The write loop against an imitation of the network that can be slow, full and broken."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rostra.core.framing import EVENT, MEDIA, FrameReader
from rostra.core.limits import LAGGARD_CHUNKS_MAX, RING_CHUNKS_MAX
from rostra.core.messages import Chunk, ConversationRecord, Init, StageEvent
from rostra.edge.cadence import RUNGS_CHUNKS
from rostra.edge.channel import Channel
from rostra.edge.fanout import Fanout

if TYPE_CHECKING:
    from collections.abc import Callable

RECORD = ConversationRecord(
    id="evening",
    title="Evening",
    starts_ns=0,
    doors_ns=0,
    ends_ns=1,
    timezone="UTC",
    language="en",
    revision=0,
    state="live",
)
INIT = Init(conversation="evening", media={"webm-64": b"INIT"})


def chunk(seq: int, *, epoch: int = 1, last: bool = False, speaker: str | None = None) -> Chunk:
    return Chunk(
        conversation="evening",
        epoch=epoch,
        seq=seq,
        wall_ns=seq * 100_000_000,
        state="live",
        level_dbfs=-20.0,
        media={"webm-64": b"%06d" % seq * (1 + seq % 7)},
        last=last,
        events=[] if speaker is None else [StageEvent("speaker", seq * 4_800, speaker)],
    )


@dataclass
class Peer:
    """One listener's end of the wire: takes `room` bytes, understands the framed stream."""

    room: float = float("inf")
    broken: bool = False
    watched: bool = False
    closed: bool = False
    finished: bool = False
    head: bytes = b""
    reader: FrameReader = field(default_factory=FrameReader)
    seqs: list[int] = field(default_factory=list)
    events: list[dict[str, object]] = field(default_factory=list)

    def receive(self, data: bytes) -> None:
        if not self.head.endswith(b"\r\n\r\n"):
            head, end, data = (self.head + data).partition(b"\r\n\r\n")
            self.head = head + end
        for frame in self.reader.feed(data):
            if frame.kind == MEDIA:
                self.seqs.append(frame.seq)
                assert frame.payload[4:] == chunk(frame.seq).media["webm-64"]
            elif frame.kind == EVENT:
                self.events.append(json.loads(frame.payload))

    def told(self, kind: str) -> list[dict[str, object]]:
        return [event for event in self.events if event["type"] == kind]


class Network:
    """A `Wire` in memory. Numbers of those who have gone are used again at once, as the kernel does."""

    def __init__(self) -> None:
        self.peers: dict[int, Peer] = {}
        self.past: list[Peer] = []
        self._free: list[int] = []

    def connect(self, **peer: float | bool) -> int:
        number = self._free.pop() if self._free else len(self.peers) + 3
        self.peers[number] = Peer(**peer)  # type: ignore[arg-type]
        return number

    def write(self, number: int, data: bytes | memoryview) -> int:
        peer = self.peers[number]
        if peer.broken:
            raise BrokenPipeError
        taken = int(min(len(data), peer.room))
        if taken == 0 and len(data):
            raise BlockingIOError
        peer.room -= taken
        peer.receive(bytes(data[:taken]))
        return taken

    def watch_writable(self, number: int, *, wanted: bool) -> None:
        self.peers[number].watched = wanted

    def close(self, number: int) -> None:
        self.peers[number].closed = True
        self._release(number)

    def finish(self, number: int) -> None:
        self.peers[number].finished = True
        self._release(number)

    def _release(self, number: int) -> None:
        self.past.append(self.peers.pop(number))
        self._free.append(number)


class Evening:
    """One conversation, its write loop and its network."""

    def __init__(self, *, cadence: int = 1) -> None:
        self.network = Network()
        self.now_s = 0.0
        self.fanout = Fanout(self.network, clock=lambda: self.now_s, cpu=lambda: 0.0)
        self.channel = Channel(RECORD, self.fanout, cadence=cadence)
        self.channel.init = INIT
        self.seq = -1

    def tick(self, chunks: int = 1, *, writes_max: int | None = None, last: bool = False) -> None:
        for _ in range(chunks):
            self.seq += 1
            self.channel.append(chunk(self.seq, last=last))
            if writes_max is None:
                self.write()
            else:
                self.fanout.turn(writes_max)

    def hear(self, speaker: str) -> None:
        """A chunk with which somebody begins to speak."""
        self.seq += 1
        self.channel.append(chunk(self.seq, speaker=speaker))
        self.write()

    def write(self) -> None:
        while self.fanout.turn():
            pass

    def join(self, *, from_seq: int | None = None, **peer: float | bool) -> int:
        number = self.network.connect(**peer)
        lane = self.channel.lane("webm-64", framed=True)
        first = self.channel.resumption(from_seq)
        group = lane.cohort.place(newest=self.seq, from_seq=first)
        opening, position = self.channel.opening(lane, group, from_seq=first, date="", now_ms=0)
        self.fanout.admit(number, lane, group, opening, position=position)
        return number

    def peer(self, number: int) -> Peer:
        return self.network.peers[number]

    def leave(self, number: int) -> None:
        self.fanout.leave(number)
        self.network.close(number)

    def poll(self) -> None:
        for number, peer in list(self.network.peers.items()):
            if peer.watched and peer.room > 0 and number in self.fanout.laggards:
                self.fanout.writable(number)


def consecutive(seqs: list[int]) -> bool:
    return seqs == list(range(seqs[0], seqs[0] + len(seqs))) if seqs else True


def test_who_comes_while_somebody_speaks_is_told_at_once_who() -> None:
    evening = Evening()
    evening.hear("Anna")
    evening.tick(RING_CHUNKS_MAX + 50)  # long ago: no chunk of the ring tells it any more
    number = evening.join()
    evening.tick(3)
    assert [event["value"] for event in evening.peer(number).told("speaker")] == ["Anna"]
    assert [event["type"] for event in evening.peer(number).events][:2] == ["hello", "speaker"]


def test_who_goes_on_in_the_past_is_told_who_spoke_then_and_the_change_where_it_was() -> None:
    evening = Evening()
    evening.hear("Anna")
    evening.tick(30)
    evening.hear("Bob")
    evening.tick(30)
    resumed, new = evening.join(from_seq=10), evening.join()
    evening.tick(2)
    assert [event["value"] for event in evening.peer(resumed).told("speaker")] == ["Anna", "Bob"]
    assert [event["value"] for event in evening.peer(new).told("speaker")] == ["Bob"]


def test_before_anybody_has_spoken_nobody_is_named() -> None:
    evening = Evening()
    evening.tick(20)
    assert evening.peer(evening.join()).told("speaker") == []


def test_a_newcomer_gets_a_burst_and_then_every_chunk_once_and_in_order() -> None:
    evening = Evening(cadence=10)
    evening.tick(60)
    number = evening.join()
    evening.tick(30)
    peer = evening.peer(number)
    assert consecutive(peer.seqs)
    assert peer.told("hello")[0]["seq"] == peer.seqs[0]
    assert peer.seqs[-1] > 89 - 10


def test_a_burst_is_longer_than_the_wait_for_the_first_write() -> None:
    for seq in range(60, 80):
        evening = Evening(cadence=10)
        evening.tick(seq)
        peer = evening.peer(evening.join())
        burst = len(peer.seqs)
        waited = 0
        while len(peer.seqs) == burst:
            evening.tick()
            waited += 1
        assert burst >= waited + 5


def test_newcomers_are_spread_evenly_over_the_phases() -> None:
    evening = Evening(cadence=10)
    evening.tick(50)
    for _ in range(100):
        evening.tick()
        for _ in range(10):
            evening.join()
    per_chunk = []
    for _ in range(10):
        before = evening.fanout.counters.writes
        evening.tick()
        per_chunk.append(evening.fanout.counters.writes - before)
    assert sum(per_chunk) == 1_000
    assert max(per_chunk) - min(per_chunk) <= 10


def test_who_resumes_goes_on_with_exactly_the_chunk_asked_for() -> None:
    for missing in range(12):
        evening = Evening(cadence=10)
        evening.tick(80)
        for _ in range(4):
            evening.join(from_seq=80)  # so that the fullest group is the one that would do for everybody
        number = evening.join(from_seq=80 - missing)
        evening.tick(25)
        peer = evening.peer(number)
        assert peer.seqs[0] == 80 - missing
        assert consecutive(peer.seqs)


def test_a_listener_behind_the_window_is_moved_to_the_live_edge_and_told() -> None:
    evening = Evening()
    evening.tick(20)
    number = evening.join()
    peer = evening.peer(number)
    evening.tick(3)
    peer.room = 7  # full in the middle of a frame
    evening.tick(LAGGARD_CHUNKS_MAX + 50)
    assert number in evening.fanout.laggards
    before = peer.seqs[-1]
    peer.room = float("inf")
    evening.poll()
    evening.tick(5)
    (moved,) = peer.told("moved")
    assert moved["to_seq"] == before + 2 + int(str(moved["missed"]))  # the half-sent frame was completed
    after = peer.seqs[peer.seqs.index(int(str(moved["to_seq"]))) :]
    assert consecutive(after)
    assert after[-1] == evening.seq
    assert number in evening.fanout.seats


def test_a_laggard_that_catches_up_has_missed_nothing_and_rejoins() -> None:
    evening = Evening(cadence=5)
    evening.tick(30)
    number = evening.join()
    peer = evening.peer(number)
    peer.room = 3
    evening.tick(40)
    assert evening.fanout.counters.lagged == 1
    peer.room = float("inf")
    evening.poll()
    evening.tick(10)
    assert consecutive(peer.seqs)
    assert not peer.told("moved")
    assert number in evening.fanout.seats
    assert not peer.watched


def test_one_whose_connection_breaks_is_closed_and_nobody_else_notices() -> None:
    evening = Evening()
    evening.tick(10)
    broken, sound = evening.join(), evening.join()
    evening.peer(broken).broken = True
    evening.tick(5)
    assert broken not in evening.network.peers
    assert evening.network.past[0].closed
    assert consecutive(evening.peer(sound).seqs)
    assert evening.peer(sound).seqs[-1] == 14


def test_a_loop_that_cannot_keep_up_lets_listeners_catch_up_by_themselves_and_loses_nothing() -> None:
    evening = Evening(cadence=2)
    evening.tick(50)
    numbers = [evening.join() for _ in range(30)]
    evening.tick(LAGGARD_CHUNKS_MAX // 2 + 10, writes_max=0)
    assert len(evening.fanout.laggards) == 30
    evening.write()
    evening.poll()
    evening.tick(4)
    for number in numbers:
        assert consecutive(evening.peer(number).seqs)
        assert number in evening.fanout.seats


def test_a_laggard_before_a_gap_still_gets_what_was_there() -> None:
    evening = Evening(cadence=10)
    evening.tick(50)
    number = evening.join(from_seq=50)  # its writes come with chunks 59, 69, ...
    peer = evening.peer(number)
    peer.room = 4
    evening.tick(13)
    evening.seq += 2
    evening.tick(3)
    peer.room = float("inf")
    evening.poll()
    evening.tick(20)
    cut = peer.seqs.index(65)
    assert peer.seqs[cut - 1] == 62
    assert consecutive(peer.seqs[:cut])
    assert consecutive(peer.seqs[cut:])
    assert peer.told("moved") == [{"type": "moved", "to_seq": 65, "missed": 2}]


def test_the_last_chunk_and_its_event_reach_everybody_whatever_their_phase() -> None:
    evening = Evening(cadence=10)
    evening.tick(50)
    for _ in range(25):
        evening.join()
    slow = evening.join()
    evening.peer(slow).room = 5
    evening.tick(3)
    evening.tick(last=True)
    evening.peer(slow).room = float("inf")
    evening.poll()
    assert len(evening.network.past) == 26
    for peer in evening.network.past:
        assert peer.finished
        assert peer.seqs[-1] == 53
        assert consecutive(peer.seqs)
        assert peer.events[-1] == {"type": "ended", "reason": "ended"}


def test_a_gap_of_the_bus_is_told_and_what_was_there_before_it_still_arrives() -> None:
    evening = Evening(cadence=10)
    evening.tick(50)
    numbers = [evening.join() for _ in range(20)]
    evening.tick(3)
    evening.seq += 2  # chunks 53 and 54 never come
    evening.tick(30)
    for number in numbers:
        peer = evening.peer(number)
        assert peer.told("moved") == [{"type": "moved", "to_seq": 55, "missed": 2}]
        cut = peer.seqs.index(55)
        assert peer.seqs[cut - 1] == 52
        assert consecutive(peer.seqs[:cut])
        assert consecutive(peer.seqs[cut:])


def test_those_already_there_are_told_of_a_longer_cadence_long_before_it_begins() -> None:
    evening = Evening(cadence=1)
    evening.tick(50)
    numbers = [evening.join() for _ in range(1_000)]
    evening.channel.retarget(5)
    evening.tick()
    (told,) = evening.peer(numbers[0]).told("cadence")
    assert told == {"type": "cadence", "cadence_ms": 500, "from_seq": 50 + 80}
    evening.tick(79)  # up to chunk 129
    assert evening.fanout.seats[numbers[0]].cadence == 1
    evening.tick(6)
    (cohort,) = {group.cohort for group in evening.fanout.seats.values()}
    sizes = [len(cohort.group(5, phase).members) for phase in range(5)]
    assert sum(sizes) == 1_000
    assert max(sizes) - min(sizes) <= 5


def test_p4_who_goes_over_to_another_rendition_keeps_its_cadence_until_everybody_has_a_longer_buffer() -> None:
    evening = Evening(cadence=1)
    evening.tick(50)
    evening.join()
    channel = evening.channel
    channel.retarget(5)
    lane = channel.lane("webm-64", framed=True)
    group = lane.cohort.place(newest=49, from_seq=48, cadence=1)
    opening, _ = channel.opening(lane, group, from_seq=48, date="", now_ms=0)
    frames = list(FrameReader().feed(opening.partition(b"\r\n\r\n")[2]))
    hello, coming = (json.loads(frame.payload) for frame in frames if frame.kind == EVENT)
    assert (hello["type"], hello["cadence_ms"]) == ("hello", 100)
    assert coming == {"type": "cadence", "cadence_ms": 500, "from_seq": 50 + 80}
    assert lane.cohort.place(newest=49).cadence == 5  # a newcomer begins with the longer one
    assert lane.cohort.place(newest=130, from_seq=130, cadence=1).cadence == 5


@st.composite
def _scripts(draw: st.DrawFn) -> list[tuple[str, int]]:
    kinds = ["tick"] * 6 + ["join"] * 3 + ["leave", "cadence", "squeeze", "release", "slice", "break"]
    kinds += ["resume", "gap", "stall"]
    size = draw(st.integers(10, 60))
    return [(draw(st.sampled_from(kinds)), draw(st.integers(0, 1_000_000))) for _ in range(size)]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(_scripts(), st.sampled_from(RUNGS_CHUNKS))
def test_whatever_happens_each_listener_gets_each_chunk_once_in_order_or_is_told(
    script: list[tuple[str, int]], cadence: int
) -> None:
    evening = Evening(cadence=cadence)
    evening.tick(60)

    def anyone(value: int) -> int | None:
        numbers = list(evening.network.peers)
        return numbers[value % len(numbers)] if numbers else None

    def join(value: int) -> None:
        for _ in range(value % 10 + 1):
            evening.join()

    def skip(value: int) -> None:
        evening.seq += value % 15
        evening.tick()

    def leave(value: int) -> None:
        if (number := anyone(value)) is not None:
            evening.leave(number)

    def squeeze(value: int) -> None:
        if (number := anyone(value)) is not None:
            evening.peer(number).room = value % 300

    def release(value: int) -> None:
        for peer in evening.network.peers.values():
            peer.room = float("inf") if value % 2 else value % 5_000
        evening.poll()

    def break_one(value: int) -> None:
        if (number := anyone(value)) is not None:
            evening.peer(number).broken = True

    actions: dict[str, Callable[[int], object]] = {
        "tick": lambda value: evening.tick(value % 20 + 1),
        "slice": lambda value: evening.tick(value % 8 + 1, writes_max=value % 20),
        "stall": lambda value: evening.tick(LAGGARD_CHUNKS_MAX + value % 60, writes_max=0),
        "gap": skip,
        "join": join,
        "leave": leave,
        "cadence": lambda value: evening.channel.retarget(RUNGS_CHUNKS[value % len(RUNGS_CHUNKS)]),
        "squeeze": squeeze,
        "release": release,
        "break": break_one,
        "resume": lambda value: evening.join(from_seq=max(0, evening.seq - value % 200)),
    }
    for kind, value in script:
        actions[kind](value)
    for peer in evening.network.peers.values():
        peer.room = float("inf")
    evening.write()
    evening.poll()
    evening.poll()
    evening.tick(last=True)
    evening.poll()
    assert not evening.network.peers
    assert not evening.fanout.seats
    assert not evening.fanout.laggards
    for peer in evening.network.past:
        _check(peer, evening.seq)


def _check(peer: Peer, newest: int) -> None:
    jumps = {int(str(event["to_seq"])) for event in peer.told("moved")}
    for before, after in zip(peer.seqs, peer.seqs[1:], strict=False):
        assert after == before + 1 or (after in jumps and after > before)
    if peer.finished:
        assert peer.seqs[-1] == newest
        assert peer.events[-1]["type"] == "ended"


def test_what_is_written_later_than_players_bridge_is_counted_for_each_of_them() -> None:
    evening = Evening()
    evening.tick()
    evening.join()
    evening.join()

    def after(seconds: float) -> float:
        evening.now_s += seconds
        evening.tick()
        return round(evening.fanout.counters.paused_listener_s, 3)

    evening.tick()
    assert after(0.1) == 0.0
    assert after(0.22) == 0.0, "a player holds that much"
    assert after(0.72) == 1.0, "half a second for each of two"
    for listener in list(evening.network.peers):
        evening.fanout.dismiss([listener])
    after(5.0)
    evening.join()
    after(0.1)
    assert after(0.1) == 1.0, "while nobody is there nobody lacks anything"


def test_a_longer_cadence_is_no_pause() -> None:
    evening = Evening(cadence=10)
    evening.tick()
    evening.join()
    for _ in range(40):
        evening.now_s += 0.1
        evening.tick()
    assert evening.fanout.counters.paused_listener_s == 0.0
