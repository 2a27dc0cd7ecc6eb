"""One conversation at this edge: what is known of it, its newest chunks, and who listens."""

from collections import deque
from typing import Any, Final

from rostra.core.framing import CONTENT_TYPE, INIT, frame
from rostra.core.limits import CAPTIONS_KEPT_MAX, RING_CHUNKS_MAX
from rostra.core.messages import Caption, Chunk, ConversationRecord, Init, StageEvent
from rostra.core.renditions import RENDITIONS
from rostra.core.units import CHUNK_NS, SAMPLE_RATE_HZ
from rostra.core.webvtt import GAP, Cue, webvtt
from rostra.edge.cadence import moves_from_seq
from rostra.edge.cohort import Group
from rostra.edge.fanout import Fanout, Lane
from rostra.edge.http import stream_head
from rostra.edge.ring import START_CHUNKS, Feed, Ring, Verdict, event_frame

CHUNK_MS: Final = CHUNK_NS // 1_000_000
OVER: Final = frozenset({"ended", "cancelled"})
# Browsers' <audio> waits for 32 KiB before it starts: 0.2 s with this burst, 4 s without (measured).
PLAIN_BURST_BYTES: Final = 32 * 1024
_OPENINGS_KEPT_MAX: Final = 128  # 40 kB each: 5 MB, forgotten at the next chunk

Lanes = dict[tuple[str, bool], Lane]


