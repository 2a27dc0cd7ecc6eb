"""The stage process: a producer for each conversation whose doors are open or about to open."""

import asyncio
import gc
import time
from collections import Counter
from contextlib import aclosing
from pathlib import Path
from typing import Final, assert_never

import structlog

from rostra.audio import announcements, hold_music
from rostra.bus.connection import Connection
from rostra.bus.control import CALM_WITHIN_S, answer, ask
from rostra.bus.state import follow_conversations, read_lease
from rostra.bus.telemetry import publish_report
from rostra.core.conversation import Conversation, Held, Live, is_over
from rostra.core.messages import Move, StageReport, Yield
from rostra.core.records import from_record
from rostra.core.units import SECOND_NS
from rostra.evidence.testimony import Silence
from rostra.stage.capacity import lacks_room, trial
from rostra.stage.measures import DONE
from rostra.stage.producer import Producer, Sounds
from rostra.verifier.canonical import Json

_log = structlog.get_logger()
_EARLY_NS: Final = 2 * SECOND_NS  # before the doors: to subscribe, read the history and warm the encoders


def load_sounds(cache: Path) -> Sounds:
    """Hold music (composed once, then read from `cache`) and announcements in every language."""
    return Sounds(
        hold_music=hold_music.cached(cache),
        announcements={
            language: {name: announcements.load(language, name) for name in texts}
            for language, texts in announcements.TEXTS.items()
        },
    )


class StageServer:
    """All conversations of one stage process."""

    def __init__(
        self, connection: Connection, stage: str, sounds: Sounds, testimony: Silence | None = None
    ) -> None:
        (testimony or Silence()).figures = self._account
        self._connection = connection
        self._stage = stage
        self._sounds = sounds
        self._conversations: dict[str, Conversation] = {}
        self._producers: dict[str, Producer] = {}
        self._done: Counter[str] = Counter()  # by producers that are gone

    async def run(self) -> None:
        """Serve until cancelled."""
        gc.collect()
        gc.freeze()  # what lives for ever is not looked at again: no collection longer than a millisecond
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(), name="conversations")
            tasks.create_task(self._report(), name="report")
            tasks.create_task(answer(self._connection, self._stage, self._do), name="control")
            while True:
                for conversation in list(self._conversations.values()):
                    if self._is_ours(conversation):
                        producer = Producer(self._connection, self._stage, conversation, self._sounds)
                        self._producers[conversation.id] = producer
                        tasks.create_task(self._produce(producer), name=f"producer {conversation.id}")
                await asyncio.sleep(0.1)

    def _is_ours(self, conversation: Conversation) -> bool:
        near = time.time_ns() >= conversation.schedule.doors_ns - _EARLY_NS
        return near and conversation.id not in self._producers and not is_over(conversation.state)

    async def _produce(self, producer: Producer) -> None:
        try:
            await producer.run()
        except Exception:  # noqa: BLE001 # whatever broke this conversation must not silence the others
            _log.exception("producer.failed", conversation=producer.conversation.id)
            await asyncio.sleep(1.0)  # it begins anew; another stage may have taken over meanwhile
        else:
            self._conversations.pop(producer.conversation.id, None)
        del self._producers[producer.conversation.id]
        self._done.update(producer.measures.done())

    def _account(self) -> dict[str, Json]:
        """For evidence."""
        did = self._done.copy()
        for producer in self._producers.values():
            did.update(producer.measures.done())
        on_air = {id_: producer for id_, producer in self._producers.items() if producer.is_active}
        states = {id_: producer.conversation.state for id_, producer in on_air.items()}
        held = {id_: state for id_, state in states.items() if isinstance(state, Held)}
        return {
            "did": {name: did[name] for name in DONE},
            "now": {
                "level_cb": {id_: producer.measures.level_cb for id_, producer in on_air.items()},
                "on_hold": [*sorted(held)],
                "begun": [
                    id_
                    for id_, state in sorted(states.items())
                    if isinstance(state, Live) or (isinstance(state, Held) and state.begun)
                ],
            },
        }

    async def _do(self, asked: Move | Yield) -> str:
        """Do what is asked; else why not, in one sentence."""
        producer = self._producers.get(asked.conversation)
        if producer is None:
            return f"{self._stage} has no programme of {asked.conversation!r}: is it on the air?"
        match asked:
            case Yield(to=stage):
                if not producer.is_active:
                    return f"{self._stage} does not make the programme of {asked.conversation!r} any more."
                producer.give_way(stage)
                return ""
            case Move():
                return await self._take_over(producer)
            case _:
                assert_never(asked)

    async def _take_over(self, producer: Producer) -> str:
        """Make before break: prove that there is room, have the other give way, go on with its next chunk."""
        conversation = producer.conversation.id
        if producer.is_active:
            return f"{self._stage} makes the programme of {conversation!r} already."
        if not producer.is_ready:
            return f"{self._stage} has not heard the programme for long enough to go on with it: try again."
        active = sum(each.is_active for each in self._producers.values())
        if no_room := lacks_room(await trial(self._sounds.hold_music), active=active):
            return f"{self._stage} cannot carry it: {no_room}"
        lease, _ = await read_lease(self._connection, conversation)
        if lease is None:
            return f"Nobody makes the programme of {conversation!r}."
        if refused := await ask(self._connection, lease.stage, Yield(conversation, self._stage), timeout_s=2):
            return refused
        try:
            await asyncio.wait_for(producer.taken.wait(), CALM_WITHIN_S)
        except TimeoutError:
            return f"There was no moment within {CALM_WITHIN_S} s at which nobody would have heard it: try again."
        return ""

    async def _follow(self) -> None:
        async with aclosing(follow_conversations(self._connection)) as records:
            async for record in records:
                conversation = from_record(record)
                producer = self._producers.get(conversation.id)
                if producer is not None:
                    producer.update(conversation)
                if is_over(conversation.state):
                    self._conversations.pop(conversation.id, None)
                else:
                    self._conversations[conversation.id] = conversation

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            producers = self._producers.values()
            await publish_report(
                self._connection,
                StageReport(
                    stage=self._stage,
                    at_ns=time.time_ns(),
                    active=[producer.conversation.id for producer in producers if producer.is_active],
                    standby=[producer.conversation.id for producer in producers if not producer.is_active],
                    frames_late=sum(producer.measures.frames_late for producer in producers),
                    lateness_max_ms=max((p.measures.lateness_max_ns for p in producers), default=0) / 1e6,
                    clock_offset_ms=max((p.measures.clock_offset_ns for p in producers), key=abs, default=0) / 1e6,
                    backlog_chunks=sum(producer.publisher.backlog_chunks for producer in producers),
                    dropped_chunks=sum(producer.publisher.dropped_chunks for producer in producers),
                    unstored_chunks=sum(producer.publisher.unstored_chunks for producer in producers),
                ),
            )
            for producer in producers:
                producer.measures.lateness_max_ns = 0
