"""P9: while an evening goes on everybody is told what the evidence shows so far, and the log keeps that."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import evenings
from bus_server import Bus, run
from ledger_kit import WITNESS
from rostra.bus import state
from rostra.bus.connection import Connection
from rostra.bus.subjects import Role, evidence_subject
from rostra.bus.verdicts import read_verdict
from rostra.config import Settings
from rostra.core.conversation import Conversation, DoorsOpen, Ended, Schedule
from rostra.core.messages import LiveVerdict
from rostra.core.units import SECOND_NS
from rostra.evidence.chain import Chain
from rostra.evidence.testimony import IDENTITY
from rostra.testifying import say
from rostra.verdict.code import code_digest
from rostra.verifier.entry import Entry, parse_entry
from rostra.verifier.log import named_key, open_log
from rostra.verifier.source import Folder
from rostra.verifying import main as verify
from rostra.witness.live import LiveVerdicts
from rostra.witness.plan import Policy
from rostra.witness.server import WitnessServer
from rostra.witness.window import AFTER_END_S

NAME = "evening"
SCENARIO = evenings.scenario("crash", 0)


class Told:
    """The processes of a synthetic evening, as if it were now: each says its entries in a chain of its own."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._chains: dict[tuple[str, int], Chain] = {}
        self._keys: dict[str, Ed25519PrivateKey] = {}
        self._later_ms = time.time_ns() // 1_000_000 - evenings.START_S * 1_000
        self._now_ms = 0

    async def introduce(self, edges: int) -> None:
        self._now_ms = evenings.START_S * 1_000 + self._later_ms
        for number in range(edges):
            await self._say(f"edge-{number + 1}", 0, IDENTITY, self._identity(f"edge-{number + 1}"))
        await self._say("stage-1", 0, IDENTITY, self._identity("stage-1"))

    def _identity(self, who: str) -> dict[str, Any]:
        known: dict[str, Any] = {
            "key": self._key(who).public_key().public_bytes_raw().hex(),
            "versions": {"code": "1"},
        }
        if who.startswith("edge"):
            rehearsed = {"joins_hz": SCENARIO.joins_hz, "listeners": SCENARIO.places}
            known |= {"limits": {"egress_bps": 100_000_000}, "rehearsed": rehearsed}
        return known

    async def tell(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            if entry.kind == "record":
                self._now_ms = entry.wall_ms + self._later_ms
                await self._say(entry.who, entry.run - evenings.START_S * 1_000, entry.kind, entry.body)

    def _key(self, who: str) -> Ed25519PrivateKey:
        return self._keys.setdefault(who, Ed25519PrivateKey.generate())

    def _now_ns(self) -> int:
        return self._now_ms * 1_000_000

    async def _say(self, who: str, run_ms: int, kind: str, body: dict[str, Any]) -> None:
        chain = self._chains.get((who, run_ms))
        if chain is None:
            chain = self._chains[who, run_ms] = Chain(
                who, self._key(who), clock_ns=self._now_ns, steady_ns=self._now_ns
            )
        entry = chain.sealed(kind, body)
        await self._connection.store(evidence_subject(who), entry)
        chain.said(entry)


async def turned(connection: Connection, *, label: str = "", final: bool = False) -> LiveVerdict:
    while True:
        found = await read_verdict(connection, NAME)
        if found is not None and found.label == label and found.final == final:
            return found
        await asyncio.sleep(0.1)


def published(ledger: Path) -> list[Entry]:
    source = Folder(ledger)
    return [parse_entry(data).entry for data in open_log(source, named_key(source)).entries()]


def kinds(ledger: Path) -> set[str]:
    return {entry.kind for entry in published(ledger)}


def kept(ledger: Path) -> list[dict[str, Any]]:
    return [entry.body for entry in published(ledger) if entry.kind == "verdict"]


async def announce(connection: Connection) -> None:
    now_ns = time.time_ns()
    schedule = Schedule("Evening", now_ns + 60 * SECOND_NS, now_ns, now_ns + 3_600 * SECOND_NS, "UTC")
    await state.create_conversation(connection, Conversation(NAME, schedule, DoorsOpen(now_ns)))


def over(conversation: Conversation) -> Conversation:
    return replace(conversation, state=Ended(time.time_ns() - (AFTER_END_S + 1) * SECOND_NS))


@pytest.mark.parametrize("bus", ["embedded"], indirect=True)  # which grants each role only what it needs
def test_p9_a_dead_edge_turns_the_verdict_which_is_kept_told_and_judged_again_at_the_end(
    bus: Bus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = evenings.Evening(SCENARIO).entries
    dead_s = evenings.START_S + SCENARIO.begin - 2
    calm = [entry for entry in entries if entry.wall_ms // 1_000 < dead_s]

    async def test() -> None:
        async with bus.connect(Role.OPERATOR) as operator, bus.connect(Role.WITNESS) as connection:
            await state.provision(operator)
            told = Told(operator)
            await told.introduce(SCENARIO.edges)
            server = WitnessServer(
                connection,
                "witness-1",
                tmp_path,
                WITNESS,
                host="example.org",
                policy=Policy(code_digest(), WITNESS.public_key().public_bytes_raw().hex()),
                live=LiveVerdicts(connection, tmp_path, code_digest()),
                checkpoint_every_s=1,
            )
            await announce(operator)
            async with asyncio.TaskGroup() as tasks:
                witness = tasks.create_task(server.run(), name="witness")
                await told.tell(calm)
                before = await turned(operator, label="none")
                await told.tell(entries[len(calm) :])
                after = await turned(operator, label="own")
                assert (before.onset_ms, after.firm) == (None, True)
                assert after.onset_ms is not None
                assert "attack" in after.exceeded_by
                assert "own" not in after.exceeded_by
                await state.change_conversation(operator, NAME, over)
                last = await turned(operator, label="own", final=True)
                while not kept(tmp_path / NAME)[-1]["final"]:  # noqa: ASYNC110 # another task's file
                    await asyncio.sleep(0.1)
                wrong = {"conversation": NAME, "entry": 2, "text": "It was ours."}
                await say(Settings(data=tmp_path / "operator"), operator, "correction", wrong)
                while "correction" not in kinds(tmp_path / NAME):  # noqa: ASYNC110 # likewise
                    await asyncio.sleep(0.1)
                witness.cancel()
            said = kept(tmp_path / NAME)
            assert [(each["label"], each["final"]) for each in said][-1] == ("own", True)
            assert said[-1]["digest"] == last.digest
            turns = [(each["label"], each["firm"], "onset_ms" in each) for each in said[:-1]]
            assert all(one != other for one, other in pairwise(turns)), "only what is news"

    run(test)
    verify([str(tmp_path / NAME)])
    steps = capsys.readouterr().out
    assert "PASS       verdict: own, " in steps
    assert "as the log says" in steps
    assert "corrects entry 2: It was ours." in steps
    assert "FAIL" not in steps