class Channel:
    """`lanes` has one lane per rendition and surface (framed or not) that somebody has asked for."""

    def __init__(self, record: ConversationRecord, fanout: Fanout, *, cadence: int) -> None:
        self.record = record
        self.ring = Ring()
        self.init: Init | None = None
        self.lanes: Lanes = {}
        self.listeners_elsewhere = 0
        self.ended = False
        self.heard_s: float | None = None  # when the newest chunk came, on the monotonic clock
        self._fanout = fanout
        self._cadence = cadence
        self._moves_from_seq = 0
        self._said = b""
        self._speakers: deque[tuple[int, bytes]] = deque(maxlen=RING_CHUNKS_MAX)  # by chunk, as event frames
        self._captions: dict[str, Caption] = {}  # the newest that stay as they are, CAPTIONS_KEPT_MAX
        self._captioner = ""
        self._openings: dict[tuple[Group, int | None], tuple[bytes, int]] = {}

    # --- what is known ---------------------------------------------------------------------------------

    @property
    def listeners_here(self) -> int:
        return sum(lane.listeners for lane in self.lanes.values())

    @property
    def listeners(self) -> int:
        return self.listeners_here + self.listeners_elsewhere

    @property
    def on_air(self) -> bool:
        """Whether there is sound for a newcomer."""
        return self.init is not None and self.ring.newest is not None and not self.ended

    def state(self, *, now_ms: int) -> dict[str, Any]:
        """The object `state` of docs/protocol.md §2."""
        record = self.record
        return {
            "id": record.id,
            "title": record.title,
            "state": record.state,
            "starts_ms": record.starts_ns // 1_000_000,
            "doors_ms": record.doors_ns // 1_000_000,
            "ends_ms": record.ends_ns // 1_000_000,
            "timezone": record.timezone,
            "language": record.language,
            "revision": record.revision,
            "begun": record.begun,
            "notice": record.notice,
            "notice_ms": record.notice_ns // 1_000_000,
            "captions": bool(self._captioner),
            "now_ms": now_ms,
            "listeners": self.listeners,
            "seq": self.ring.newest,
        }

    def captions(self) -> str:
        """What was said last, as WebVTT; its clock is that of the containers."""
        return webvtt(
            Cue(
                caption.start / SAMPLE_RATE_HZ,
                caption.end / SAMPLE_RATE_HZ,
                caption.name,
                GAP if caption.status == "skipped" else caption.text,
            )
            for caption in sorted(self._captions.values(), key=lambda each: each.start)
        )

    def forget_openings(self) -> None:
        """What newcomers are told first has changed."""
        self._openings.clear()

    # --- what happens ----------------------------------------------------------------------------------

    def say(self, event: bytes) -> None:
        """Tell all framed listeners with the next chunk."""
        self._said += event

    def append(self, chunk: Chunk) -> Verdict:
        """Take a chunk from the bus and plan its writes."""
        verdict = self.ring.judge(chunk)
        if self.ended or verdict in (Verdict.SEEN, Verdict.FENCED):
            return verdict
        lead = self._said
        self._said = b""
        if verdict is Verdict.AFTER_GAP:
            for lane in self.lanes.values():
                self._fanout.flush(lane)
            missed = chunk.seq - (self.ring.newest or 0) - 1
            lead = event_frame("moved", to_seq=chunk.seq, missed=missed) + lead
        lead += b"".join([_stage_event(event) for event in chunk.events]) + self._captioned(chunk)
        self.ring.append(chunk, lead=lead)
        self._note_speakers(chunk)
        self._openings.clear()
        for lane in self.lanes.values():
            self._fanout.advance(lane, chunk.seq)
        if chunk.last:
            self.end("cancelled" if chunk.state == "cancelled" else "ended")
        return verdict

    def _note_speakers(self, chunk: Chunk) -> None:
        """Keep who is heard from where on, for those who come in the middle: as far back as the ring, and one."""
        self._speakers += [(chunk.seq, _stage_event(event)) for event in chunk.events if event.kind == "speaker"]
        oldest = self.ring.oldest or 0
        while len(self._speakers) > 1 and self._speakers[1][0] <= oldest:
            self._speakers.popleft()

    def _speaker_before(self, seq: int) -> bytes:
        """The event that says who is heard at the beginning of chunk `seq`; empty if nobody was named yet."""
        return next((event for at, event in reversed(self._speakers) if at < seq), b"")

    def _captioned(self, chunk: Chunk) -> bytes:
        """The events of a chunk's captions, the newest of which are kept."""
        lead = b""
        if bool(chunk.captioner) != bool(self._captioner):
            lead = event_frame("captions", available=bool(chunk.captioner))
        self._captioner = chunk.captioner
        for caption in chunk.captions:
            if caption.status != "partial":
                self._captions[caption.id] = caption
        for surplus in list(self._captions)[:-CAPTIONS_KEPT_MAX]:
            del self._captions[surplus]
        return lead + b"".join([_caption_event(caption) for caption in chunk.captions])

    def end(self, reason: str) -> None:
        """The newest chunk was the last one."""
        if not self.ended:
            self.ended = True
            for (_, framed), lane in self.lanes.items():
                self._fanout.end(lane, event_frame("ended", reason=reason) if framed else b"")

    def close(self) -> None:
        """Let everybody go at once."""
        for lane in self.lanes.values():
            self._fanout.close_lane(lane)
        self.lanes.clear()

    def retarget(self, cadence: int) -> None:
        """Give newcomers another cadence (in chunks), tell the others, and move them in time."""
        self._cadence = cadence
        if self.ring.newest is None:
            return
        had = [c for lane in self.lanes.values() for c in lane.cohort.cadences]
        from_seq = moves_from_seq(self.ring.newest, shortest=min(had, default=cadence), cadence=cadence)
        self._moves_from_seq = from_seq
        for lane in self.lanes.values():
            lane.cohort.retarget(cadence, from_seq=from_seq)
        self._openings.clear()
        self.say(self._cadence_event())

    def _cadence_event(self) -> bytes:
        return event_frame("cadence", cadence_ms=self._cadence * CHUNK_MS, from_seq=self._moves_from_seq)

    # --- newcomers -------------------------------------------------------------------------------------

    def lane(self, rendition: str, *, framed: bool) -> Lane:
        """The lane of a rendition that `init` has."""
        key = rendition, framed
        if key not in self.lanes:
            feed = Feed(self.ring, rendition, framed=framed)
            lane = self.lanes[key] = self._fanout.open_lane(feed, cadence=self._cadence)
            lane.cohort.retarget(self._cadence, from_seq=self._moves_from_seq)  # who comes over has time until then
        return self.lanes[key]

    def resumption(self, from_seq: int | None) -> int | None:
        """The first chunk for a listener who asks to go on with `from_seq`; None if that is of no use.

        Who is ahead of this edge gets a few chunks a second time.
        """
        newest, oldest = self.ring.newest, self.ring.oldest
        if from_seq is None or newest is None or oldest is None or from_seq > newest + RING_CHUNKS_MAX:
            return None
        return min(max(from_seq, oldest), newest + 1)

    def opening(
        self, lane: Lane, group: Group, *, from_seq: int | None, date: str, now_ms: int
    ) -> tuple[bytes, int]:
        """Everything a newcomer gets first, and the position it has then: exactly that of its group.

        Made once per group and chunk (and resumption point): that is what makes 15,000 joins a second possible.
        """
        key = group, from_seq
        made = self._openings.get(key)
        if made is None:
            made = self._make_opening(lane, group, from_seq=from_seq, date=date, now_ms=now_ms)
            if len(self._openings) < _OPENINGS_KEPT_MAX:
                self._openings[key] = made
        return made

    def _make_opening(
        self, lane: Lane, group: Group, *, from_seq: int | None, date: str, now_ms: int
    ) -> tuple[bytes, int]:
        feed, newest = lane.feed, self.ring.newest
        assert self.init is not None
        assert newest is not None
        position = group.position(newest, floor=self.ring.floor)
        if from_seq is None:
            chunks, size_bytes = group.cadence + START_CHUNKS, 0 if feed.framed else PLAIN_BURST_BYTES
            first = feed.first_of_burst(position, chunks=chunks, size_bytes=size_bytes)
        else:
            first = from_seq
        init = self.init.media[feed.rendition]
        burst = feed.span(first, position)
        if not feed.framed:
            return stream_head(RENDITIONS[feed.rendition].mime, date=date) + init + burst, position
        hello = event_frame(
            "hello",
            cadence_ms=group.cadence * CHUNK_MS,
            seq=first,
            now_ms=now_ms,
            conversation=self.state(now_ms=now_ms),
        )
        if group.cadence != self._cadence:
            hello += self._cadence_event()
        return stream_head(CONTENT_TYPE, date=date) + frame(INIT, init) + hello + self._speaker_before(
            first
        ) + burst, position


def _stage_event(event: StageEvent) -> bytes:
    # On the bus instants are nanoseconds; a browser's numbers are too short for them.
    in_ns = event.kind == "start" and event.value.isdecimal()
    value = str(int(event.value) // 1_000_000) if in_ns else event.value
    text = {"text": event.text} if event.text else {}
    return event_frame(event.kind, at=event.at, value=value, **text)


def _caption_event(caption: Caption) -> bytes:
    """A caption happens where its sound ends: nobody reads what is not said yet."""
    return event_frame(
        "caption",
        at=caption.end,
        start=caption.start,
        id=caption.id,
        name=caption.name,
        text=caption.text,
        status=caption.status,
    )
