"""The captions process: follows every conversation whose language it knows, recognises, and tells the stage."""

import asyncio
import time
from contextlib import aclosing, suppress
from functools import partial
from typing import Final

import structlog

from rostra.audio.frame import pcm16_to_frame
from rostra.audio.resample import RECOGNISER_HZ, for_recogniser
from rostra.bus.captions import publish_captions, transcribe
from rostra.bus.connection import Connection
from rostra.bus.state import follow_conversations
from rostra.bus.telemetry import publish_report
from rostra.captions.backlog import Backlog, Work
from rostra.captions.ear import Ear, Model
from rostra.captions.listening import Listening
from rostra.core.conversation import is_over
from rostra.core.errors import BadInputError
from rostra.core.limits import CAPTION_TEXT_LENGTH_MAX, UTTERANCE_LONG_MAX_S
from rostra.core.messages import Captions, CaptionsReport, ConversationRecord, Transcribed
from rostra.core.records import from_record
from rostra.core.units import SECOND_NS
from rostra.evidence.testimony import Silence
from rostra.verifier.canonical import Json

_log = structlog.get_logger()
_EARLY_NS: Final = 5 * SECOND_NS  # before the doors: whoever comes first is told that there will be captions
_TURN_S: Final = 0.2
_RETRY_S: Final = 1.0
_LOOK_S: Final = 0.1  # for what has become late, and partial captions whose turn has come
_LAST: Final = 19  # the niceness of what nobody waits for


class CaptionsServer:
    """All conversations of one captions process, and the transcripts that recorders ask for.

    `live` recognises while people listen, `afterwards` better and slower: each in a thread of its own, so neither
    waits for the other.
    """

    def __init__(
        self,
        connection: Connection,
        captioner: str,
        live: Model,
        afterwards: Model,
        testimony: Silence | None = None,
    ) -> None:
        (testimony or Silence()).figures = self.account
        self._connection = connection
        self._captioner = captioner
        self._live = Ear(live)
        self._afterwards = Ear(afterwards, niceness=_LAST)
        self._records: dict[str, ConversationRecord] = {}
        self._listening: dict[str, Listening] = {}
        self._backlog = Backlog()
        self._offered = asyncio.Event()
        self._behind_max_s = 0.0
        self._skipped = 0
        self._made = 0
        self._transcribed_s = 0.0

    async def run(self) -> None:
        """Serve until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(), name="conversations")
            tasks.create_task(self._report(), name="report")
            tasks.create_task(self._recognise(), name="recogniser")
            for language in sorted(self._afterwards.languages):
                answering = transcribe(self._connection, language, self._understand)
                tasks.create_task(answering, name=f"transcripts {language}")
            while True:
                for record in list(self._records.values()):
                    if record.id not in self._listening and time.time_ns() >= record.doors_ns - _EARLY_NS:
                        listening = Listening(self._connection, self._captioner, record.id, self._offer)
                        self._listening[record.id] = listening
                        tasks.create_task(self._listen(record.id, listening), name=f"captions {record.id}")
                await asyncio.sleep(_TURN_S)

    def account(self) -> dict[str, Json]:
        """For evidence."""
        return {"did": {"captions_made": self._made, "captions_skipped": self._skipped}}

    async def _follow(self) -> None:
        async with aclosing(follow_conversations(self._connection)) as records:
            async for record in records:
                try:
                    over = is_over(from_record(record).state)
                except BadInputError as error:
                    _log.warning("conversation.refused", conversation=record.id, error=str(error))
                    continue
                if record.language not in self._live.languages:
                    continue
                if not over:
                    self._records[record.id] = record
                elif self._records.pop(record.id, None) is not None and record.id in self._listening:
                    self._listening[record.id].over()

    async def _listen(self, conversation: str, listening: Listening) -> None:
        try:
            await listening.run()
        except Exception:  # noqa: BLE001 # whatever broke these captions must not silence the others
            _log.exception("captions.failed", conversation=conversation)
            await asyncio.sleep(_RETRY_S)
        del self._listening[conversation]

    # --- recognising -------------------------------------------------------------------------------

    def _offer(self, work: Work) -> None:
        self._backlog.offer(work)
        self._offered.set()

    async def _recognise(self) -> None:
        """One utterance after the other, for ever."""
        while True:
            for late in self._backlog.skipped(time.monotonic()):
                await self._tell(late, None)
            began_s = time.monotonic()
            work = self._backlog.take(began_s)
            if work is None:
                self._offered.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_S):
                        await self._offered.wait()
                continue
            text = await self._text(work)
            now_s = time.monotonic()
            self._backlog.done(work, began_s=began_s, now_s=now_s)
            self._behind_max_s = max(self._behind_max_s, now_s - work.at_s)
            if text or work.final:
                await self._tell(work, text)

    async def _text(self, work: Work) -> str | None:
        """What was said; None if the recogniser failed."""
        try:
            phrases = await self._live.hear(partial(for_recogniser, work.utterance.sound))
        except Exception:  # noqa: BLE001 # a recogniser that chokes on one utterance may understand the next
            _log.exception("recogniser.failed", conversation=work.conversation, seat=work.seat)
            return None
        return " ".join(phrase.text for phrase in phrases)[:CAPTION_TEXT_LENGTH_MAX]

    async def _tell(self, work: Work, text: str | None) -> None:
        self._skipped += text is None
        self._made += text is not None and work.final
        listening = self._listening.get(work.conversation)
        if listening is not None and listening.is_active:
            caption = listening.caption(work, text)
            await publish_captions(self._connection, Captions(work.conversation, self._captioner, [caption]))

    async def _understand(self, pcm: bytes) -> Transcribed:
        """Answer a recorder. BadInputError if this is no sound, or too much of it."""
        sound = pcm16_to_frame(pcm)
        if len(sound) > UTTERANCE_LONG_MAX_S * RECOGNISER_HZ:
            raise BadInputError(f"More than {UTTERANCE_LONG_MAX_S:.0f} s of sound are asked about at once.")
        phrases = await self._afterwards.hear(lambda: sound) if len(sound) else []
        self._transcribed_s += len(sound) / RECOGNISER_HZ
        return Transcribed(self._afterwards.name, phrases)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            active = sorted(name for name, each in self._listening.items() if each.is_active)
            report = CaptionsReport(
                captioner=self._captioner,
                at_ns=time.time_ns(),
                captioning=active,
                standby=sorted(self._listening.keys() - set(active)),
                behind_max_ms=round(self._behind_max_s * 1000, 1),
                skipped=self._skipped,
                transcribed_s=round(self._transcribed_s, 1),
            )
            self._behind_max_s = 0.0
            await publish_report(self._connection, report)
