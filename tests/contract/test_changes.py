"""Changes are said before they take effect: to the bus, or to the disk while that is away."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bus_server import Bus, run
from rostra.bus import state
from rostra.bus.connection import Connection
from rostra.bus.subjects import EVIDENCE_STREAM, Role, evidence_subject
from rostra.config import Settings
from rostra.core.errors import BusError
from rostra.evidence.change import CHANGE, Change
from rostra.evidence.known import Run
from rostra.evidence.spool import Spool
from rostra.evidence.testimony import CHANGE_WITHIN_S, RECORD, SignedTestimony
from rostra.testifying import declare
from rostra.verifier.entry import Chains, Entry, parse_entry

RUN = Run("code", "settings", "machine")
LIMIT = Change("limit", "edge-1", "ladder", "high", "low")


async def stored(connection: Connection) -> list[Entry]:
    found = await connection.after(EVIDENCE_STREAM, evidence_subject("*"), 0)
    return [parse_entry(each.payload).entry for each in found]


async def provisioned(bus: Bus) -> None:
    async with bus.connect(Role.OPERATOR) as operator:
        await state.provision(operator)


def drained(spool: Spool) -> Iterator[bytes]:
    while (entry := spool.oldest()) is not None:
        yield entry
        spool.taken()


def changes(entries: list[Entry]) -> list[object]:
    return [entry.body["what"] for entry in entries if entry.kind == CHANGE]


def test_p9_a_change_is_on_the_bus_when_it_takes_effect(bus: Bus, tmp_path: Path) -> None:
    async def test() -> None:
        await provisioned(bus)
        async with bus.connect(Role.EDGE) as edge, bus.connect(Role.OPERATOR) as operator:
            testimony = SignedTestimony(edge, "edge-1", tmp_path)
            await testimony.begin({}, RUN)
            assert changes(await stored(operator)) == ["start"]
            assert await testimony.before(LIMIT)
            (*_, last) = await stored(operator)
            assert last.body == {
                "what": "limit", "subject": "edge-1", "by": "ladder", "before": "high", "after": "low",
            }  # fmt: skip

    run(test)


def test_p9_while_the_bus_is_away_there_is_a_record_of_each_second(bus: Bus, tmp_path: Path) -> None:
    async def test() -> None:
        await provisioned(bus)
        async with bus.connect(Role.EDGE) as edge:
            testimony = SignedTestimony(edge, "edge-1", tmp_path)
            await testimony.begin({}, RUN)
            bus.kill()
            with suppress(TimeoutError):
                async with asyncio.timeout(3.1):
                    await testimony.run()
            said = [parse_entry(entry).entry for entry in drained(Spool(tmp_path / "edge-1.spool"))]
            walls_s = [entry.wall_ms // 1_000 for entry in said if entry.kind == RECORD]
            assert len(walls_s) >= 3
            assert len(set(walls_s)) == len(walls_s)

    run(test)


def test_p9_while_the_bus_is_away_a_change_is_on_the_disk_when_it_takes_effect_and_sent_later(
    bus: Bus, tmp_path: Path
) -> None:
    async def test() -> None:
        await provisioned(bus)
        async with bus.connect(Role.EDGE) as edge:
            testimony = SignedTestimony(edge, "edge-1", tmp_path)
            await testimony.begin({}, RUN)
            bus.kill()
            began_s = time.monotonic()
            assert await testimony.before(LIMIT)
            assert time.monotonic() - began_s < CHANGE_WITHIN_S + 5  # a machine that does other things as well
            waiting = Spool(tmp_path / "edge-1.spool").oldest()
            assert waiting is not None
            assert parse_entry(waiting).entry.body["what"] == "limit"
        bus.start()
        async with bus.connect(Role.EDGE) as edge, bus.connect(Role.OPERATOR) as operator:
            await SignedTestimony(edge, "edge-1", tmp_path).begin({}, RUN)
            assert changes(await stored(operator)) == ["start", "limit", "start"]

    run(test)


def test_a_run_that_ends_says_so_and_the_next_one_knows(bus: Bus, tmp_path: Path) -> None:
    async def test() -> None:
        await provisioned(bus)
        async with bus.connect(Role.EDGE) as edge, bus.connect(Role.OPERATOR) as operator:
            for _ in range(2):
                testimony = SignedTestimony(edge, "edge-1", tmp_path)
                await testimony.begin({}, RUN)
                async with asyncio.TaskGroup() as tasks:
                    running = tasks.create_task(testimony.run(), name="testimony")
                    while (await stored(operator))[-1].kind != "record":  # noqa: ASYNC110 # another connection's
                        await asyncio.sleep(0.02)
                    running.cancel()
            said = await stored(operator)
            starts = [entry.body["before"] for entry in said if entry.body.get("what") == "start"]
        assert changes(said) == ["start", "stop", "start"]
        assert starts == ["first", "stopped"]

    run(test)


def test_p9_an_operator_does_nothing_unsaid(bus: Bus, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data")

    async def test() -> None:
        await provisioned(bus)
        async with bus.connect(Role.OPERATOR) as operator:
            for _ in range(2):
                await declare(settings, operator, Change("manual", "evening", "operator", text="end"))
            entries = [
                parse_entry(each.payload)
                for each in await operator.after(EVIDENCE_STREAM, evidence_subject("*"), 0)
            ]
            key = bytes.fromhex(str(entries[0].entry.body["key"]))
            chains = Chains("operator", key)
            for each in entries:
                chains.take(each)
            assert chains.gaps == []
            assert changes([each.entry for each in entries]) == ["manual", "manual"]
            bus.kill()
            (settings.data / "evidence" / ".operator.spool").mkdir()  # the disk takes nothing
            with pytest.raises(BusError, match="nothing is done unsaid"):
                await declare(settings, operator, Change("manual", "evening", "operator", text="end"))
        bus.start()

    run(test)
