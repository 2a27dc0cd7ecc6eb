"""What becomes of somebody who is cancelled in the very moment in which the bus answers."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from nats.aio.msg import Msg

from rostra.bus.connection import Connection


class Answering:
    """A client that answers when it is told to, and waits for that as NATS's does."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()

    async def request(self, *_: Any, timeout: float, **__: Any) -> Msg:  # noqa: ASYNC109 # the client's
        return await asyncio.wait_for(self.answer, timeout)


async def ask(connection: Connection) -> Any:
    return await connection.request("who", b"", timeout_s=10)


async def store(connection: Connection) -> Any:
    return await connection.store("what", b"")


@pytest.mark.parametrize("act", [ask, store])
def test_a_cancellation_is_not_lost_when_the_answer_comes_with_it(
    act: Callable[[Connection], Coroutine[Any, Any, Any]],
) -> None:
    async def test() -> None:
        client = Answering()
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(act(Connection(client)), name="asking")  # type: ignore[arg-type]
            await asyncio.sleep(0)
            client.answer.set_result(Msg(client, data=b'{"seq": 1}'))  # type: ignore[arg-type]
            task.cancel()
        assert task.cancelled()

    asyncio.run(test())


def test_who_has_been_cancelled_and_cleans_up_is_answered() -> None:
    async def test() -> None:
        client = Answering()
        kept: list[int] = []

        async def cleaning_up() -> None:
            try:
                await asyncio.sleep(10)
            finally:
                kept.append(await Connection(client).store("the last", b""))  # type: ignore[arg-type]

        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(cleaning_up(), name="cleaning up")
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.sleep(0)
            client.answer.set_result(Msg(client, data=b'{"seq": 7}'))  # type: ignore[arg-type]
        assert task.cancelled()
        assert kept == [7]

    asyncio.run(test())
