"""The witness on a real bus: what every process says is in the log, once, in order, whoever is away meanwhile."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from itertools import count
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bus_server import Bus, run
from ledger_kit import key_of
from rostra.bus import state
from rostra.bus.certificates import put_certificate, read_certificate
from rostra.bus.connection import Connection
from rostra.bus.subjects import STATE_STREAM, Role, evidence_subject, state_subject
from rostra.core.conversation import Conversation, DoorsOpen, Schedule
from rostra.core.errors import BadInputError, BusError
from rostra.core.limits import CERTIFICATE_SHOWN_BYTES_MAX
from rostra.core.units import SECOND_NS
from rostra.evidence.chain import Chain
from rostra.evidence.emitter import Emitter
from rostra.evidence.spool import Spool
from rostra.evidence.testimony import IDENTITY, RECORD
from rostra.verifier.canonical import Json
from rostra.verifier.checks.capacity import CERTIFICATES
from rostra.verifier.entry import Chains, Entry, Gap, parse_entry
from rostra.verifier.log import KEY
from rostra.verifier.note import Algorithm, note_key, parse_key
from rostra.verifier.policy import parse_policy
from rostra.verifier.source import Folder
from rostra.verifier.step import Outcome
from rostra.verifier.tiles import bundle_path, unbundled, widths
from rostra.verifier.verify import Trust, verify
from rostra.web.front import Front
from rostra.web.serving import serve
from rostra.witness.check import check_ledgers
from rostra.witness.cosigner import Cosigner
from rostra.witness.cosigning import BODY_BYTES_MAX, Cosigning
from rostra.witness.ledger import signed_checkpoint, tails, unframed
from rostra.witness.outside import Outside
from rostra.witness.server import WitnessServer
from stamp_authority import Authority
from system import free_port

WITNESS = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def entries(folder: Path) -> list[bytes]:
    """All that a ledger which nobody writes has."""
    key = parse_key((folder / KEY).read_text())
    checkpoint = signed_checkpoint(folder, origin=key.name, key=key)
    size = 0 if checkpoint is None else checkpoint.size
    found = [
        e for index, width in widths(size) for e in unbundled((folder / bundle_path(index, width)).read_bytes())
    ]
    for first, path in tails(folder):
        found += unframed(path.read_bytes())[0][size - first :]
    return found


def chained(folder: Path) -> tuple[list[Entry], list[Gap]]:
    """Every entry, each proved to be its speaker's and in its place; and what is missing."""
    chains = Chains("witness-1", parse_key((folder / KEY).read_text()).key)
    sealed = [parse_entry(data) for data in entries(folder)]
    for each in sealed:
        chains.take(each)
    return [each.entry for each in sealed], chains.gaps


@asynccontextmanager
async def operating(bus: Bus) -> AsyncIterator[Connection]:
    async with bus.connect(Role.OPERATOR) as connection:
        await state.provision(connection)
        yield connection


async def announce(connection: Connection, name: str) -> None:
    now_ns = time.time_ns()
    schedule = Schedule("Evening", now_ns + SECOND_NS, now_ns, now_ns + 3_600 * SECOND_NS, "UTC")
    await state.create_conversation(connection, Conversation(name, schedule, DoorsOpen(now_ns)))


@asynccontextmanager
async def witnessing(bus: Bus, folder: Path, outside: Outside | None = None) -> AsyncIterator[WitnessServer]:
    async with bus.connect(Role.WITNESS) as connection, asyncio.TaskGroup() as tasks:
        server = WitnessServer(connection, "witness-1", folder, WITNESS, host="example.org", outside=outside)
        task = tasks.create_task(server.run(), name="witness")
        yield server
        task.cancel()


class Speaker:
    """A process that says something whenever it is told to."""

    def __init__(self, connection: Connection, who: str, folder: Path, **identity: Json) -> None:
        self._connection = connection
        chain = Chain(who, Ed25519PrivateKey.generate())
        self._emitter = Emitter(chain, Spool(folder / f"{who}.spool"))
        self._emitter.say(IDENTITY, {"key": chain.key, **identity})
        self._numbers = count()

    async def say(self, times: int = 1) -> None:
        for _ in range(times):
            self._emitter.say(RECORD, {"number": next(self._numbers)})
        await self._emitter.send(self._connection)


async def until(condition: Callable[[], bool], *, within_s: float = 20) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 # a file of another task
            await asyncio.sleep(0.05)


def numbers(said: list[Entry], who: str) -> list[object]:
    return [entry.body["number"] for entry in said if entry.who == who and entry.kind == RECORD]


def holds(folder: Path, count: int) -> Callable[[], bool]:
    return lambda: check_ledgers(folder)[0] >= count


