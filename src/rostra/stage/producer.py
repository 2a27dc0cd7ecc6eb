"""One conversation on one stage: stand by, take the lease, make the programme, hand it to the bus."""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
import structlog
from msgspec import structs

from rostra.audio.containers import ogg
from rostra.audio.encoder import ProgrammeEncoder
from rostra.audio.frame import Samples
from rostra.audio.opus import OpusDecoder
from rostra.audio.seat import Seat
from rostra.bus.captions import follow_captions
from rostra.bus.connection import Connection
from rostra.bus.hops import publish_hop
from rostra.bus.programme import ProgrammePublisher, follow_programme
from rostra.bus.roster import RosterLog
from rostra.bus.seats import call_seats, follow_seats
from rostra.bus.state import change_conversation, put_init, read_lease, take_lease
from rostra.core.conversation import Conversation, State, is_over, state_name
from rostra.core.errors import BusError, ConflictError
from rostra.core.limits import FRAMES_PER_TURN_MAX, HOP_REPORT_S, MEDIA_HEARTBEAT_LOST_MS, SEATS_MAX
from rostra.core.messages import Chunk, Init, Lease, StageEvent
from rostra.core.units import CHUNK_SAMPLES, FRAME_NS, FRAME_SAMPLES, SECOND_NS, samples_to_ns
from rostra.stage.captions import CaptionDesk
from rostra.stage.clock import ProgrammeClock, is_step
from rostra.stage.hops import hop_reports
from rostra.stage.measures import Measures
from rostra.stage.programme import Programme

_log = structlog.get_logger()
_PRE_ROLL_CHUNKS: Final = 3
_PRE_SKIP: Final = 312  # libopus's look-ahead at 48 kHz: decoded sound lags by this much (RFC 7845 §4.2)
_TURNS_TO_SEATS: Final = 3  # of the loop: a socket is read, its messages are parsed, seats take them
_STANDBY_TURN_S: Final = 0.02
_OVERSLEPT_S: Final = MEDIA_HEARTBEAT_LOST_MS / 2000  # whose turn took this long could not have heard anybody
# After this long without any stage the programme goes on from now; below it the gap is made good in full.
_CATCH_UP_MAX_NS: Final = 10 * SECOND_NS
# A conversation that has ended is followed this much longer, so that its last words find a stage.
_CLOSING_S: Final = 15.0


@dataclass(slots=True)
class Sounds:
    """What every programme needs: the hold loop, and the announcements per language."""

    hold_music: Samples
    announcements: Mapping[str, Mapping[str, Samples]]


@dataclass(slots=True)
class Heard:
    """The newest chunk of any stage, and the monotonic second at which it was heard."""

    chunk: Chunk | None
    at_s: float


