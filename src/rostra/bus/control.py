"""What stages are asked to do, and their answers: requests that somebody waits for."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Final

import structlog

from rostra.bus.connection import Connection
from rostra.bus.subjects import control_subject
from rostra.core.errors import BadInputError, BusError
from rostra.core.messages import Answer, Move, Yield, decode, encode

_log = structlog.get_logger()
# An announcement takes eight seconds at most, a fade one: then there is a moment to hand a programme over.
CALM_WITHIN_S: Final = 15


async def ask(connection: Connection, stage: str, what: Move | Yield, *, timeout_s: float) -> str:
    """Have a stage do something: empty when it has, else why not. BusError if it does not answer in time."""
    answer = decode(await connection.request(control_subject(stage), encode(what), timeout_s=timeout_s))
    return answer.refused if isinstance(answer, Answer) else "The answer was none of this version of Rostra."


async def answer(connection: Connection, stage: str, do: Callable[[Move | Yield], Awaitable[str]]) -> None:
    """Do what this stage is asked, for ever; requests may overlap (a yield comes while a move is under way)."""
    async with asyncio.TaskGroup() as tasks, aclosing(connection.subscribe(control_subject(stage))) as messages:
        async for message in messages:
            try:
                asked = decode(message.data)
            except BadInputError as error:
                _log.warning("control.refused", stage=stage, error=str(error))
                continue
            if isinstance(asked, Move | Yield) and message.reply:
                tasks.create_task(_answer(connection, message.reply, asked, do), name=type(asked).__name__)


async def _answer(
    connection: Connection, reply: str, asked: Move | Yield, do: Callable[[Move | Yield], Awaitable[str]]
) -> None:
    try:
        refused = await do(asked)
    except BusError as error:
        refused = str(error)
    _log.info("control.answered", asked=type(asked).__name__, conversation=asked.conversation, refused=refused)
    try:
        await connection.publish(reply, encode(Answer(refused)))
    except BusError:
        _log.warning("control.unanswered", conversation=asked.conversation)