@asynccontextmanager
async def outsiders(folder: Path) -> AsyncIterator[tuple[Outside, Trust]]:
    """A witness of another organisation, and an authority for time."""
    folder.mkdir()
    authority, port = Authority(folder / "authority"), free_port()
    log = note_key("example.org/rostra/evening", WITNESS)
    cosigner = Cosigner(folder / "state", "north.example", key_of("north"), {log.name: log})

    async def stamp(request: Request) -> Response:
        return Response(authority.reply(await request.body()), media_type="application/timestamp-reply")

    application = Cosigning(cosigner).application
    application.router.routes.append(Route("/stamp", stamp, methods=["POST"]))
    key = note_key("north.example", key_of("north"), Algorithm.COSIGNATURE)
    url = f"http://127.0.0.1:{port}"
    policy = parse_policy(f"log {log}\nwitness north {key} {url}\nquorum north\n".encode())
    async with asyncio.TaskGroup() as tasks:
        front = Front(body_bytes_max=BODY_BYTES_MAX)
        serving = tasks.create_task(serve(application, "127.0.0.1", port, front), name="outsiders")
        yield (
            Outside(policy.witnesses.values(), f"{url}/stamp", [authority.root]),
            Trust(policy=policy, authorities=[authority.root]),
        )
        serving.cancel()
    cosigner.close()


def test_p9_others_cosign_each_checkpoint_and_an_authority_stamps_it(bus: Bus, tmp_path: Path) -> None:
    async def test() -> None:
        async with (
            operating(bus) as operator,
            bus.connect(Role.EDGE) as edge,
            outsiders(tmp_path / "outside") as (outside, trust),
        ):
            await announce(operator, "evening")
            folder = tmp_path / "ledgers"
            async with witnessing(bus, folder, outside):
                speaker = Speaker(edge, "edge-1", tmp_path)
                await speaker.say(3)
                await until(lambda: {"checkpoint", "timestamp"} <= kinds(folder), within_s=60)
                await speaker.say(3)
                ledger = folder / "evening"
                await until(lambda: b"north.example" in (ledger / "checkpoint").read_bytes(), within_s=60)
            found = {step.name: step for step in verify(Folder(ledger), trust)}
            assert found["cosignatures"].outcome is Outcome.PASS, found
            assert found["timestamps"].outcome is Outcome.PASS, found
            assert Outcome.FAIL not in {step.outcome for step in found.values()}

    run(test)


def kinds(folder: Path) -> set[str]:
    if not (folder / "evening" / "checkpoint").exists():
        return set()
    return {parse_entry(data).entry.kind for data in entries(folder / "evening")}


def test_p9_what_is_said_is_in_the_log_of_each_conversation_once_and_in_order(bus: Bus, tmp_path: Path) -> None:
    async def test() -> None:
        async with operating(bus) as operator, bus.connect(Role.EDGE) as edge:
            speaker = Speaker(edge, "edge-1", tmp_path)
            await speaker.say(3)
            await announce(operator, "evening")
            async with witnessing(bus, tmp_path / "ledgers"):
                await until(holds(tmp_path / "ledgers", 5))  # opened, the identity, three records
                late = Speaker(edge, "edge-2", tmp_path)
                await late.say(2)
                await until(holds(tmp_path / "ledgers", 9))
        said, gaps = chained(tmp_path / "ledgers" / "evening")
        assert gaps == []
        assert numbers(said, "edge-1") == [0, 1, 2]
        assert numbers(said, "edge-2") == [0, 1]
        kinds = [entry.kind for entry in said if entry.who == "witness-1" and entry.kind != "checkpoint"]
        assert sorted(kinds) == ["opened", "registered", "registered", "registered_plan"]
        unpublished = [unframed(path.read_bytes())[0] for _, path in tails(tmp_path / "ledgers" / "evening")]
        assert unpublished == [[]], "a witness that stops leaves nothing without a checkpoint"

    run(test)


def test_p9_a_witness_that_was_away_takes_what_was_said_meanwhile_and_nothing_twice(
    bus: Bus, tmp_path: Path
) -> None:
    async def test() -> None:
        async with operating(bus) as operator, bus.connect(Role.EDGE) as edge:
            speaker = Speaker(edge, "edge-1", tmp_path)
            await announce(operator, "evening")
            await speaker.say(2)
            async with witnessing(bus, tmp_path / "ledgers"):
                await until(holds(tmp_path / "ledgers", 5))
            await speaker.say(3)
            async with witnessing(bus, tmp_path / "ledgers"):
                await until(holds(tmp_path / "ledgers", 10))
        said, gaps = chained(tmp_path / "ledgers" / "evening")
        assert gaps == []
        assert numbers(said, "edge-1") == [0, 1, 2, 3, 4]
        assert check_ledgers(tmp_path / "ledgers")[1] == []

    run(test)


