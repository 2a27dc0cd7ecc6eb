"""Captions on their way to the stage, and the question what is said in a piece of sound."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Final

import structlog

from rostra.bus.connection import Connection
from rostra.bus.subjects import caption_subject, transcribe_subject
from rostra.core.errors import BadInputError, BusError
from rostra.core.messages import Captions, Transcribe, Transcribed, decode, encode

_log = structlog.get_logger()
_QUEUE: Final = "transcribers"
# A piece takes three seconds of a free core; behind live captions and other recordings it waits much longer.
_ANSWER_S: Final = 300.0


async def publish_captions(connection: Connection, captions: Captions) -> None:
    """Once, and never again: while the bus is away nobody waits for captions, and later they are late."""
    try:
        await connection.publish(caption_subject(captions.conversation), encode(captions))
    except BusError:
        _log.debug("captions.dropped", conversation=captions.conversation, captions=len(captions.captions))


async def follow_captions(connection: Connection, conversation: str) -> AsyncGenerator[Captions, None]:
    """What all captioners of a conversation say, as it comes; garbage is logged and dropped."""
    async with aclosing(connection.subscribe(caption_subject(conversation))) as messages:
        async for message in messages:
            try:
                captions = decode(message.data)
            except BadInputError as error:
                _log.warning("captions.refused", conversation=conversation, error=str(error))
                continue
            if isinstance(captions, Captions) and captions.conversation == conversation:
                yield captions


async def transcribed(connection: Connection, language: str, pcm: bytes) -> Transcribed:
    """What is said in `pcm` (as `Transcribe` has it). BusError if nobody can tell now."""
    asked = encode(Transcribe(pcm))
    answer = decode(await connection.request(transcribe_subject(language), asked, timeout_s=_ANSWER_S))
    if not isinstance(answer, Transcribed):
        raise BusError("The answer was no transcript of this version of Rostra.")
    return answer


async def transcribe(
    connection: Connection, language: str, understand: Callable[[bytes], Awaitable[Transcribed]]
) -> None:
    """Answer what is asked in `language`, one after the other, for ever; what cannot be answered is not."""
    async with aclosing(connection.subscribe(transcribe_subject(language), queue=_QUEUE)) as messages:
        async for message in messages:
            try:
                asked = decode(message.data)
                if isinstance(asked, Transcribe) and message.reply:
                    await connection.publish(message.reply, encode(await understand(asked.pcm)))
            except (BadInputError, BusError) as error:
                _log.warning("transcript.refused", language=language, error=str(error))