class Producer:
    """Keeps one conversation on the air together with the producers of other stages.

    The chunks are the heartbeat: while they come, this producer stands by. When none has been heard for
    MEDIA_HEARTBEAT_LOST_MS it takes the lease under a new epoch and goes on with the very next chunk. It
    steps down when it hears a newer epoch than its own. In a planned move the active producer is asked to
    `give_way`: its last chunk names the stage that goes on, which does so at once.
    """

    def __init__(self, connection: Connection, stage: str, conversation: Conversation, sounds: Sounds) -> None:
        self.conversation = conversation
        self.measures = Measures()
        self.publisher = ProgrammePublisher(connection, may_publish=self._holds_lease, clock_ns=time.time_ns)
        self._connection = connection
        self._stage = stage
        self._sounds = sounds
        self._log = RosterLog(connection, conversation.id)
        self._seats: dict[str, Seat] = {}
        self._left: dict[str, Seat] = {}  # who has left and is still to be reported on; SEATS_MAX, then nobody more
        self._heard = Heard(None, time.monotonic())
        self._awake_since_s = time.monotonic()
        self._recent: deque[bytes] = deque(maxlen=_PRE_ROLL_CHUNKS)
        self._lease: Lease | None = None
        self._known_epoch = 0
        self._is_new = True  # nobody has had the lease yet, as far as we know: then there is nobody to wait for
        self._captions = CaptionDesk()
        self._programme: Programme | None = None
        self._state_changed = asyncio.Event()
        self._events: list[StageEvent] = []
        self._called_upon = asyncio.Event()  # the newest chunk says that ours is the next
        self._gives_way_to = ""
        self._has_given_way = False
        self.taken = asyncio.Event()  # set while this producer makes the programme

    @property
    def is_ready(self) -> bool:
        """Whether this producer could go on with the next chunk as if it had made the last ones."""
        fresh = time.monotonic() - self._heard.at_s < MEDIA_HEARTBEAT_LOST_MS / 2000
        return not self.is_active and fresh and len(self._recent) == _PRE_ROLL_CHUNKS

    def give_way(self, stage: str) -> None:
        """Let `stage` make the programme from the next calm moment on."""
        self._gives_way_to = stage

    @property
    def is_active(self) -> bool:
        return self._programme is not None

    def update(self, conversation: Conversation) -> None:
        """Take over what the state bucket says now."""
        self.conversation = conversation
        if self._programme is not None:
            self._events += self._programme.update(conversation)

    async def run(self) -> None:
        """Return when the conversation is over and its last words have been published."""
        async with asyncio.TaskGroup() as tasks:
            name = self.conversation.id
            background = [
                tasks.create_task(self._listen(), name=f"{name}: chunks"),
                tasks.create_task(self._gather(), name=f"{name}: seats"),
                tasks.create_task(self._log.run(), name=f"{name}: roster"),
                tasks.create_task(self._take_captions(), name=f"{name}: captions"),
                tasks.create_task(call_seats(self._connection, name), name=f"{name}: calls"),
                tasks.create_task(self.publisher.run(), name=f"{name}: publisher"),
                tasks.create_task(self._write_state(), name=f"{name}: state"),
            ]
            while not self._is_finished():
                if await self._take_turn():
                    await self._produce()
            await self.publisher.drained()
            for task in background:
                task.cancel()

    # --- standing by -------------------------------------------------------------------------------

    async def _listen(self) -> None:
        async with aclosing(follow_programme(self._connection, self.conversation.id)) as chunks:
            async for chunk in chunks:
                self._heard = Heard(chunk, time.monotonic())
                self._recent.append(chunk.media["ogg-64"])
                if self._programme is not None:
                    continue
                self._captions.hear(chunk, now_s=time.monotonic())
                if chunk.next_stage == self._stage:
                    self._called_upon.set()
                for name, next_seq in chunk.heard.items():
                    self._seat(name).continue_from(next_seq)

    async def _gather(self) -> None:
        async with aclosing(follow_seats(self._connection, self.conversation.id)) as arrivals:
            async for frames in arrivals:
                if frames.seat in self._seats or len(self._seats) < SEATS_MAX:
                    self._seat(frames.seat).offer(frames)
                for name in [name for name, seat in self._seats.items() if seat.has_left]:
                    gone = self._seats.pop(name)
                    if self.is_active and len(self._left) < SEATS_MAX:
                        self._left[name] = gone

    async def _take_captions(self) -> None:
        async with aclosing(follow_captions(self._connection, self.conversation.id)) as arrivals:
            async for captions in arrivals:
                self._captions.offer(captions, now_s=time.monotonic())

    def _seat(self, name: str) -> Seat:
        return self._seats.setdefault(name, Seat())

    def _is_finished(self) -> bool:
        last = self._heard.chunk
        if last is not None and last.last:
            return True
        return is_over(self.conversation.state) and time.monotonic() - self._heard.at_s > _CLOSING_S

    async def _take_turn(self) -> bool:
        """Wait a moment; take the lease if nobody makes the programme. True if it is ours now."""
        turned_s = time.monotonic()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._called_upon.wait(), _STANDBY_TURN_S)
        called_upon = self._called_upon.is_set()
        self._called_upon.clear()
        if time.monotonic() - turned_s > _OVERSLEPT_S:
            self._awake_since_s = time.monotonic()  # frozen or starved: its own silence is not that of the others
        connected_since = self._connection.connected_since
        if connected_since is None or time.time_ns() < self.conversation.schedule.doors_ns:
            return False
        last = self._heard.chunk
        quiet_s = time.monotonic() - max(connected_since, self._awake_since_s, self._heard.at_s)
        nobody_yet = self._is_new and last is None
        if quiet_s < MEDIA_HEARTBEAT_LOST_MS / 1000 and not nobody_yet and not called_upon:
            return False
        if last is None and is_over(self.conversation.state):
            return False
        try:
            return await self._take_lease(last)
        except ConflictError:
            self._heard.at_s = time.monotonic()  # somebody was quicker: give it time to be heard
        except BusError:
            _log.warning("lease.unreachable", conversation=self.conversation.id)
        return False

    async def _take_lease(self, last: Chunk | None) -> bool:
        held, revision = await read_lease(self._connection, self.conversation.id)
        self._is_new = False
        held_epoch = 0 if held is None else held.epoch
        heard_epoch = 0 if last is None else last.epoch
        if held_epoch > max(self._known_epoch, heard_epoch):
            # A lease that has not been heard yet: its holder gets one heartbeat's time to be heard.
            self._known_epoch = held_epoch
            self._heard.at_s = time.monotonic()
            return False
        epoch = max(held_epoch, heard_epoch) + 1
        lease = Lease(self.conversation.id, self._stage, epoch)
        await take_lease(self._connection, lease, expected_revision=revision)
        self._lease, self._known_epoch = lease, epoch
        self.publisher.reinstate()
        return True

    async def _holds_lease(self) -> bool:
        held, _ = await read_lease(self._connection, self.conversation.id)
        return held is not None and held == self._lease

    # --- on the air --------------------------------------------------------------------------------

    def _begin(self, lease: Lease) -> tuple[Programme, ProgrammeEncoder]:
        wall_ns, mono_ns = time.time_ns(), time.monotonic_ns()
        last = self._heard.chunk
        origin_ns = self.conversation.schedule.doors_ns
        if last is not None:
            origin_ns = last.wall_ns - samples_to_ns((last.seq + 1) * CHUNK_SAMPLES)
        clock = ProgrammeClock.start(origin_ns, mono_ns=mono_ns, wall_ns=wall_ns)
        now_position = max(0, clock.sample_at(wall_ns)) // CHUNK_SAMPLES * CHUNK_SAMPLES
        position = now_position
        if last is not None:
            position = (last.seq + 1) * CHUNK_SAMPLES
        elif lease.epoch == 1:  # nobody was before us: from the doors on nothing is missing
            position = 0
        if samples_to_ns(now_position - position) > _CATCH_UP_MAX_NS:
            position = now_position
        programme = Programme(
            self.conversation,
            clock,
            self._seats,
            hold_music=self._sounds.hold_music,
            announcements=self._sounds.announcements[self.conversation.schedule.language],
            position=position,
        )
        encoder = ProgrammeEncoder(position, pre_roll=_decoded(self._recent))
        return programme, encoder

    async def _produce(self) -> None:
        """Make the programme until it is finished or another stage has taken over."""
        assert self._lease is not None
        programme, encoder = self._begin(self._lease)
        self._programme = programme
        self._gives_way_to, self._has_given_way = "", False
        self.taken.set()
        epoch, clock = self._lease.epoch, programme.clock
        since, late = programme.position, self.measures.frames_late
        _log.info("programme.taken", conversation=self.conversation.id, epoch=epoch, position=programme.position)
        init = Init(self.conversation.id, encoder.init)
        async with asyncio.TaskGroup() as tasks:
            announcing = tasks.create_task(self._announce_init(init), name="init")
            reporting = tasks.create_task(self._report_hops(programme, since, late), name="hops")
            disciplined_ns = 0
            levels: list[float] = []
            while not (self._is_done(programme) or self._is_deposed(epoch)):
                now_ns = time.monotonic_ns()
                if now_ns - disciplined_ns >= SECOND_NS:
                    self._discipline(clock, now_ns)
                    disciplined_ns = now_ns
                for _ in range(FRAMES_PER_TURN_MAX):
                    late_ns = time.monotonic_ns() - clock.due_mono_ns(programme.position)
                    if late_ns < 0 or self._is_done(programme):
                        break
                    if late_ns > FRAME_NS:
                        await _take_what_came()
                    self.measures.late(late_ns)
                    self._make_frame(programme, encoder, levels, epoch)
                wait_ns = clock.due_mono_ns(programme.position) - time.monotonic_ns()
                await asyncio.sleep(max(0, wait_ns) / SECOND_NS)
            announcing.cancel()
            reporting.cancel()
        self._programme = None
        self.taken.clear()
        await self._tell_hops(programme, since, late)
        if self._has_given_way:
            _log.info("programme.given", conversation=self.conversation.id, epoch=epoch, to=self._gives_way_to)
        elif not programme.finished:
            _log.warning("programme.deposed", conversation=self.conversation.id, epoch=epoch)

    def _make_frame(self, programme: Programme, encoder: ProgrammeEncoder, levels: list[float], epoch: int) -> None:
        state = programme.conversation.state
        sound, events = programme.frame()
        self._events += [self._named(event) for event in events]
        if programme.conversation.state != state:
            self._state_changed.set()
        levels.append(float(np.dot(sound, sound)) / FRAME_SAMPLES)
        self.measures.heard(programme.conversation.state, levels[-1])
        media = encoder.encode(sound)
        while programme.finished and media is None:  # the last chunk is made whole with the silence after it
            media = encoder.encode(np.zeros(FRAME_SAMPLES, np.float32))
            programme.position += FRAME_SAMPLES
        if media is None:
            return
        events, self._events = self._events, []
        self._has_given_way = bool(self._gives_way_to) and programme.is_calm and not programme.finished
        level_dbfs = 10 * np.log10(max(sum(levels) / len(levels), 1e-12))
        self.measures.level_cb = round(10 * float(level_dbfs))
        levels.clear()
        self.publisher.offer(
            Chunk(
                conversation=self.conversation.id,
                epoch=epoch,
                seq=programme.position // CHUNK_SAMPLES - 1,
                wall_ns=programme.clock.wall_at(programme.position),
                state=state_name(programme.conversation.state),
                level_dbfs=round(float(level_dbfs), 1),
                media=media,
                events=events,
                heard=programme.heard(),
                last=programme.finished,
                next_stage=self._gives_way_to if self._has_given_way else "",
                captions=self._captions.take(),
                captioner=self._captions.captioner(now_s=time.monotonic()),
            )
        )

    def _named(self, event: StageEvent) -> StageEvent:
        """Listeners are told a speaker's name, not the seat; a feed is called what its seat is."""
        seated = self._log.roster.seat(event.value) if event.kind == "speaker" else None
        return event if seated is None else structs.replace(event, value=seated.name)

    def _is_done(self, programme: Programme) -> bool:
        return programme.finished or self._has_given_way

    def _is_deposed(self, epoch: int) -> bool:
        heard = self._heard.chunk
        return self.publisher.deposed or (heard is not None and heard.epoch > epoch)

    def _discipline(self, clock: ProgrammeClock, mono_ns: int) -> None:
        offset_ns = clock.discipline(mono_ns=mono_ns, wall_ns=time.time_ns())
        self.measures.disciplined(offset_ns)
        if is_step(offset_ns):
            _log.error("clock.stepped", conversation=self.conversation.id, offset_ms=offset_ns / 1e6)

    # --- what others must know -----------------------------------------------------------------------

    async def _report_hops(self, programme: Programme, since: int, late: int) -> None:
        while True:
            await asyncio.sleep(HOP_REPORT_S)
            await self._tell_hops(programme, since, late)

    async def _tell_hops(self, programme: Programme, since: int, late: int) -> None:
        """Say what became of each voice between its gate and the mix, for the recording."""
        seats, self._left = self._left | self._seats, {}
        for report in hop_reports(programme, seats, since=since, late=self.measures.frames_late - late):
            await publish_hop(self._connection, report)

    async def _announce_init(self, init: Init) -> None:
        while True:
            try:
                await put_init(self._connection, init)
            except BusError:
                await asyncio.sleep(0.1)
                continue
            return

    async def _write_state(self) -> None:
        """Write the state that the programme has reached into the bucket, for pages and newcomers."""
        while True:
            await self._state_changed.wait()
            self._state_changed.clear()
            programme = self._programme
            if programme is None:
                continue
            state = programme.conversation.state
            try:
                await change_conversation(self._connection, self.conversation.id, partial(_reached, state=state))
            except BusError:
                await asyncio.sleep(0.1)
                self._state_changed.set()


async def _take_what_came() -> None:
    """After a stall, frames that are made in one go are not made without what seats have sent meanwhile."""
    for _ in range(_TURNS_TO_SEATS):
        await asyncio.sleep(0)


def _decoded(pages: Iterable[bytes]) -> Samples | None:
    """The sound of the newest chunks, so that the encoders of a takeover go on as if they had made them."""
    decoder = OpusDecoder()
    frames = [decoder.decode(packet) for page in pages for packet in ogg.packets(page)]
    if not frames:
        return None
    # What the encoder's look-ahead held back has gone with its process: concealment stands in for it.
    frames.append(decoder.decode(None))
    return np.concatenate(frames)[_PRE_SKIP : _PRE_SKIP - FRAME_SAMPLES]


def _reached(stored: Conversation, *, state: State) -> Conversation:
    """What the bucket holds, in the state that the programme has reached; an end that was written there stands."""
    return stored if is_over(stored.state) else replace(stored, state=state)