def test_a_log_that_is_opened_in_mid_run_knows_where_everybody_was(bus: Bus, tmp_path: Path) -> None:
    async def test() -> None:
        async with operating(bus) as operator, bus.connect(Role.EDGE) as edge:
            speaker = Speaker(edge, "edge-1", tmp_path)
            async with witnessing(bus, tmp_path / "ledgers") as witness:
                await speaker.say(4)
                await until(lambda: witness.entries == 5)
                await announce(operator, "evening")
                await until(holds(tmp_path / "ledgers", 1))
                await speaker.say(2)
                await until(holds(tmp_path / "ledgers", 3))
        said, gaps = chained(tmp_path / "ledgers" / "evening")
        assert gaps == []
        assert numbers(said, "edge-1") == [4, 5]

    run(test)


def test_p9_certificates_of_edges_on_other_machines_lie_beside_the_log(bus: Bus, tmp_path: Path) -> None:
    """Only what has the digest that the edge named; the bus need not be believed."""

    def edge(number: int) -> dict[str, Json]:
        named = sha256(b"certificate %d" % number).hexdigest()
        return {
            "versions": {"code": "c"},
            "limits": {},
            "rehearsed": {"certificate": named, "joins_hz": 9, "void": []},
        }

    async def test() -> None:
        async with operating(bus) as operator, bus.connect(Role.EDGE) as connection:
            await put_certificate(connection, "edge-1", b"certificate 1")
            await put_certificate(connection, "edge-2", b"something else")
            with pytest.raises(BadInputError):
                await put_certificate(connection, "edge-4", bytes(CERTIFICATE_SHOWN_BYTES_MAX + 1))
            for number in (1, 2, 3):
                await Speaker(connection, f"edge-{number}", tmp_path, **edge(number)).say()
            await announce(operator, "evening")
            folder = tmp_path / "ledgers"
            async with witnessing(bus, folder):
                await until((folder / "evening" / CERTIFICATES).exists)
        (file,) = (folder / "evening" / CERTIFICATES).iterdir()
        assert (file.name, file.read_bytes()) == (sha256(b"certificate 1").hexdigest(), b"certificate 1")

    run(test)


@pytest.mark.parametrize("bus", ["embedded"], indirect=True)  # which grants each role only what it needs
def test_an_edge_that_was_taken_over_cannot_touch_the_state_of_all(bus: Bus) -> None:
    async def test() -> None:
        async with operating(bus) as operator, bus.connect(Role.EDGE) as edge:
            await announce(operator, "evening")
            for name in ("certificate.edge-1", "conversation.evening"):
                with pytest.raises(BusError):
                    await edge.store(state_subject(name), b"")
            assert await operator.last(STATE_STREAM, state_subject("conversation.evening")) is not None

    run(test)


def test_a_name_that_is_no_subject_keeps_no_certificate_from_being_read(bus: Bus) -> None:
    async def test() -> None:
        async with operating(bus) as operator:
            for name in ("a b", "a.b", "", "a" * 5_000):
                assert await read_certificate(operator, name, "0" * 64) is None

    run(test)


def test_what_is_no_entry_is_counted_and_kept_out(bus: Bus, tmp_path: Path) -> None:
    async def test() -> None:
        async with operating(bus) as operator, bus.connect(Role.EDGE) as edge:
            await announce(operator, "evening")
            async with witnessing(bus, tmp_path / "ledgers") as witness:
                await edge.store(evidence_subject("edge-1"), b"garbage")
                await until(lambda: witness.refused == 1)
                await until(holds(tmp_path / "ledgers", 1))
        said, _ = chained(tmp_path / "ledgers" / "evening")
        assert [entry.kind for entry in said] == ["opened", "registered_plan"]

    run(test)


def test_what_was_said_before_a_log_began_is_not_put_behind_it_by_a_witness_that_starts_again(
    bus: Bus, tmp_path: Path
) -> None:
    async def test() -> None:
        async with operating(bus) as operator, bus.connect(Role.EDGE) as edge:
            speaker = Speaker(edge, "edge-1", tmp_path)
            async with witnessing(bus, tmp_path / "ledgers") as witness:
                await speaker.say(4)
                await until(lambda: witness.entries == 5)
                await announce(operator, "evening")
                await until(holds(tmp_path / "ledgers", 1))
            await speaker.say(2)
            async with witnessing(bus, tmp_path / "ledgers"):
                await until(holds(tmp_path / "ledgers", 5))  # opened, reopened, a key registered again, two records
        said, gaps = chained(tmp_path / "ledgers" / "evening")
        assert gaps == []
        assert numbers(said, "edge-1") == [4, 5]

    run(test)
